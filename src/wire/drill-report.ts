/**
 * The drills of one month, under the signature of the log key: one signed document, or several where it would be too large, one
 * behind the other. Read and verified without a node: `drill verify`.
 */
import { err, ok, type Result } from '../core/result.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { boolean, describe, integer, list, literal, nullable, object, oneOf, type Shape, text } from './shape.ts';
import { type DocumentError, type DocumentForm, openDocument, signDocument } from './signed-document.ts';

const MAX_DRILLS = 256;
const MAX_PARTS = 256;
/** Of the drills in one document, as JSON: the rest of it has room below the limit of a document. */
const DRILLS_BYTES = 49_152;
const MAX_SINKS = 16;
const MAX_REASONS = 128;
const TIME_CHARS = 32;

export interface ReportedDrill {
  readonly acknowledged_at: string | null;
  readonly acknowledged_by: string | null;
  readonly audit_seq: number | null;
  readonly convicts: boolean | null;
  readonly expected: string;
  readonly failure: string | null;
  readonly id: string;
  readonly kind: string;
  readonly passed: boolean;
  readonly recorded_at: string | null;
  readonly refused_at: string | null;
  readonly seen: string | null;
  readonly sent_at: string | null;
  readonly sinks: readonly { readonly acked_at: string | null; readonly name: string; readonly state: string }[];
  readonly started_at: string;
  readonly started_by: string;
}

export interface DrillReport {
  /** Of the audit log that it was made from. */
  readonly audit_size: number;
  readonly drills: readonly ReportedDrill[];
  readonly failed: number;
  readonly made_at: string;
  /** `2026-11` */
  readonly month: string;
  readonly node_id: string;
  /** From 1. */
  readonly part: number;
  readonly parts: number;
  readonly passed: number;
  /** What was refused that was no drill, each once. */
  readonly refusals: readonly { readonly count: number; readonly reason: string }[];
  readonly v: 1;
  /** The month is over, and nobody's answer is waited for. */
  readonly whole: boolean;
}

/** A month of the calendar, as `2026-11`. */
export const MONTH_TEXT: RegExp = /^[0-9]{4}-(0[1-9]|1[0-2])$/;

const MONTH: Shape<string> = {
  check: (value, at) =>
    typeof value === 'string' && MONTH_TEXT.test(value)
      ? null
      : { at, expected: 'a month such as 2026-11', got: describe(value) },
};

const TIME = nullable(text(TIME_CHARS));

const DRILL: Shape<ReportedDrill> = object<ReportedDrill>({
  acknowledged_at: TIME,
  acknowledged_by: nullable(text(512)),
  audit_seq: nullable(integer()),
  convicts: nullable(boolean),
  expected: text(64),
  failure: nullable(text(64)),
  id: text(32),
  kind: text(64),
  passed: boolean,
  recorded_at: TIME,
  refused_at: TIME,
  seen: nullable(text(64)),
  sent_at: TIME,
  sinks: list(
    object<ReportedDrill['sinks'][number]>({
      acked_at: TIME,
      name: text(64),
      state: oneOf('acknowledged', 'filtered', 'silent'),
    }),
    MAX_SINKS,
  ),
  started_at: text(TIME_CHARS),
  started_by: text(512),
});

const DRILL_REPORT: DocumentForm<DrillReport> = {
  title: 'stigmem-drill-report/v1',
  shape: object<DrillReport>({
    audit_size: integer(),
    drills: list(DRILL, MAX_DRILLS),
    failed: integer(),
    made_at: text(TIME_CHARS),
    month: MONTH,
    node_id: text(512),
    part: integer(MAX_PARTS, 1),
    parts: integer(MAX_PARTS, 1),
    passed: integer(),
    refusals: list(object<DrillReport['refusals'][number]>({ count: integer(), reason: text(64) }), MAX_REASONS),
    v: literal(1),
    whole: boolean,
  }),
};

export type DrillReportError = DocumentError | 'report_incomplete';

/** What a whole report says, whatever documents it is made of. */
export type DrillMonth = Omit<DrillReport, 'part' | 'parts' | 'v'>;

/** @returns the text of all its documents */
export function signDrillReport(month: DrillMonth, signer: LogSigner): string {
  const runs = partsOf(month.drills);
  return runs
    .map((drills, i) => signDocument(DRILL_REPORT, { ...month, drills, part: i + 1, parts: runs.length, v: 1 }, signer))
    .join('');
}

/** @param keys raw Ed25519 keys of the log @param origin null: whatever it names, under one of the keys */
export function openDrillReport(
  text: string,
  keys: readonly Uint8Array[],
  origin: string | null,
): Result<DrillMonth, DrillReportError> {
  const documents = text.split(/(?<=\n)(?=stigmem-drill-report\/v1\n)/);
  if (documents.length > MAX_PARTS) return err('document_malformed');
  const reports: DrillReport[] = [];
  for (const document of documents) {
    const opened = openDocument(DRILL_REPORT, Buffer.from(document), keys, origin);
    if (!opened.ok) return opened;
    reports.push(opened.value.value);
  }
  const [first] = reports;
  if (first === undefined || first.parts !== reports.length) return err('report_incomplete');
  // Each is signed alone: they are one report only if they say the same, in their order.
  const { part: _, drills: _drills, ...common } = first;
  const isOne = reports.every(({ part, drills: _own, ...said }, i) => part === i + 1 && sameMembers(said, common));
  const drills = reports.flatMap((report) => report.drills);
  const isWhole = drills.length === first.passed + first.failed;
  if (!isOne || !isWhole) return err('report_incomplete');
  const { parts: _parts, v: _v, ...month } = common;
  return ok({ ...month, drills });
}

function sameMembers(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function partsOf(drills: readonly ReportedDrill[]): readonly (readonly ReportedDrill[])[] {
  const parts: ReportedDrill[][] = [[]];
  let bytes = 0;
  for (const drill of drills) {
    const size = Buffer.byteLength(JSON.stringify(drill)) + 1;
    if (bytes + size > DRILLS_BYTES || parts.at(-1)?.length === MAX_DRILLS) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(drill);
    bytes += size;
  }
  return parts;
}
