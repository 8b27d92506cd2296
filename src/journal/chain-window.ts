/** Links of the hash chain, looked at in runs of bounded length: what a reader pays does not grow with the journal. */
import { chainHash, eventHashOfText } from '../core/chain.ts';
import { cidOfText } from '../core/cid.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { entryOf, hashText } from './entry-row.ts';
import { isErased } from './erased-row.ts';
import type { ChainBreak } from './read-model.ts';
import type { EntryRow } from './tables-logs.ts';

export class ChainWindow {
  readonly #range: Statement<[number, number], EntryRow>;

  constructor(db: Db) {
    const rows = sqlBuilder.selectFrom('entries').selectAll().orderBy('chain_seq');
    this.#range = prepare(db, rows.where('chain_seq', '>=', PARAM).where('chain_seq', '<=', PARAM));
  }

  /**
   * Checks that the links from `first` to `last` are there, hash to what they say, and join. Order of checks and names of
   * faults are the reference's.
   */
  check(first: number, last: number): ChainBreak | null {
    let expected = Math.max(1, first);
    let previous: string | null | undefined = expected === 1 ? null : undefined;
    for (const row of this.#range.iterate(expected, last)) {
      const reason = faultOf(row, expected, previous);
      if (reason !== null) return { reason, factId: row.fact_id, chainSeq: row.chain_seq };
      previous = entryOf(row).chain_hash;
      expected++;
    }
    return expected > last ? null : { reason: 'chain_seq_gap', factId: null, chainSeq: expected };
  }

  /** `sha256:…` of a link; null if it is not there. */
  hashAt(seq: number): string | null {
    const row = this.#range.get(seq, seq);
    return row === undefined ? null : hashText(row.chain_hash);
  }
}

/** @param previous hash of the link before; undefined: not known */
function faultOf(row: EntryRow, expected: number, previous: string | null | undefined): string | null {
  if (row.chain_seq !== expected) return 'chain_seq_gap';
  const entry = entryOf(row);
  if (previous !== undefined && entry.previous_hash !== previous) return 'previous_hash_mismatch';
  // The link itself cannot be computed without the body; that both neighbours name it is what is left.
  if (isErased(row)) return null;
  if (eventHashOfText(entry.confidence, entry) !== entry.event_hash) return 'event_hash_mismatch';
  // The event hash covers the CID, not the fact that the CID is of: with both changed, only this finds it.
  if (cidOfText(entry.confidence, entry) !== entry.cid) return 'cid_mismatch';
  return chainHash(entry) === entry.chain_hash ? null : 'chain_hash_mismatch';
}
