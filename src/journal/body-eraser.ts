/** Takes bodies out of the file: the row, and the page that it came in. What is left still gives every hash that was signed. */
import { decodeEntry } from '../core/entry.ts';
import { factDigest, TOMBSTONE, type Tombstone } from '../core/tombstone.ts';
import { HASH_BYTES, sameHash } from '../merkle/hash.ts';
import { storedLeaves } from '../verify/page-leaves.ts';
import { isBlank, isErasedEntry } from '../wire/erased-entry.ts';
import { type DecodedPage, decodePage, encodeEntries } from '../wire/page.ts';
import { KEY_SUCCESSION } from '../wire/succession.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { hashText } from './entry-row.ts';
import { erasedRow, isErased } from './erased-row.ts';
import type { Erasure } from './erasure-records.ts';
import { JournalError } from './errors.ts';
import { locatorSums } from './locator.ts';
import type { EntryRow, PageRow } from './tables.ts';

/** What of ours a tombstone of a peer is about. `kept`: the fact was refused, and stands as evidence. */
export type Named =
  | { readonly kind: 'held'; readonly targetSeq: number; readonly pageId: number | null }
  | { readonly kind: 'absent' | 'kept' }
  | { readonly kind: 'contradicts'; readonly detail: string };

const SPACE = 0x20;

export class BodyEraser {
  readonly #db: Db;
  readonly #row: Statement<[number], EntryRow>;
  readonly #byId: Statement<[string], EntryRow>;
  readonly #byOrigin: Statement<[string, number], EntryRow>;
  readonly #pageOf: Statement<[string, string, number], PageRow>;
  readonly #page: Statement<[number], PageRow>;
  readonly #savePage: Statement<[Uint8Array, number, number, number]>;

  constructor(db: Db) {
    this.#db = db;
    const entries = sqlBuilder.selectFrom('entries').selectAll();
    this.#row = prepare(db, entries.where('chain_seq', '=', PARAM));
    this.#byId = prepare(db, entries.where('fact_id', '=', PARAM));
    this.#byOrigin = prepare(
      db,
      entries.where('origin_node_id', '=', PARAM).where('origin_chain_seq', '=', PARAM).limit(ONE),
    );
    const pages = sqlBuilder.selectFrom('pages').selectAll();
    this.#pageOf = prepare(
      db,
      pages
        .where('peer', '=', PARAM)
        .where('feed', '=', PARAM)
        .where('to_seq', '>=', PARAM)
        .orderBy('page_id')
        .limit(ONE),
    );
    this.#page = prepare(db, pages.where('page_id', '=', PARAM));
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
   * What a peer's tombstone is about, as the page says that the entry came in. Without that page, which a restore leaves for
   * a while, the journal is looked through: nothing that a peer sends leads there.
   */
  named(peer: string, feed: string, said: Tombstone): Named {
    const page = this.#pageOf.get(peer, feed, said.feed_seq);
    if (page === undefined || page.after_seq >= said.feed_seq) return this.#restored(peer, said);
    const decoded = decodePage(page);
    const place = said.feed_seq - 1 - page.after_seq;
    if (!decoded.ok) return contradicts('the page that the entry came in cannot be read');
    return this.#inPage(peer, said, decoded.value, place, page.page_id);
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

  #restored(peer: string, said: Tombstone): Named {
    const row = this.#byOrigin.get(peer, said.leaf_index + 1);
    if (row === undefined || isErased(row)) return { kind: 'absent' };
    if (hashText(row.origin_leaf_hash ?? NO_HASH) !== said.leaf_hash || hashText(factDigest(row.fact_id)) !== said.fact)
      return contradicts('the entry that was put back is another one');
    return isOfNode(row.relation)
      ? contradicts('no tombstone can name it')
      : { kind: 'held', targetSeq: row.chain_seq, pageId: null };
  }

  /**
   * Erases a body. The caller holds the transaction and has written the step `erased`, without which the guards refuse this.
   *
   * @param forget drops what is derived from the row
   */
  erase({ target_seq, page_id, feed_seq }: Erasure, forget: (row: EntryRow) => void): void {
    const row = target_seq === null ? undefined : this.#row.get(target_seq);
    if (row === undefined) throw new JournalError('broken', `entry ${target_seq} is to be erased and is not there`);
    if (!isErased(row)) {
      forget(row);
      this.#save(erasedRow(row));
    }
    if (page_id !== null) this.#blank(page_id, feed_seq);
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

  #blank(pageId: number, feedSeq: number): void {
    const page = this.#page.get(pageId);
    const decoded = page === undefined ? undefined : decodePage(page);
    if (page === undefined || decoded?.ok !== true)
      throw new JournalError('broken', `page ${pageId} holds an entry that is to be erased and cannot be read`);
    const { entries, header, salts } = decoded.value;
    const at = feedSeq - 1 - page.after_seq;
    const lines = entries.map((bytes, i) =>
      i === at && !isBlank(bytes)
        ? { salt: leafAt(decoded.value, i), bytes: Buffer.alloc(bytes.length, SPACE) }
        : { salt: salts[i] ?? NO_HASH, bytes },
    );
    const left = { ...page, entries: encodeEntries(lines, header.encoding) };
    const { sum1, sum2 } = locatorSums('pages', left);
    this.#savePage.run(left.entries, sum1, sum2, pageId);
  }
}

const NO_HASH = new Uint8Array(0);

function leafAt(page: DecodedPage, place: number): Uint8Array {
  return storedLeaves(page).subarray(place * HASH_BYTES, (place + 1) * HASH_BYTES);
}

/** What a node says of itself stays: keys are followed by it, and a tombstone is final. */
export function isOfNode(relation: string): boolean {
  return relation === TOMBSTONE || relation === KEY_SUCCESSION;
}

function contradicts(detail: string): Named {
  return { kind: 'contradicts', detail };
}
