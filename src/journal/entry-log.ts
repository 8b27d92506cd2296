/**
 * Appends facts: chain link, feed position, entry, leaf, tree. One instance, one writer; the caller holds the transaction.
 */
import { randomFillSync } from 'node:crypto';
import { type Draft, placeDraft } from '../core/draft.ts';
import { type Entry, encodeEntry } from '../core/entry.ts';
import { feedNameOf } from '../core/feed-name.ts';
import { isoMicros } from '../core/time.ts';
import { entryLeafHashInto, SALT_BYTES } from '../merkle/commitment.ts';
import { HASH_BYTES } from '../merkle/hash.ts';
import { TreeBuilder, type TreeSnapshot } from '../merkle/tree-builder.ts';
import type { TailFrom, VerifiedTail } from '../verify/own-tail.ts';
import { type Db, PARAM, prepare, prepareInsert, prepareSummedInsert, type Statement, sqlBuilder } from './database.ts';
import { ENTRY_COLUMNS, entryCells, hashText } from './entry-row.ts';
import { JournalError } from './errors.ts';
import type { Summed } from './locator.ts';
import { StoredTiles, TileWriter } from './stored-tiles.ts';
import type { EntryRow } from './tables-logs.ts';

interface Feed {
  readonly id: number;
  length: number;
}

interface Saved {
  readonly head: string | null;
  readonly lastCreatedUs: number;
  readonly tree: TreeSnapshot;
  readonly lengths: readonly (readonly [string, number])[];
}

export class EntryLog {
  readonly #tiles: TileWriter;
  readonly #insert: Statement<unknown[]>;
  readonly #insertFeed: (row: Summed<'feeds'>) => void;
  readonly #tree: TreeBuilder;
  #head: string | null;
  #lastCreatedUs: number;
  readonly #feeds: Map<string, Feed>;

  constructor(db: Db) {
    this.#tiles = new TileWriter(db, 'journal');
    this.#insert = prepareInsert(db, 'entries', ENTRY_COLUMNS);
    this.#insertFeed = prepareSummedInsert(db, 'feeds');
    const last = lastRow(db);
    this.#tree = TreeBuilder.open(last?.chain_seq ?? 0, new StoredTiles(db, 'journal'));
    this.#tiles.restore(this.#tree.partialTiles());
    this.#head = last === undefined ? null : hashText(last.chain_hash);
    this.#lastCreatedUs = last?.created_us ?? 0;
    this.#feeds = loadFeeds(db);
  }

  get size(): number {
    return this.#tree.size;
  }

  /** Chain hash of the last entry; null when there is none. */
  get head(): string | null {
    return this.#head;
  }

  root(): Buffer {
    return this.#tree.root();
  }

