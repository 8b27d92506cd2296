/** What the journal holds about its peers' logs: cursors, verified checkpoints and feed heads, pages, pinned declarations. */
import { hash } from 'node:crypto';
import type { VerifiedBatch } from '../verify/judge.ts';
import type { PageFrames, SignedPageFrames } from '../wire/page.ts';
import { type NewRow, prepareAppend } from './appended.ts';
import { blankedEntries } from './body-eraser.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { JournalError } from './errors.ts';
import { lastLink, type Neighbour } from './page-tail.ts';
import type { PageRow } from './tables-peers.ts';

/** The last verified checkpoint of a peer's log. */
export interface VerifiedCheckpoint {
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: string;
}

export interface PageRecord {
  readonly peer: string;
  readonly feed: string;
  readonly after: number;
  readonly to: number;
  readonly treeSize: number;
  /** As received. */
  readonly frames: SignedPageFrames;
  /** The entries as they are kept: what is erased is not. */
  readonly stored: Uint8Array | null;
  readonly accepted: number;
  readonly refused: number;
}

export interface PeerTotals {
  readonly accepted: number;
  readonly refused: number;
}

export class PeerRecords {
  readonly #db: Db;
  readonly #retried: Statement<[string], number | null>;
  readonly #totals: Statement<[string, number], TotalsFound>;
  /** Of the pages up to one, by peer: pages are only ever added. */
  readonly #summed = new Map<string, PeerTotals & { readonly upTo: number }>();
  readonly #cursors: Statement<[string], { feed: string; after: number }>;
  readonly #cursor: Statement<[string, string], number>;
  readonly #checkpoint: Statement<[string], { tree_size: number; root: Uint8Array; note: string }>;
  readonly #feedLength: Statement<[string, string], number>;
  readonly #lastPage: Statement<[string], Pick<PageRow, 'header' | 'entries' | 'proof'>>;
  readonly #declaration: Statement<[string], string>;
  readonly #declared: Statement<[], { peer: string }>;
  readonly #insertPage: (row: NewRow<'pages'>) => number;
  readonly #insertPageNote: (row: NewRow<'page_notes'>) => number;
  readonly #insertCheckpoint: (row: NewRow<'peer_checkpoints'>) => number;
  readonly #insertFeedHead: (row: NewRow<'peer_feed_heads'>) => number;
  readonly #insertDeclaration: (row: NewRow<'peer_declarations'>) => number;

  constructor(db: Db) {
    this.#db = db;
    this.#cursors = prepare(db, allCursors);
    this.#cursor = prepare<[string, string]>(db, newestCursor).pluck() as Statement<[string, string], number>;
    this.#checkpoint = prepare(db, newestCheckpoint);
    this.#feedLength = prepare<[string, string]>(db, newestFeedLength).pluck() as Statement<[string, string], number>;
    this.#lastPage = prepare(db, newestPage);
    this.#totals = prepare(db, totalsOfPages);
    this.#retried = prepare<[string]>(db, retriedOf).pluck() as Statement<[string], number | null>;
    this.#declaration = prepare<[string]>(db, newestDeclaration).pluck() as Statement<[string], string>;
    this.#declared = prepare(db, declaredNodes);
    this.#insertPage = prepareAppend(db, 'pages');
    this.#insertPageNote = prepareAppend(db, 'page_notes');
    this.#insertCheckpoint = prepareAppend(db, 'peer_checkpoints');
    this.#insertFeedHead = prepareAppend(db, 'peer_feed_heads');
    this.#insertDeclaration = prepareAppend(db, 'peer_declarations');
  }

  /** Sequence of the last entry of the feed that was judged; 0 for none. A cursor is the end of the newest page. */
  cursor(peer: string, feed: string): number {
    return this.#cursor.get(peer, feed) ?? 0;
  }

  /** Of each feed that something was taken of. */
  cursors(peer: string): readonly { readonly feed: string; readonly after: number }[] {
    return this.#cursors.all(peer);
  }

  checkpoint(peer: string): VerifiedCheckpoint | null {
    const row = this.#checkpoint.get(peer);
    return row === undefined ? null : { size: row.tree_size, root: row.root, note: row.note };
  }

  /** Length of the feed as the newest verified feed head states it; 0 for none. */
  feedLength(peer: string, feed: string): number {
    return this.#feedLength.get(peer, feed) ?? 0;
  }

  /** Read out of the newest page itself: after a restart the link to the next page is checked like any other. */
  neighbour(peer: string): Neighbour | null {
    const frames = this.#lastPage.get(peer);
    return frames === undefined ? null : lastLink(frames);
  }

  declaration(peer: string): string | null {
    return this.#declaration.get(peer) ?? null;
  }

  /** Nodes of which a declaration is pinned. */
  declaredNodes(): readonly string[] {
    return this.#declared.all().map(({ peer }) => peer);
  }

  /** Compare-and-set: a page that was judged against another cursor than the stored one would be taken in twice. */
  assertCursor({ peer, feed, after }: VerifiedBatch): void {
    const stored = this.cursor(peer.nodeId, feed);
    if (stored === after) return;
    throw new JournalError(
      'foreign_write',
      `the page behind entry ${after} of feed ${feed} of ${peer.nodeId} came when the journal stood at entry ${stored}: two pulls of one feed ran at a time`,
    );
  }

