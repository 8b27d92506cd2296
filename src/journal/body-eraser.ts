/** Takes bodies out of the file: the row, and the page that it came in. What is left still gives every hash that was signed. */
import { sql } from 'kysely';
import { decodeEntry, type Entry } from '../core/entry.ts';
import { authorityOf } from '../core/node-id.ts';
import { factDigest, TOMBSTONE, type Tombstone } from '../core/tombstone.ts';
import { HASH_BYTES, sameHash } from '../merkle/hash.ts';
import { storedLeaves } from '../verify/page-leaves.ts';
import { isBlank, isErasedEntry } from '../wire/erased-entry.ts';
import { type DecodedPage, decodePage, encodeEntries, type PageFrames } from '../wire/page.ts';
import { KEY_SUCCESSION } from '../wire/succession.ts';
import { type BodyPlace, BodyPlaces } from './body-places.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { hashText } from './entry-row.ts';
import { erasedRow, isErased } from './erased-row.ts';
import type { Erasure } from './erasure-records.ts';
import { JournalError } from './errors.ts';
import { locatorSums } from './locator.ts';
import type { EntryRow } from './tables-logs.ts';

/** What of ours a tombstone of a peer is about. `kept`: the fact was refused, and stands as evidence. */
export type Named =
  | { readonly kind: 'held'; readonly targetSeq: number; readonly pageId: number | null }
  | { readonly kind: 'absent' | 'kept' }
  | { readonly kind: 'contradicts'; readonly detail: string };

/** The row that stands at a place of its origin's log. */
export type ByOrigin = (author: string, chainSeq: number) => EntryRow | undefined;

const SPACE = 0x20;
/** Pages of relays with refused entries that are looked at for one tombstone. */
const MAX_REFUSED_PAGES = 16;

export class BodyEraser {
  readonly places: BodyPlaces;
  readonly #db: Db;
  readonly #row: Statement<[number], EntryRow>;
  readonly #byId: Statement<[string], EntryRow>;
  readonly #received: Statement<[], { chain_seq: number; origin_node_id: string; origin_chain_seq: number }>;
  readonly #relayed: Statement<[string, number], EntryRow>;
  readonly #refusedIn: Statement<[string, number], number>;
  readonly #savePage: Statement<[Uint8Array, number, number, number]>;

