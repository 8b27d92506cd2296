/**
 * Where facts with a look-up key stand: by the table, and by the rows that the projector has not come to. What was received
 * a moment ago is there for a query, and what was made of a hidden fact is hidden from its first moment on.
 */
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from '../journal/database.ts';
import { hasBody } from '../journal/erased-row.ts';
import { type LookupFields, LookupKeys } from '../journal/lookup-key.ts';
import { Marks } from '../journal/marks.ts';
import type { EntryRow } from '../journal/tables-logs.ts';
import { POSITION } from './projector.ts';

/** More than the table is ever behind beside a running writer. Behind one that is filled anew, the newest are not found until it is. */
const MAX_TAIL = 64_000;

type BeforeKey = Statement<[number, number, number], number>;
type FromStart = Statement<[number, number], number>;
type HashAt = Statement<[number], Uint8Array>;
type TailRow = LookupFields & Pick<EntryRow, 'chain_seq' | 'chain_hash'>;

interface Recent {
  readonly seq: number;
  readonly chainHash: Uint8Array;
  readonly keys: ReadonlySet<number>;
}

export class Lookups {
  readonly #marks: Marks;
  readonly #newest: BeforeKey;
  readonly #oldest: FromStart;
  readonly #rowsBehind: Statement<[number, number], TailRow>;
  readonly #chainHashAt: HashAt;
  readonly #keys = new LookupKeys();
  /** Up to where the table knew the journal when it was last asked. */
  #mark = 0;
  /** What it did not know, in the order of the journal. */
  #recent: readonly Recent[] = [];
  readonly #recentByKey = new Map<number, number[]>();

  constructor(db: Db) {
    this.#marks = new Marks(db);
    const byKey = sqlBuilder.selectFrom('lookup').select('seq').where('key', '=', PARAM);
    const newest = byKey.where('seq', '<', PARAM).orderBy('seq', 'desc').limit(PARAM);
    this.#newest = prepare<[number, number, number]>(db, newest).pluck() as BeforeKey;
    const oldest = byKey.orderBy('seq').limit(PARAM);
    this.#oldest = prepare<[number, number]>(db, oldest).pluck() as FromStart;
    const entries = sqlBuilder.selectFrom('entries');
    const columns = ['chain_seq', 'chain_hash', 'entity', 'relation', 'scope', 'source', 'cid'] as const;
    const behind = entries.select(columns).where('chain_seq', '>', PARAM).where(hasBody).orderBy('chain_seq');
    this.#rowsBehind = prepare(db, behind.limit(PARAM));
    const chainHash = entries.select('chain_hash').where('chain_seq', '=', PARAM);
    this.#chainHashAt = prepare<[number]>(db, chainHash).pluck() as HashAt;
  }

  /** Positions below `before` with that key, from the newest downwards. Two texts may have one key: the row decides. */
  newest(key: number, before: number, limit: number): number[] {
    this.#follow();
    const recent = (this.#recentByKey.get(key) ?? []).filter((seq) => seq < before).reverse();
    if (recent.length >= limit) return recent.slice(0, limit);
    return [...recent, ...this.#newest.all(key, before, limit - recent.length)];
  }

  /** The same from the oldest upwards. */
  oldest(key: number, limit: number): number[] {
    this.#follow();
    return [...this.#oldest.all(key, limit), ...(this.#recentByKey.get(key) ?? [])].slice(0, limit);
  }

  #follow(): void {
    const mark = this.#marks.get(POSITION) ?? 0;
    const last = this.#recent.at(-1);
    // A commit that was undone, or a table that is filled anew, takes back what was read.
    const isOther = last !== undefined && !this.#isThere(last);
    if (mark < this.#mark || isOther) this.#keep([]);
    else if (mark > this.#mark) this.#keep(this.#recent.filter(({ seq }) => seq > mark));
    this.#mark = mark;
    const from = this.#recent.at(-1)?.seq ?? mark;
    const rows = this.#rowsBehind.all(from, MAX_TAIL - this.#recent.length);
    if (rows.length > 0) this.#recent = [...this.#recent, ...rows.map((row) => this.#add(row))];
  }

  #isThere({ seq, chainHash }: Recent): boolean {
    const stored = this.#chainHashAt.get(seq);
    return stored !== undefined && Buffer.compare(stored, chainHash) === 0;
  }

  #add(row: TailRow): Recent {
    const recent = { seq: row.chain_seq, chainHash: row.chain_hash, keys: new Set(this.#keys.of(row)) };
    this.#file(recent);
    return recent;
  }

  #file({ seq, keys }: Recent): void {
    for (const key of keys) {
      const seqs = this.#recentByKey.get(key);
      if (seqs === undefined) this.#recentByKey.set(key, [seq]);
      else seqs.push(seq);
    }
  }

  #keep(recent: readonly Recent[]): void {
    this.#recentByKey.clear();
    for (const one of recent) this.#file(one);
    this.#recent = recent;
  }
}
