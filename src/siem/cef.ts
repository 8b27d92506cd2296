/** ArcSight Common Event Format, version 0. Pure. @see "Implementing ArcSight Common Event Format", 2017 */
import type { Severity } from '../core/severity.ts';
import { inertText } from './inert-text.ts';
import { DIGEST_EVENT, GAP_EVENT, ownFields, type SiemEvent, sentenceOf } from './siem-event.ts';

const SEVERITY: Readonly<Record<Severity, number>> = { info: 1, low: 3, medium: 5, high: 8, critical: 10 };

/** One line, without its end. @param withRecord adds the record's own text as `cs6` */
export function toCef(event: SiemEvent, withRecord: boolean): string {
  const { record, node, severity, finding } = event;
  const head = [
    'CEF:0',
    'stigmem-peerd',
    'stigmem-peerd',
    node.version,
    finding === null ? (record.reason ?? record.event) : record.event,
    record.event,
    String(SEVERITY[severity]),
  ];
  return `${head.map(headerText).join('|')}|${extension(event, withRecord)}`;
}

function extension(event: SiemEvent, withRecord: boolean): string {
  const { record, node, id, seq, atMs, body } = event;
  const { digest, gap, count, field, hash, finding, case: step } = ownFields(event);
  const isRefusal = record.cid !== null && record.reason !== null;
  const fields: readonly (readonly [string, string | number | null | undefined])[] = [
    ['rt', atMs],
    ['externalId', id],
    ['dvchost', node.authority],
    ['act', isRefusal ? 'rejected' : step === undefined ? record.event : record.reason],
    ['outcome', isRefusal ? 'failure' : null],
    ['reason', step?.about ?? record.reason],
    ['fileHash', record.cid],
    ['fileId', record.fact_id],
    ['suser', record.actor],
    ['cnt', count ?? step?.seen],
    ['start', msOf(step?.first_at)],
    ['end', msOf(step?.last_at)],
    ...labelled('cs1', 'peer', record.peer),
    ...labelled('cs2', 'scope', record.feed),
    ...labelled('cs3', 'evidence', record.evidence),
    ...labelled('cs4', 'recordHash', hash),
    ...labelled('cs5', 'field', field),
    ...labelled('cs6', 'record', withRecord ? body : null),
    ...labelled('cn1', 'sequence', seq),
    ...labelled('cn2', 'case', step?.number),
    ...labelled('flexString1', 'finding', finding),
    ...labelled('flexString2', 'state', step === undefined ? null : [step.state, step.verdict ?? []].flat().join(' ')),
    [
      'msg',
      record.event === DIGEST_EVENT
        ? (digest ?? []).join('\n')
        : record.event === GAP_EVENT
          ? gapText(gap)
          : [sentenceOf(event), step?.why ?? []].flat().join('\n'),
    ],
  ];
  return fields.flatMap(([key, value]) => (value == null ? [] : [`${key}=${valueText(String(value))}`])).join(' ');
}

function labelled(
  key: string,
  label: string,
  value: string | number | null | undefined,
): readonly (readonly [string, string | number | null | undefined])[] {
  return value == null
    ? []
    : [
        [`${key}Label`, label],
        [key, value],
      ];
}

function msOf(at: string | undefined): number | null {
  const ms = at === undefined ? Number.NaN : Date.parse(at);
  return Number.isNaN(ms) ? null : ms;
}

function gapText(gap: ReturnType<typeof ownFields>['gap']): string {
  return gap === undefined ? '' : `records ${gap.first} to ${gap.last} were not sent to ${gap.sink}`;
}

/** In the header `|` and `\` are escaped, and nothing breaks the line. */
function headerText(text: string): string {
  return inertText(text).replace(/[\\|]/g, '\\$&');
}

/** In a value `=` and `\` are escaped; a line break is written `\n`. */
function valueText(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => inertText(line).replace(/[\\=]/g, '\\$&'))
    .join('\\n');
}