  constructor(db: Db) {
    this.#db = db;
    this.places = new BodyPlaces(db);
    const entries = sqlBuilder.selectFrom('entries').selectAll();
    this.#row = prepare(db, entries.where('chain_seq', '=', PARAM));
    this.#byId = prepare(db, entries.where('fact_id', '=', PARAM));
    const ofOrigin = entries.where('origin_node_id', '=', PARAM).where('origin_chain_seq', '=', PARAM).limit(ONE);
    const received = sqlBuilder.selectFrom('entries').select(['chain_seq', 'origin_node_id', 'origin_chain_seq']);
    this.#received = prepare(db, received.where('origin_node_id', 'is not', null));
    this.#relayed = prepare(db, ofOrigin.where(sql<boolean>`received_from <> origin_node_id`));
    const refused = sqlBuilder.selectFrom('page_refusals').select('page_id').where('feed', '=', PARAM);
    this.#refusedIn = prepare<[string, number]>(
      db,
      refused.orderBy('page_id', 'desc').limit(PARAM),
    ).pluck() as Statement<[string, number], number>;
    const save = sqlBuilder.updateTable('pages').set({ entries: PARAM, sum1: PARAM, sum2: PARAM });
    this.#savePage = prepare(db, save.where('page_id', '=', PARAM));
  }

  row(seq: number): EntryRow | undefined {
    return this.#row.get(seq);
  }

  byFactId(id: string): EntryRow | undefined {
    return this.#byId.get(id);
  }

  /**
   * What a tombstone is about, whichever way the fact came: from its author, as the page says that it came in, or by a relay.
   *
   * @param byOrigin where the author's page is missing, as a restore leaves it for a while, the whole journal is looked through: see
   *   {@link byOrigins}. Null: not for this one; nothing that a relay sends leads there
   */
  named(author: string, feed: string, said: Tombstone, byOrigin: ByOrigin | null): Named {
    const direct = this.#fromAuthor(author, feed, said, byOrigin);
    if (direct.kind === 'held' || direct.kind === 'contradicts') return direct;
    const row = this.#relayed.get(author, said.leaf_index + 1);
    if (row !== undefined && !isErased(row)) return namedRow(row, said);
    return direct.kind === 'absent' && this.keptFromRelays(author, feed)(said) ? { kind: 'kept' } : direct;
  }

  /** No index leads there. One walk through the journal, when the first is asked for, however many are wanted. */
  byOrigins(wanted: readonly { readonly author: string; readonly chainSeq: number }[]): ByOrigin {
    let found: ReadonlyMap<string, number> | undefined;
    return (author, chainSeq) => {
      found ??= this.#walk(new Set(wanted.map((one) => placeKey(one.author, one.chainSeq))));
      const seq = found.get(placeKey(author, chainSeq));
      return seq === undefined ? undefined : this.#row.get(seq);
    };
  }

  #walk(wanted: ReadonlySet<string>): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    for (const { chain_seq, origin_node_id, origin_chain_seq } of this.#received.iterate()) {
      const key = placeKey(origin_node_id, origin_chain_seq);
      if (wanted.has(key) && !found.has(key)) found.set(key, chain_seq);
    }
    return found;
  }

  #fromAuthor(author: string, feed: string, said: Tombstone, byOrigin: ByOrigin | null): Named {
    const page = this.places.pageOf(author, feed, said.feed_seq);
    if (page !== undefined) {
      const decoded = decodePage(page);
      const place = said.feed_seq - 1 - page.after_seq;
      if (!decoded.ok) return contradicts('the page that the entry came in cannot be read');
      return this.#inPage(author, said, decoded.value, place, page.page_id);
    }
    const row = byOrigin?.(author, said.leaf_index + 1);
    return row === undefined || isErased(row) ? { kind: 'absent' } : namedRow(row, said);
  }

  /** A relayed fact that was refused stands in the page as evidence. Where too much was refused to look, it is taken to be there. */
  keptFromRelays(author: string, feed: string): (said: Tombstone) => boolean {
    const given = `from/${authorityOf(author) ?? ''}/${feed}`;
    const pageIds = this.#refusedIn.all(given, MAX_REFUSED_PAGES + 1);
    if (pageIds.length > MAX_REFUSED_PAGES) return () => true;
    const origins = pageIds.flatMap((id) => {
      const page = this.places.page(id);
      const decoded = page === undefined ? undefined : decodePage(page);
      return decoded?.ok === true ? decoded.value.entries.map((bytes) => originIn(bytes)) : [];
    });
    const leaves = new Set(origins.flatMap((origin) => (origin?.node_id === author ? [origin.leaf_hash] : [])));
    return ({ leaf_hash }) => leaves.has(Buffer.from(leaf_hash.slice(7), 'hex').toString('base64'));
  }

  #inPage(peer: string, said: Tombstone, page: DecodedPage, place: number, pageId: number): Named {
    const bytes = page.entries[place] ?? new Uint8Array(0);
    const leaf = leafAt(page, place);
    if (page.header.indexes[place] !== said.leaf_index)
      return contradicts(`feed position ${said.feed_seq} is another leaf`);
    if (hashText(leaf) !== said.leaf_hash) return contradicts('the leaf that was received has another hash');
    if (isErasedEntry(bytes) || isBlank(bytes)) return { kind: 'absent' };
    const entry = decodeEntry(bytes);
    if (!entry.ok) return { kind: 'kept' };
    if (hashText(factDigest(entry.value.fact_id)) !== said.fact) return contradicts('the entry has another fact id');
    if (isOfNode(entry.value.relation)) return contradicts('it is about an entry that no tombstone can name');
    const row = this.#byId.get(entry.value.fact_id);
    const isFromHere =
      row?.origin_node_id === peer &&
      row.origin_chain_seq === said.leaf_index + 1 &&
      sameHash(row.origin_leaf_hash ?? NO_HASH, leaf);
    return isFromHere ? { kind: 'held', targetSeq: row.chain_seq, pageId } : { kind: 'kept' };
  }

  /**
   * Erases a body. The caller holds the transaction and has written the step `erased`, without which the guards refuse this.
   *
   * @param forget drops what is derived from the row
   */
  erase(
    { node_id, feed, feed_seq, target_seq, tombstone_seq, page_id }: Erasure,
    forget: (row: EntryRow) => void,
  ): void {
    const row = target_seq === null ? undefined : this.#row.get(target_seq);
    if (row === undefined) throw new JournalError('broken', `entry ${target_seq} is to be erased and is not there`);
    if (isErased(row)) return;
    const places = this.places.of(row, { nodeId: node_id, feed, feedSeq: feed_seq });
    if (page_id !== null && !places.some(({ pageId }) => pageId === page_id))
      throw new JournalError('broken', `page ${page_id} holds an entry that is to be erased and cannot be read`);
    forget(row);
    this.#save(erasedRow(row));
    for (const one of places) {
      // The step itself speaks of the page of the author.
      if (one.pageId !== page_id) this.places.save(one, row.chain_seq, tombstone_seq);
      this.#blank(one);
    }
  }

  /** @returns whether no bytes of what was erased are left beside the table: false while somebody still reads the old ones */
  truncateLog(): boolean {
    const [result] = this.#db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
    return result?.busy === 0;
  }

  #save(row: EntryRow): void {
    const { chain_seq, ...cells } = row;
    const names = Object.keys(cells) as (keyof typeof cells)[];
    const set = Object.fromEntries(names.map((name) => [name, PARAM]));
    const update = sqlBuilder
      .updateTable('entries')
      .set(set as never)
      .where('chain_seq', '=', PARAM);
    prepare<unknown[]>(this.#db, update).run([...names.map((name) => cells[name]), chain_seq]);
  }

  #blank({ pageId, place }: BodyPlace): void {
    const page = this.places.page(pageId);
    const entries = page === undefined ? null : blankedEntries(page, new Set([place]));
    if (page === undefined || entries === null)
      throw new JournalError('broken', `page ${pageId} holds an entry that is to be erased and cannot be read`);
    const { sum1, sum2 } = locatorSums('pages', { ...page, entries });
    this.#savePage.run(entries, sum1, sum2, pageId);
  }
}

