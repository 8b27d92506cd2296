/** What this node holds of a peer's log, for the peer itself: it may have lost its newest history and ask for it back. */

import { openOwnDeclaration } from '../verify/declared-log-key.ts';
import type { SignedPageFrames } from '../wire/page.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { PeerRecords } from './peer-records.ts';
import type { PageRow } from './tables.ts';
import { WitnessRecords } from './witness-records.ts';

type HeldPage = Pick<PageRow, 'header' | 'entries' | 'proof'> & { readonly note: string | null };

/** Stands for the note of a page that came without one: an empty frame would end the answer. */
const NO_NOTE = '-';

export class HeldPages {
  readonly #peers: PeerRecords;
  readonly #witness: WitnessRecords;
  readonly #lastWithin: Statement<[string, number], number | null>;
  readonly #pages: Statement<[string, number, number, number], HeldPage>;

  constructor(db: Db) {
    this.#peers = new PeerRecords(db);
    this.#witness = new WitnessRecords(db);
    const pages = sqlBuilder
      .selectFrom('pages')
      .leftJoin('page_notes', 'page_notes.page_id', 'pages.page_id')
      .select(['header', 'entries', 'proof', 'note'])
      .where('peer', '=', PARAM)
      .where('tree_size', '>', PARAM)
      .orderBy('pages.page_id')
      .limit(PARAM)
      .offset(PARAM);
    this.#pages = prepare(db, pages);
    const within = sqlBuilder
      .selectFrom('pages')
      .select((q) => q.fn.max('page_id').as('last'))
      .where('peer', '=', PARAM)
      .where('tree_size', '<=', PARAM);
    this.#lastWithin = prepare<[string, number]>(db, within).pluck() as Statement<[string, number], number | null>;
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

  /** Page `skip` of those taken from the peer that may hold the leaf index `from` or a larger one, in the order of arrival. */
  page(peer: string, from: number, skip: number): SignedPageFrames | undefined {
    const page = this.#pages.get(peer, from, 1, skip);
    if (page === undefined) return undefined;
    const { header, entries, proof, note } = page;
    return { header, entries, proof, note: Buffer.from(note ?? NO_NOTE) };
  }
}
