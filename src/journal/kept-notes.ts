/**
 * Restore notes that peers have left here. We cannot read them and nothing of ours rests on them: a later one takes the place
 * of an earlier one, and what a peer may leave is bounded by what it can have been given.
 */
import { MAX_PAGE_ENTRIES } from '../core/limits.ts';
import { sealedBytes } from '../wire/restore-note.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';

export interface KeptNote {
  readonly feed: string;
  readonly after: number;
  readonly to: number;
  readonly sealed: Uint8Array;
}

/** Notes that one peer may leave, about one fact given to it. Pages of one fact each need half of this. */
const BYTES_PER_FACT: number = 2 * sealedBytes(1);

export class KeptNotes {
  readonly #save: Statement<[string, string, number, number, Uint8Array, number]>;
  readonly #length: Statement<[string, string, number], number>;
  readonly #total: Statement<[string], number | null>;
  readonly #feeds: Statement<[string], string>;
  readonly #count: Statement<[string, string, number], number>;
  readonly #list: Statement<[string, string, number, number, number], KeptNote>;
  /** Bytes by peer, as far as they were asked for. */
  readonly #totals = new Map<string, number>();

  constructor(db: Db) {
    this.#save = prepare(db, upsert);
    const ofPeer = sqlBuilder.selectFrom('kept_notes').where('peer', '=', PARAM);
    const ofFeed = ofPeer.where('feed', '=', PARAM);
    const length = ofFeed.select((q) => q.fn<number>('length', ['sealed']).as('bytes')).where('to_seq', '=', PARAM);
    this.#length = prepare<[string, string, number]>(db, length).pluck() as Statement<[string, string, number], number>;
    const total = ofPeer.select((q) => q.fn.sum(q.fn('length', ['sealed'])).as('bytes'));
    this.#total = prepare<[string]>(db, total).pluck() as Statement<[string], number | null>;
    this.#feeds = prepare<[string]>(db, ofPeer.select('feed').distinct().orderBy('feed')).pluck() as Statement<
      [string],
      string
    >;
    const behind = ofFeed.where('to_seq', '>', PARAM);
    const count = behind.select((q) => q.fn.countAll().as('notes'));
    this.#count = prepare<[string, string, number]>(db, count).pluck() as Statement<[string, string, number], number>;
    const list = behind.select(['feed', 'after_seq as after', 'to_seq as to', 'sealed']).orderBy('to_seq');
    this.#list = prepare(db, list.limit(PARAM).offset(PARAM));
  }

  /**
   * Keeps a note, unless it cannot be one about a page that was given: the answer is the same, it tells of no feed.
   *
   * @param given how far each feed was given to the peer
   */
  keep(peer: string, note: KeptNote, given: ReadonlyMap<string, number>, nowUs: number): void {
    const { feed, after, to, sealed } = note;
    const isPage = after < to && to - after <= MAX_PAGE_ENTRIES && to <= (given.get(feed) ?? 0);
    if (!isPage || sealed.length > sealedBytes(to - after)) return;
    const before = this.#length.get(peer, feed, to) ?? 0;
    const total = this.#totalOf(peer) - before + sealed.length;
    const facts = [...given.values()].reduce((sum, length) => sum + length, 0);
    if (total > facts * BYTES_PER_FACT) return;
    this.#save.run(peer, feed, after, to, sealed, nowUs);
    this.#totals.set(peer, total);
  }

  /** A transaction in which something was kept has failed: what was counted in it is counted anew. */
  forget(peer: string): void {
    this.#totals.delete(peer);
  }

  /**
   * What a peer left, feed by feed, without what ends within its cursors and without the first `skip` of the rest.
   *
   * @param limits notes, and bytes of them, at most; the first note is given whatever its size
   */
  list(
    peer: string,
    cursors: ReadonlyMap<string, number>,
    skip: number,
    limits: { readonly notes: number; readonly bytes: number },
  ): readonly KeptNote[] {
    const found: KeptNote[] = [];
    let room = limits.bytes;
    let left = skip;
    for (const feed of this.#feeds.all(peer)) {
      const after = cursors.get(feed) ?? 0;
      const count = this.#count.get(peer, feed, after) ?? 0;
      const wanted = limits.notes - found.length;
      // What is passed over is counted through once, not for each note.
      for (const note of left < count ? this.#list.iterate(peer, feed, after, wanted, left) : []) {
        if (found.length > 0 && note.sealed.length > room) return found;
        room -= note.sealed.length;
        found.push(note);
      }
      if (found.length >= limits.notes) return found;
      left = Math.max(0, left - count);
    }
    return found;
  }

  #totalOf(peer: string): number {
    const known = this.#totals.get(peer);
    if (known !== undefined) return known;
    const total = this.#total.get(peer) ?? 0;
    this.#totals.set(peer, total);
    return total;
  }
}

const upsert = sqlBuilder
  .insertInto('kept_notes')
  .values({ peer: PARAM, feed: PARAM, after_seq: PARAM, to_seq: PARAM, sealed: PARAM, received_us: PARAM } as never)
  .onConflict((on) =>
    on.columns(['peer', 'feed', 'to_seq']).doUpdateSet((row) => ({
      after_seq: row.ref('excluded.after_seq'),
      sealed: row.ref('excluded.sealed'),
      received_us: row.ref('excluded.received_us'),
    })),
  );
