/**
 * Fills the look-up table behind the journal, in order. It may be dropped at any time: `rebuild` starts it again from the
 * first entry. Its lag is bounded by whoever calls `advance`, and visible.
 */
import { type Db, lastKey, PARAM, prepare, type Statement, sqlBuilder, unsynced } from '../journal/database.ts';
import { hasBody } from '../journal/erased-row.ts';
import { type LookupFields, LookupKeys } from '../journal/lookup-key.ts';
import { Marks } from '../journal/marks.ts';
import type { EntryRow } from '../journal/tables-logs.ts';

/** Entries of one step. Sorting this many keys before they are inserted turns random writes into nearly ordered ones. */
const STEP_ENTRIES = 4_000;
/** Name of the mark up to which look-ups know the journal. */
export const POSITION = 'projected';

type Projected = LookupFields & Pick<EntryRow, 'chain_seq'>;

export class Projector {
  readonly #db: Db;
  readonly #next: Statement<[number, number], Projected>;
  readonly #insert: Statement<unknown[]>;
  readonly #remove: Statement<[number, number]>;
  readonly #marks: Marks;
  readonly #keys = new LookupKeys();
  #position: number;

  constructor(db: Db) {
    this.#db = db;
    this.#next = prepare(
      db,
      sqlBuilder
        .selectFrom('entries')
        .select(['chain_seq', 'entity', 'relation', 'scope', 'source', 'cid'])
        .where('chain_seq', '>', PARAM)
        .where(hasBody)
        .orderBy('chain_seq')
        .limit(PARAM),
    );
    this.#insert = prepare(
      db,
      sqlBuilder
        .insertInto('lookup')
        .values({ key: PARAM, seq: PARAM })
        .onConflict((row) => row.doNothing()),
    );
    const pair = sqlBuilder.deleteFrom('lookup').where('key', '=', PARAM).where('seq', '=', PARAM);
    this.#remove = prepare(db, pair);
    this.#marks = new Marks(db);
    this.#position = storedPosition(db);
  }

  /** `chain_seq` of the last entry that look-ups know. */
  get position(): number {
    return this.#position;
  }

  lag(journalSize: number): number {
    return journalSize - this.#position;
  }

  /** Takes in up to one step of entries, in a transaction of its own. @returns how many it took */
  advance(): number {
    const rows = this.#next.all(this.#position, STEP_ENTRIES);
    const last = rows.at(-1)?.chain_seq;
    if (last === undefined) return 0;
    const pairs = rows.flatMap((row) => this.#keys.of(row).map((key) => [key, row.chain_seq] as const));
    // Two of a fact's keys may be equal: 48 bits collide after 2^24 tries, which a peer can afford. One row serves both.
    pairs.sort(([a, seqA], [b, seqB]) => a - b || seqA - seqB);
    unsynced(this.#db, () => {
      for (const [key, seq] of pairs) this.#insert.run(key, seq);
      this.#marks.put(POSITION, last);
    });
    this.#position = last;
    return rows.length;
  }

  /** Drops what is known of an entry whose body is erased. The caller holds the transaction. */
  forget(row: Projected): void {
    for (const key of this.#keys.of(row)) this.#remove.run(key, row.chain_seq);
  }

  /** Empties the look-up table; `advance` fills it again. */
  rebuild(): void {
    this.#db.transaction(() => {
      this.#db.exec(sqlBuilder.deleteFrom('lookup').compile().sql);
      this.#marks.put(POSITION, 0);
    })();
    this.#position = 0;
  }
}

function storedPosition(db: Db): number {
  const stored = new Marks(db).get(POSITION) ?? 0;
  // A position beyond the journal can only be a leftover of another file: start again.
  return stored > lastKey(db, 'entries', 'chain_seq') ? 0 : stored;
}
