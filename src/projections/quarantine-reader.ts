/** Lists facts that are hidden from readers, as operators look through them. */
import type { ReviewStatus } from '../core/review.ts';
import { AuditReader } from '../journal/audit-reader.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from '../journal/database.ts';
import { DECIDED_EVENT, QUARANTINED_EVENT, type QuarantineRow } from '../journal/quarantine.ts';
import type { AuditRecord, CorruptFact, StoredFact } from '../journal/read-model.ts';
import type { FactReader } from './fact-reader.ts';

export interface QuarantineQuery {
  readonly status: ReviewStatus | 'all';
  /** Node id; null: of all. */
  readonly peer: string | null;
  /** Only facts before this place of the journal. */
  readonly before: number | null;
  readonly limit: number;
}

/** One fact, or what is wrong with its row. */
export interface QuarantinedFact {
  readonly seq: number;
  readonly reason: string;
  readonly status: ReviewStatus;
  readonly fact: StoredFact | null;
  readonly corrupt: CorruptFact | null;
}

export interface QuarantinePage {
  readonly facts: readonly QuarantinedFact[];
  /** There may be others before this place; null: there are none. */
  readonly before: number | null;
}

/** Rows that one page looks through; it is gone on by `before`. */
const MAX_SCANNED = 5_000;
const MAX_RECORDS = 100;

export class QuarantineReader {
  readonly #facts: FactReader;
  readonly #audit: AuditReader;
  readonly #before: Statement<[number, number], QuarantineRow>;

  constructor(db: Db, facts: FactReader) {
    this.#facts = facts;
    this.#audit = new AuditReader(db);
    const rows = sqlBuilder.selectFrom('quarantine').selectAll();
    this.#before = prepare(db, rows.where('chain_seq', '<', PARAM).orderBy('chain_seq', 'desc').limit(PARAM));
  }

  /** The newest first. */
  list({ status, peer, before, limit }: QuarantineQuery): QuarantinePage {
    const facts: QuarantinedFact[] = [];
    const rows = this.#before.all(before ?? Number.MAX_SAFE_INTEGER, MAX_SCANNED);
    for (const row of rows) {
      if (status !== 'all' && row.status !== status) continue;
      const shown = this.#read(row);
      if (shown === null || (peer !== null && shown.fact?.entry.origin?.node_id !== peer)) continue;
      facts.push(shown);
      if (facts.length === limit) return { facts, before: row.chain_seq };
    }
    return { facts, before: rows.length === MAX_SCANNED ? (rows.at(-1)?.chain_seq ?? null) : null };
  }

  /** When a fact was hidden, and what was decided since, the oldest first. */
  history(factId: string): readonly AuditRecord[] {
    const { records } = this.#audit.page({ factId, order: 'asc', limit: MAX_RECORDS });
    return records.filter(({ event }) => event === QUARANTINED_EVENT || event === DECIDED_EVENT);
  }

  #read({ chain_seq: seq, reason, status }: QuarantineRow): QuarantinedFact | null {
    const row = this.#facts.rowAt(seq);
    if (row === undefined) return null; // fsck tells of it
    if (!row.ok && row.kind === 'erased') return null;
    if (!row.ok) return { seq, reason, status, fact: null, corrupt: row.corrupt };
    const found = this.#facts.byId(row.entry.fact_id);
    return found.kind === 'found' ? { seq, reason, status, fact: found.fact, corrupt: null } : null;
  }
}