  feeds(): { readonly feed: string; readonly length: number }[] {
    return [...this.#feeds].map(([feed, { length }]) => ({ feed, length }));
  }

  /** State to go back to if the transaction does not commit. Some 60 KiB: once a transaction, not once a fact. */
  save(): Saved {
    return {
      head: this.#head,
      lastCreatedUs: this.#lastCreatedUs,
      tree: this.#tree.snapshot(),
      lengths: [...this.#feeds].map(([name, { length }]) => [name, length] as const),
    };
  }

  restore(saved: Saved): void {
    this.#tree.restore(saved.tree);
    this.#head = saved.head;
    this.#lastCreatedUs = saved.lastCreatedUs;
    const lengths = new Map(saved.lengths);
    for (const [name, feed] of this.#feeds) {
      const length = lengths.get(name);
      if (length === undefined) this.#feeds.delete(name);
      else feed.length = length;
    }
  }

  /** Appends in order. Returns the entries as they now stand in the log. */
  append(drafts: readonly Draft[], nowUs: number): Entry[] {
    // Time never runs backwards in the log, whatever the clock does.
    const createdUs = Math.max(nowUs, this.#lastCreatedUs);
    const createdAt = isoMicros(createdUs);
    const salts = randomFillSync(Buffer.allocUnsafe(drafts.length * SALT_BYTES));
    const leaves = Buffer.allocUnsafe(drafts.length * HASH_BYTES);
    const entries = drafts.map((draft, i) => {
      const feed = this.#feedOf(draft);
      const entry = this.#place(draft, feed, this.size + i + 1, createdAt);
      const salt = salts.subarray(i * SALT_BYTES, (i + 1) * SALT_BYTES);
      entryLeafHashInto(salt, encodeEntry(entry), leaves, i * HASH_BYTES);
      const leafHash = leaves.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
      this.#insert.run(entryCells(entry, { feedId: feed.id, createdUs, salt, leafHash }));
      return entry;
    });
    this.#lastCreatedUs = createdUs;
    this.#tiles.write(this.#tree.append(leaves), () => this.#tree.partialTiles());
    return entries;
  }

  /** What a tail has to follow, for its check. */
  tailFrom(): TailFrom {
    const lengths = new Map([...this.#feeds].map(([feed, { length }]) => [feed, length]));
    return { tree: this.#tree.snapshot(), size: this.size, head: this.#head, lengths };
  }

  /** Puts back entries of this very log, as they were: salt, times, links and places are theirs, nothing is drawn anew. */
  putBack(tail: VerifiedTail): void {
    for (const { entry, salt, leafHash, createdUs } of tail.entries) {
      const feed = this.#feedOf(entry);
      feed.length++;
      this.#insert.run(entryCells(entry, { feedId: feed.id, createdUs, salt, leafHash }));
      this.#head = entry.chain_hash;
      this.#lastCreatedUs = Math.max(this.#lastCreatedUs, createdUs);
    }
    const leaves = Buffer.concat(tail.entries.map(({ leafHash }) => leafHash));
    this.#tiles.write(this.#tree.append(leaves), () => this.#tree.partialTiles());
  }

  #place(draft: Draft, feed: Feed, chainSeq: number, createdAt: string): Entry {
    feed.length++;
    const entry = placeDraft(draft, { chainSeq, feedSeq: feed.length, createdAt, previousHash: this.#head });
    this.#head = entry.chain_hash;
    return entry;
  }

  #feedOf(draft: Draft): Feed {
    const name = feedName(draft);
    const known = this.#feeds.get(name);
    if (known !== undefined) return known;
    const feed = { id: this.#feeds.size + 1, length: 0 };
    this.#insertFeed({ feed_id: feed.id, name });
    this.#feeds.set(name, feed);
    return feed;
  }
}

function feedName(draft: Draft): string {
  const feed = feedNameOf(draft);
  if (!feed.ok) throw new JournalError('broken', `an unverified fact reached the journal: ${feed.error}`);
  return feed.value;
}

type LastRow = Pick<EntryRow, 'chain_seq' | 'chain_hash' | 'created_us'>;

function lastRow(db: Db): LastRow | undefined {
  const newest = sqlBuilder.selectFrom('entries').select((q) => q.fn.max('chain_seq').as('seq'));
  const query = sqlBuilder
    .selectFrom('entries')
    .select(['chain_seq', 'chain_hash', 'created_us'])
    .where('chain_seq', '=', newest);
  return prepare<[], LastRow>(db, query).get();
}

function loadFeeds(db: Db): Map<string, Feed> {
  const names = db.prepare<[], { feed_id: number; name: string }>(
    sqlBuilder.selectFrom('feeds').select(['feed_id', 'name']).orderBy('feed_id').compile().sql,
  );
  // One index step a feed; GROUP BY would walk the whole index.
  const length = prepare<[number], number>(
    db,
    sqlBuilder
      .selectFrom('entries')
      .select((q) => q.fn.max('feed_seq').as('length'))
      .where('feed_id', '=', PARAM),
  ).pluck();
  return new Map(
    names.all().map(({ feed_id, name }) => [name, { id: feed_id, length: Number(length.get(feed_id) ?? 0) }]),
  );
}
