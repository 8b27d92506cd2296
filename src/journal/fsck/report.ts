/** What a check of the whole journal found. */
import type { CheckedTree } from '../../core/journal-check.ts';
import type { LogName } from '../tables.ts';

/** One thing that is not as it was written. */
export interface FsckProblem {
  /** Table, or `sqlite_schema`, `sqlite` (the file itself), `signed-heads.json`. */
  readonly table: string;
  /** Key of the row; a name where rows have names; null when no single row is to blame. */
  readonly row: number | string | null;
  /** Column; null when no single one is to blame. */
  readonly field: string | null;
  readonly code: string;
  /** For people. */
  readonly detail: string;
}

/** Something to know that is no damage. */
export interface FsckNotice {
  readonly code: string;
  readonly detail: string;
}

/** Rows that were derived again and compared. */
export interface FsckCounts {
  entries: number;
  audit: number;
  feeds: number;
  tiles: number;
  checkpoints: number;
  pages: number;
  page_entries: number;
  evidence: number;
  peer_checkpoints: number;
  peer_feed_heads: number;
  peer_declarations: number;
  anchor_checkpoints: number;
  anchor_receipts: number;
  cosigned: number;
  cosignatures: number;
  seen_checkpoints: number;
  page_notes: number;
  page_receipts: number;
  key_statements: number;
  grant_texts: number;
  disclosures: number;
  page_places: number;
  page_refusals: number;
  page_retries: number;
  kept_notes: number;
  erasure_steps: number;
  erasure_acks: number;
  body_copies: number;
  relayed_acks: number;
  mutation_attempts: number;
  anchors: number;
  verified_receipts: number;
  lookup: number;
  quarantine: number;
}

export interface FsckReport {
  readonly ok: boolean;
  /** Of both logs; null: what is stored did not give one to its end. */
  readonly heads: Readonly<Record<LogName, CheckedTree | null>>;
  readonly checked: Readonly<FsckCounts>;
  /** In the order of the checks, at most {@link MAX_PROBLEMS}, of one table {@link MAX_OF_A_TABLE}. */
  readonly problems: readonly FsckProblem[];
  /** All of them, those beyond the list too. */
  readonly problemCount: number;
  readonly notices: readonly FsckNotice[];
  readonly seconds: number;
}

const MAX_PROBLEMS = 1_000;
/** Who drops every guard must not hide by that which row was changed behind them. */
const MAX_OF_A_TABLE = 200;

/** Collects what the checks find, in bounded memory. */
export class Findings {
  readonly problems: FsckProblem[] = [];
  readonly notices: FsckNotice[] = [];
  readonly heads: Record<LogName, CheckedTree | null> = { journal: null, audit: null };
  readonly checked: FsckCounts = {
    entries: 0,
    audit: 0,
    feeds: 0,
    tiles: 0,
    checkpoints: 0,
    pages: 0,
    page_entries: 0,
    evidence: 0,
    peer_checkpoints: 0,
    peer_feed_heads: 0,
    peer_declarations: 0,
    anchor_checkpoints: 0,
    anchor_receipts: 0,
    cosigned: 0,
    cosignatures: 0,
    seen_checkpoints: 0,
    page_notes: 0,
    page_receipts: 0,
    key_statements: 0,
    grant_texts: 0,
    disclosures: 0,
    page_places: 0,
    page_refusals: 0,
    page_retries: 0,
    kept_notes: 0,
    erasure_steps: 0,
    erasure_acks: 0,
    body_copies: 0,
    relayed_acks: 0,
    mutation_attempts: 0,
    anchors: 0,
    verified_receipts: 0,
    lookup: 0,
    quarantine: 0,
  };
  readonly #tables = new Map<string, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  problem(problem: FsckProblem): void {
    this.#count++;
    const before = this.#tables.get(problem.table) ?? 0;
    this.#tables.set(problem.table, before + 1);
    if (before < MAX_OF_A_TABLE && this.problems.length < MAX_PROBLEMS) this.problems.push(problem);
  }

  notice(code: string, detail: string): void {
    this.notices.push({ code, detail });
  }

  /** True if a table has a problem: what follows from it is not told again under another name. */
  isDamaged(...tables: readonly string[]): boolean {
    return tables.some((table) => this.#tables.has(table));
  }
}
