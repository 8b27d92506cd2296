/** Which checkpoints have a report of the trusted execution environment: the audit log says it, and nothing beside it. */
import type { AnchorCheckpoint, AnchorRecords } from './anchor-records.ts';
import { AuditReader } from './audit-reader.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { AuditRecord } from './read-model.ts';
import type { LogName } from './tables.ts';

/** Its evidence is about this machine, and accuses nobody. */
export const TEE_REPORT = 'tee_report';
/** How far back it is looked for the newest report of each log; behind it, one more is taken. */
const MAX_LOOKED_AT = 1_000;

export interface NewTeeReport {
  readonly log: LogName;
  readonly treeSize: number;
  /** SHA-512 of the note, lower-case hex. */
  readonly nonce: string;
  readonly provider: string;
  readonly binding: 'bound' | 'not_checked';
  /** What `formatTeeReport` made. */
  readonly evidence: string;
}

export class TeeRecords {
  readonly #anchors: AnchorRecords;
  readonly #others: Statement<[after: number, upTo: number, event: string], { seq: number }>;
  /** Sizes of the newest checkpoints that need none any more. */
  readonly #done: Record<LogName, number> = { journal: 0, audit: 0 };

  constructor(db: Db, anchors: AnchorRecords) {
    this.#anchors = anchors;
    const { records } = new AuditReader(db).page({ event: TEE_REPORT, order: 'desc', limit: MAX_LOOKED_AT });
    for (const { detail } of records) this.#known(detail);
    const inside = sqlBuilder.selectFrom('audit').select('seq').where('seq', '>', PARAM).where('seq', '<=', PARAM);
    this.#others = prepare(db, inside.where('event', '!=', PARAM).limit(ONE));
  }

  /** The newest checkpoint of a log, the journal before the audit log, that has no report; null: none waits for one. */
  next(): AnchorCheckpoint | null {
    for (const log of ['journal', 'audit'] as const) {
      const latest = this.#anchors.latest(log);
      if (latest === null || latest.treeSize <= this.#done[log]) continue;
      if (log === 'journal' || this.#saysMore(latest.treeSize)) return latest;
      this.#done.audit = latest.treeSize;
    }
    return null;
  }

  saved(log: LogName, treeSize: number): void {
    this.#done[log] = Math.max(this.#done[log], treeSize);
  }

  /** A report is a record of the audit log: reporting on what holds nothing else would never end. */
  #saysMore(treeSize: number): boolean {
    return this.#others.get(this.#done.audit, treeSize, TEE_REPORT) !== undefined;
  }

  #known({ log, tree_size }: AuditRecord['detail']): void {
    if ((log === 'journal' || log === 'audit') && typeof tree_size === 'number') this.saved(log, tree_size);
  }
}