/** The frame of entries with blanks at some places: of each its leaf hash is left, and how long it was. Null: it cannot be read. */
export function blankedEntries(frames: PageFrames, places: ReadonlySet<number>): Uint8Array | null {
  const decoded = decodePage(frames);
  if (!decoded.ok) return null;
  const { entries, header, salts } = decoded.value;
  const lines = entries.map((bytes, i) =>
    places.has(i) && !isBlank(bytes)
      ? { salt: leafAt(decoded.value, i), bytes: Buffer.alloc(bytes.length, SPACE) }
      : { salt: salts[i] ?? NO_HASH, bytes },
  );
  return encodeEntries(lines, header.encoding);
}

const NO_HASH = new Uint8Array(0);

function leafAt(page: DecodedPage, place: number): Uint8Array {
  return storedLeaves(page).subarray(place * HASH_BYTES, (place + 1) * HASH_BYTES);
}

/** What a node says of itself stays: keys are followed by it, and a tombstone is final. */
export function isOfNode(relation: string): boolean {
  return relation === TOMBSTONE || relation === KEY_SUCCESSION;
}

/** @param row that stands where the tombstone says */
function namedRow(row: EntryRow, said: Tombstone): Named {
  if (hashText(row.origin_leaf_hash ?? NO_HASH) !== said.leaf_hash || hashText(factDigest(row.fact_id)) !== said.fact)
    return contradicts('the entry that is held is another one');
  if (isOfNode(row.relation)) return contradicts('it is about an entry that no tombstone can name');
  return { kind: 'held', targetSeq: row.chain_seq, pageId: null };
}

function originIn(bytes: Uint8Array): Entry['origin'] {
  const entry = bytes.length === 0 ? undefined : decodeEntry(bytes);
  return entry?.ok === true ? entry.value.origin : null;
}

function placeKey(author: string, chainSeq: number): string {
  return `${author} ${chainSeq}`;
}

function contradicts(detail: string): Named {
  return { kind: 'contradicts', detail };
}