  /** @returns the key of the page; null when it had no entry */
  saveProgress(batch: VerifiedBatch, nowUs: number): number | null {
    const { checkpoint, feed, feedHead } = batch;
    const peer = batch.peer.nodeId;
    const treeSize = checkpoint.size;
    if (this.checkpoint(peer)?.size !== treeSize) this.saveCheckpoint(peer, checkpoint, nowUs);
    if (this.feedLength(peer, feed) !== feedHead.length) {
      this.saveFeedHead(peer, feed, { length: feedHead.length, treeSize, note: feedHead.note });
    }
    if (batch.to === batch.after) return null;
    return this.savePage(
      {
        peer,
        feed,
        after: batch.after,
        to: batch.to,
        treeSize,
        frames: batch.page,
        stored: withoutGone(batch),
        accepted: batch.accepted.length + batch.regained,
        refused: batch.refused.length,
      },
      nowUs,
    );
  }

  /** Asked for at every pull: only pages that came since the last time are looked at. */
  totals(peer: string): PeerTotals {
    const before = this.#summed.get(peer) ?? { upTo: 0, accepted: 0, refused: 0 };
    const news = this.#totals.get(peer, before.upTo);
    const accepted = before.accepted + (news?.accepted ?? 0);
    const refused = before.refused + (news?.refused ?? 0);
    // What a transaction may still take back is not remembered.
    if (!this.#db.inTransaction) this.#summed.set(peer, { upTo: news?.last ?? before.upTo, accepted, refused });
    // What was refused and taken since is no longer refused.
    const retried = this.#retried.get(peer) ?? 0;
    return { accepted: accepted + retried, refused: refused - retried };
  }

  /** @returns its key */
  savePage(page: PageRecord, nowUs: number): number {
    const { header, proof, note } = page.frames;
    const page_id = this.#insertPage({
      peer: page.peer,
      feed: page.feed,
      after_seq: page.after,
      to_seq: page.to,
      tree_size: page.treeSize,
      header,
      entries: page.stored,
      proof,
      received_us: nowUs,
      accepted: page.accepted,
      refused: page.refused,
      digest: pageDigest(page.frames),
    });
    if (note !== null) this.#insertPageNote({ page_id, note: Buffer.from(note).toString('utf8') });
    return page_id;
  }

  saveCheckpoint(peer: string, checkpoint: VerifiedCheckpoint, nowUs: number): void {
    const { size, root, note } = checkpoint;
    this.#insertCheckpoint({ peer, tree_size: size, root, note, received_us: nowUs });
  }

  saveFeedHead(peer: string, feed: string, head: { length: number; treeSize: number; note: string }): void {
    const { length, treeSize, note } = head;
    this.#insertFeedHead({ peer, feed, length, tree_size: treeSize, note });
  }

  saveDeclaration(peer: string, note: string, nowUs: number): void {
    this.#insertDeclaration({ peer, note, received_us: nowUs });
  }
}

interface TotalsFound {
  readonly last: number | null;
  readonly accepted: number | null;
  readonly refused: number | null;
}

/** SHA-256 of each of the three frames, one after the other; 32 zero bytes for an absent one: 96 bytes. */
export function pageDigest(frames: PageFrames): Buffer {
  const parts = [frames.header, frames.entries, frames.proof];
  return Buffer.concat(parts.map((frame) => (frame === null ? ABSENT : hash('sha256', frame, 'buffer'))));
}

const ABSENT = Buffer.alloc(32);

const allCursors = sqlBuilder
  .selectFrom('pages')
  .select((q) => ['feed', q.fn.max('to_seq').as('after')])
  .where('peer', '=', PARAM)
  .groupBy('feed');

const newestCursor = sqlBuilder
  .selectFrom('pages')
  .select('to_seq')
  .where('peer', '=', PARAM)
  .where('feed', '=', PARAM)
  .orderBy('page_id', 'desc')
  .limit(ONE);

const newestCheckpoint = sqlBuilder
  .selectFrom('peer_checkpoints')
  .select(['tree_size', 'root', 'note'])
  .where('peer', '=', PARAM)
  .orderBy('checkpoint_id', 'desc')
  .limit(ONE);

const newestFeedLength = sqlBuilder
  .selectFrom('peer_feed_heads')
  .select('length')
  .where('peer', '=', PARAM)
  .where('feed', '=', PARAM)
  .orderBy('head_id', 'desc')
  .limit(ONE);

const newestPage = sqlBuilder
  .selectFrom('pages')
  .select(['header', 'entries', 'proof'])
  .where('peer', '=', PARAM)
  .orderBy('page_id', 'desc')
  .limit(ONE);

const totalsOfPages = sqlBuilder
  .selectFrom('pages')
  .select((q) => [
    q.fn.max('page_id').as('last'),
    q.fn.sum('accepted').as('accepted'),
    q.fn.sum('refused').as('refused'),
  ])
  .where('peer', '=', PARAM)
  .where('page_id', '>', PARAM);

const retriedOf = sqlBuilder
  .selectFrom('page_retries')
  .select((q) => q.fn.sum<number>('entries').as('entries'))
  .where('peer', '=', PARAM);

const declaredNodes = sqlBuilder.selectFrom('peer_declarations').select('peer').distinct().orderBy('peer');

const newestDeclaration = sqlBuilder
  .selectFrom('peer_declarations')
  .select('note')
  .where('peer', '=', PARAM)
  .orderBy('declaration_id', 'desc')
  .limit(ONE);

/** The entries of a page as they are stored: bytes that their author has had erased do not come into the file again. */
function withoutGone({ gone, page }: VerifiedBatch): Uint8Array | null {
  return gone.length === 0 ? page.entries : blankedEntries(page, new Set(gone.map(({ place }) => place)));
}
