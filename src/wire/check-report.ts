/** What a check of a data folder found, under the signature of its log key. See docs/PROTOCOL.md, signed documents. */
import type { CheckedTree } from '../core/journal-check.ts';
import { integer, list, literal, nullable, object, type Shape, text } from './shape.ts';
import type { DocumentForm } from './signed-document.ts';

/** Of problems and of notices: the whole list is where the check was called. */
export const MAX_TOLD = 16;
export const MAX_TOLD_CHARS = 200;

export interface CheckReport {
  /** The audit log's tree; null: what is stored did not give one to its end. */
  readonly audit: CheckedTree | null;
  /** Account of the machine that ran it. */
  readonly by: string;
  readonly duration_ms: number;
  readonly ended_at: string;
  readonly first_problems: readonly string[];
  readonly journal: CheckedTree | null;
  readonly notices: readonly string[];
  readonly problems: number;
  readonly rows: number;
  readonly started_at: string;
  readonly v: 1;
}

const TREE: Shape<CheckedTree | null> = nullable(object<CheckedTree>({ root: text(64), size: integer() }));
const TOLD = list(text(MAX_TOLD_CHARS), MAX_TOLD);

export const CHECK_REPORT: DocumentForm<CheckReport> = {
  title: 'stigmem-journal-check/v1',
  shape: object<CheckReport>({
    audit: TREE,
    by: text(MAX_TOLD_CHARS),
    duration_ms: integer(),
    ended_at: text(64),
    first_problems: TOLD,
    journal: TREE,
    notices: TOLD,
    problems: integer(),
    rows: integer(),
    started_at: text(64),
    v: literal(1),
  }),
};
