/** What this node holds of a peer's log, for the peer itself: it may have lost its newest history and ask for it back. */

import { openOwnDeclaration } from '../verify/declared-log-key.ts';
import type { SignedPageFrames } from '../wire/page.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { PeerRecords } from './peer-records.ts';
import type { PageRow } from './tables-peers.ts';
import { WitnessRecords } from './witness-records.ts';

type StoredPage = Pick<PageRow, 'header' | 'entries' | 'proof'> & { readonly note: string | null };

/** Which page is asked for: of those that may hold the leaf index `from` or a larger one, the next but `skip` behind a page. */
export interface PagePlace {
  readonly from: number;
  /** Key of a page; 0: from the first on. */
  readonly behind: number;
  readonly skip: number;
}

export interface HeldPage {
  /** Key, by which the next one is asked for. */
  readonly id: number;
  readonly frames: SignedPageFrames;
}

/** Stands for the note of a page that came without one: an empty frame would end the answer. */
const NO_NOTE = '-';

export class HeldPages {
  readonly #peers: PeerRecords;
  readonly #witness: WitnessRecords;
  readonly #lastWithin: Statement<[string, number], number>;
  readonly #ids: Statement<[string, number, number, number, number], number>;
  readonly #page: Statement<[number], StoredPage>;

  constructor(db: Db) {
    this.#peers = new PeerRecords(db);
    this.#witness = new WitnessRecords(db);
    // Keys first, out of an index alone: pages that are passed over are not read.
    const ids = sqlBuilder
      .selectFrom('pages')
      .select('page_id')
      .where('peer', '=', PARAM)
      .where('page_id', '>', PARAM)
      .where('tree_size', '>', PARAM)
      .orderBy('page_id')
      .limit(PARAM)
      .offset(PARAM);
    this.#ids = prepare<[string, number, number, number, number]>(db, ids).pluck() as Statement<
      [string, number, number, number, number],
      number
    >;
    const page = sqlBuilder
      .selectFrom('pages')
      .leftJoin('page_notes', 'page_notes.page_id', 'pages.page_id')
      .select(['header', 'entries', 'proof', 'note'])
      .where('pages.page_id', '=', PARAM);
    this.#page = prepare(db, page);
    const within = sqlBuilder
      .selectFrom('pages')
      .select('page_id')
      .where('peer', '=', PARAM)
      .where('tree_size', '<=', PARAM)
      .orderBy('page_id', 'desc')
      .limit(ONE);
    this.#lastWithin = prepare<[string, number]>(db, within).pluck() as Statement<[string, number], number>;
  }

  /**
   * The largest checkpoint of the peer's log that is held here, whether it came with a page, was cosigned or was shown by a
   * third node: each left the peer signed, and a second history beside any of them would be proof against it.
   */
  checkpoint(peer: string): string | null {
    const pinned = this.#peers.declaration(peer);
    const origin = (pinned === null ? null : openOwnDeclaration(pinned))?.journal_origin;
    const verified = this.#peers.checkpoint(peer);
    const others = origin === undefined ? [] : [this.#witness.cosigned(origin), this.#witness.largestSeen(origin)];
    const held = [verified, ...others].filter((head) => head !== null);
    return held.toSorted((a, b) => b.size - a.size)[0]?.note ?? null;
  }

  /** The last page of a peer that was proved within the first `treeSize` entries of its log; 0 for none. */
  lastWithin(peer: string, treeSize: number): number {
    return this.#lastWithin.get(peer, treeSize) ?? 0;
  }

  /** In the order of arrival. */
  page(peer: string, { from, behind, skip }: PagePlace): HeldPage | undefined {
    const id = this.#ids.get(peer, behind, from, 1, skip);
    const page = id === undefined ? undefined : this.#page.get(id);
    if (id === undefined || page === undefined) return undefined;
    const { header, entries, proof, note } = page;
    return { id, frames: { header, entries, proof, note: Buffer.from(note ?? NO_NOTE) } };
  }
}
