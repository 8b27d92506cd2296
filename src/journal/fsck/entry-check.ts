/** Rows to entries to CID, event hash, chain link, leaf, feed, tree: everything that an entry's columns have to give again. */
import { chainHash, eventHashOfText } from '../../core/chain.ts';
import { cidOfText } from '../../core/cid.ts';
import { type Entry, encodeEntry } from '../../core/entry.ts';
import { quarantineOf } from '../../verify/entry-rules.ts';
import { PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import { entryOf } from '../entry-row.ts';
import { hasBody, isErased } from '../erased-row.ts';
import { isInFeed, leafOf } from '../row-check.ts';
import type { SignedHead } from '../signed-heads.ts';
import { type Fault, type FsckContext, type StoredRow, walkTable } from './context.ts';
import { ErasedCheck } from './erasure-check.ts';
import { elsewhere, judgeLeaf, vouchedInstead } from './leaf-judge.ts';
import { LogTree } from './log-tree.ts';

interface Feed {
  readonly name: string;
  length: number;
}

/** What later checks need to know of the entries. */
export interface EntryTotals {
  readonly rows: number;
  readonly maxHlc: number;
  /** Facts received, by the peer that they were pulled from. */
  readonly received: ReadonlyMap<string, number>;
}

export function checkEntries(ctx: FsckContext, head: SignedHead | null): EntryTotals {
  using check = new EntryCheck(ctx, head);
  walkTable(ctx, 'entries', {
    judge: (row, seq, changed) => check.judge(row, seq, changed),
    missing: (first, last) => check.skip(first, last),
    after: (row, _, changed) => check.accept(row, changed),
  });
  check.finish();
  checkTwice(ctx);
  return check;
}

class EntryCheck implements EntryTotals {
  readonly #ctx: FsckContext;
  readonly #tree: LogTree;
  readonly #erased: ErasedCheck;
  readonly #feeds: ReadonlyMap<number, Feed>;
  readonly #quarantine: Statement<[number], string>;
  readonly received = new Map<string, number>();
  rows = 0;
  maxHlc = 0;
  #createdUs = 0;
  /** Chain hash that the next row has to name: as stored, or as its columns give it. Undefined: not known. */
  #heads: readonly (string | null)[] | undefined = [null];
  #isAfterGap = false;
  #leaf: Uint8Array = new Uint8Array(32);

  constructor(ctx: FsckContext, head: SignedHead | null) {
    this.#ctx = ctx;
    this.#feeds = checkFeeds(ctx);
    this.#erased = new ErasedCheck(ctx.db);
    this.#tree = new LogTree(ctx, 'journal', head);
    this.#quarantine = prepare<[number]>(
      ctx.db,
      sqlBuilder.selectFrom('quarantine').select('reason').where('chain_seq', '=', PARAM),
    ).pluck() as Statement<[number], string>;
  }

  /** The first check that fails, in the order of the Stigmem reference where it has the same check. */
  judge(row: StoredRow<'entries'>, seq: number, changed: string | undefined): Fault | undefined {
    if (isErased(row)) return this.#judgeErased(row, seq, changed);
    const entry = entryOf(row);
    const text = encodeEntry(entry);
    const chain = chainHash(entry);
    const computed = leafOf(row, text);
    const leaf = judgeLeaf(this.#tree, { seq, stored: row.leaf_hash, computed, changed, made: 'salt and columns' });
    this.#leaf = leaf.leaf;
    // All of them run, whatever the first one says: each keeps what the next row is compared with.
    const faults = [
      this.#judgeLink(entry),
      judgeHashes(entry, chain),
      leaf.fault,
      this.#judgeFeed(row, entry, changed),
      this.#judgeRest(row, entry),
    ];
    this.#heads = [entry.chain_hash, chain];
    return faults.find((fault) => fault !== undefined);
  }

  /** Its hashes cannot be computed: what is left has to be what an erasure leaves, and to stand where it stood. */
  #judgeErased(row: StoredRow<'entries'>, seq: number, changed: string | undefined): Fault | undefined {
    const entry = entryOf(row);
    const feed = this.#feeds.get(row.feed_id);
    const expected = (feed?.length ?? 0) + 1;
    if (feed !== undefined) feed.length = changed === 'feed_seq' ? expected : row.feed_seq;
    const vouched = vouchedInstead(this.#tree, seq, row.leaf_hash);
    this.#leaf = vouched ?? row.leaf_hash;
    const faults = [
      this.#judgeLink(entry),
      this.#erased.judge(row),
      vouched === undefined ? undefined : elsewhere(vouched),
      row.feed_seq === expected || this.#isAfterGap || feed === undefined
        ? undefined
        : {
            code: 'feed_seq_gap',
            field: 'feed_seq',
            detail: `${row.feed_seq} where ${feed.name} stands at ${expected}`,
          },
    ];
    this.#heads = [entry.chain_hash];
    return faults.find((fault) => fault !== undefined);
  }

  skip(first: number, last: number): void {
    this.#tree.skip(first, last);
    this.#heads = undefined;
    this.#isAfterGap = true;
    this.rows = last;
  }

  accept(row: StoredRow<'entries'>, changed: string | undefined): void {
    if (changed === 'chain_seq') return; // it stands elsewhere: its place is found empty
    this.#tree.add(this.#leaf);
    this.rows++;
    if (changed !== 'hlc' && row.hlc > this.maxHlc) this.maxHlc = row.hlc;
    if (changed !== 'created_us') this.#createdUs = row.created_us;
    if (row.received_from !== null) {
      this.received.set(row.received_from, (this.received.get(row.received_from) ?? 0) + 1);
    }
  }

  [Symbol.dispose](): void {
    this.#tree.close();
  }

  finish(): void {
    this.#tree.finish(this.rows);
    for (const [id, { name, length }] of this.#feeds) {
      if (length > 0 || this.#ctx.findings.isDamaged('entries', 'feeds')) continue;
      const detail = `feed ${name} has no entry: it is made with its first one`;
      this.#ctx.findings.problem({ table: 'feeds', row: id, field: 'feed_id', code: 'feed_empty', detail });
    }
  }

  #judgeLink({ previous_hash }: Entry): Fault | undefined {
    if (this.#heads === undefined || this.#heads.includes(previous_hash)) return undefined;
    const detail = `${previous_hash} where the entry before has ${this.#heads[0]}`;
    return { code: 'previous_hash_mismatch', field: 'previous_hash', detail };
  }

  #judgeFeed(row: StoredRow<'entries'>, entry: Entry, changed: string | undefined): Fault | undefined {
    // The length goes on whatever is wrong with the row: it stood in its feed when it was written.
    const feed = changed === 'feed_id' ? this.#feedNamed(entry) : this.#feeds.get(row.feed_id);
    const expected = (feed?.length ?? 0) + 1;
    if (feed !== undefined) feed.length = changed === 'feed_seq' ? expected : row.feed_seq;
    if (!isInFeed(entry, this.#feeds.get(row.feed_id)?.name) && !this.#ctx.findings.isDamaged('feeds')) {
      const detail = `the entry does not belong to feed ${row.feed_id} (${feed?.name ?? 'which is not there'})`;
      return { code: 'feed_mismatch', field: 'feed_id', detail };
    }
    if (row.feed_seq === expected || this.#isAfterGap || feed === undefined) return undefined;
    return {
      code: 'feed_seq_gap',
      field: 'feed_seq',
      detail: `${row.feed_seq} where ${feed.name} stands at ${expected}`,
    };
  }

  #feedNamed(entry: Entry): Feed | undefined {
    return [...this.#feeds.values()].find(({ name }) => isInFeed(entry, name));
  }

  #judgeRest(row: StoredRow<'entries'>, entry: Entry): Fault | undefined {
    if (row.created_us < this.#createdUs) {
      return { code: 'time_backwards', field: 'created_us', detail: 'before the entry before it' };
    }
    const isRelayed = entry.received_from !== null && entry.received_from !== entry.origin?.node_id;
    if ((entry.received_from === null) !== (entry.origin === null) || (isRelayed && !mayBeRelayed(entry))) {
      return { code: 'origin_mismatch', field: 'received_from', detail: 'is not the node of the origin' };
    }
    if (entry.origin !== null) this.#checkQuarantine(row.chain_seq, entry);
    return undefined;
  }

  #checkQuarantine(seq: number, entry: Entry): void {
    const reason = quarantineOf(entry);
    if (reason === null || this.#quarantine.get(seq) !== undefined) return;
    const detail = `the entry was received with ${reason} and is not quarantined: readers see it`;
    this.#ctx.findings.problem({ table: 'quarantine', row: seq, field: 'chain_seq', code: 'row_missing', detail });
  }
}

/** Whoever else has brought it, it was public and in no garden. */
function mayBeRelayed({ scope, garden_id }: Entry): boolean {
  return scope === 'public' && garden_id === null;
}

function judgeHashes(entry: Entry, chain: string): Fault | undefined {
  const cid = cidOfText(entry.confidence, entry);
  if (cid !== entry.cid) return { code: 'cid_mismatch', field: 'cid', detail: `the columns give ${cid}` };
  const event = eventHashOfText(entry.confidence, entry);
  if (event !== entry.event_hash) {
    return { code: 'event_hash_mismatch', field: 'event_hash', detail: `the columns give ${event}` };
  }
  if (chain === entry.chain_hash) return undefined;
  return { code: 'chain_hash_mismatch', field: 'chain_hash', detail: `the columns give ${chain}` };
}

function checkFeeds(ctx: FsckContext): ReadonlyMap<number, Feed> {
  const feeds = new Map<number, Feed>();
  const names = new Set<string>();
  walkTable(ctx, 'feeds', {
    judge: ({ feed_id, name }) => {
      const isTwice = names.has(name);
      names.add(name);
      feeds.set(feed_id, { name, length: 0 });
      return isTwice ? { code: 'feed_twice', field: 'name', detail: `${name} has another number already` } : undefined;
    },
  });
  return feeds;
}

/** No fact stands in the journal twice. What was erased has no id any more, and a peer may call a fact as it calls those rows. */
function checkTwice(ctx: FsckContext): void {
  const query = sqlBuilder
    .selectFrom('entries')
    .select(['fact_id', 'chain_seq'])
    .where(hasBody)
    .orderBy('fact_id')
    .orderBy('chain_seq');
  // The index gives equal ids one after the other.
  const rows = prepare<[], { fact_id: string; chain_seq: number }>(ctx.db, query).iterate();
  let before: { fact_id: string; chain_seq: number } | undefined;
  for (const row of rows) {
    if (before?.fact_id === row.fact_id) {
      const detail = `entry ${before.chain_seq} has the same fact id`;
      ctx.findings.problem({ table: 'entries', row: row.chain_seq, field: 'fact_id', code: 'fact_twice', detail });
    }
    before = row;
  }
}
