/** The tables of `journal.db`, as Kysely sees them. `schema.ts` and its parts hold their SQL. */
import type { CaseTables } from './tables-cases.ts';
import type { ErasureTables } from './tables-erasures.ts';
import type { LogTables } from './tables-logs.ts';
import type { OutsideTables } from './tables-outside.ts';
import type { PeerTables } from './tables-peers.ts';

export interface Tables extends LogTables, PeerTables, ErasureTables, OutsideTables, CaseTables {
  state: { name: string; value: number };
  mutation_attempts: { attempt_id: number; at: string; operation: string; target: string; row_key: string | null };
  lookup: { key: number; seq: number };
  /** Of FTS5, while fsck looks at the index: one row per word and entry. */
  recall_words: { term: string; doc: number };
  recall_index: { rowid: number; words: string };
  quarantine: { chain_seq: number; reason: string; status: string };
}

/** Tables whose rows carry locator sums: see locator.ts. */
export type SummedTable = {
  [T in keyof Tables]: Tables[T] extends { sum1: number; sum2: number } ? T : never;
}[keyof Tables];

/** The two logs of a node. The number is part of tile and checkpoint keys. */
export const LOGS = { journal: 1, audit: 2 } as const;
export type LogName = keyof typeof LOGS;
