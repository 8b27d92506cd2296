/** What this node holds of a peer's log, for the peer itself: it may have lost its newest history and ask for it back. */
import type { SignedPageFrames } from '../wire/page.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { PageRow } from './tables.ts';

type HeldPage = Pick<PageRow, 'header' | 'entries' | 'proof'> & { readonly note: string | null };

/** Stands for the note of a page that came without one: an empty frame would end the answer. */
const NO_NOTE = '-';

export class HeldPages {
  readonly #checkpoint: Statement<[string], { note: string }>;
  readonly #pages: Statement<[string, number, number, number], HeldPage>;

  constructor(db: Db) {
    const checkpoint = sqlBuilder
      .selectFrom('peer_checkpoints')
      .select('note')
      .where('peer', '=', PARAM)
      .orderBy('checkpoint_id', 'desc')
      .limit(ONE);
    this.#checkpoint = prepare(db, checkpoint);
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
  }

  /** The largest checkpoint of the peer's log that was verified here, as it was received. */
  checkpoint(peer: string): string | null {
    return this.#checkpoint.get(peer)?.note ?? null;
  }

  /** Page `skip` of those taken from the peer that may hold the leaf index `from` or a larger one, in the order of arrival. */
  page(peer: string, from: number, skip: number): SignedPageFrames | undefined {
    const page = this.#pages.get(peer, from, 1, skip);
    if (page === undefined) return undefined;
    const { header, entries, proof, note } = page;
    return { header, entries, proof, note: Buffer.from(note ?? NO_NOTE) };
  }
}
