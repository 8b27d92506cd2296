/** What peers have signed about facts of ours that they refused: the newest word of each, by feed and reason. */
import { isoMicros } from '../core/time.ts';
import { parseNote } from '../merkle/note.ts';
import { parseNotice, type RefusalNotice, type RefusedEntry } from '../wire/refusal-notice.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { EntryReader } from './entry-reader.ts';
import { entriesAt } from './feed-places.ts';

/** Facts of ours that a peer has refused in one feed for one reason. */
export interface RefusedOfOurs {
  readonly feed: string;
  readonly reason: string;
  readonly refused: number;
  /** Those of them that it has taken after all. */
  readonly resolved: number;
}

interface StoredNotice extends RefusedOfOurs {
  readonly number: number;
  /** As the peer signed it. */
  readonly note: string;
}

/** One refused entry, with what it is here. */
export interface ShownEntry extends RefusedEntry {
  /** Null: our own row cannot be read any more, or a page was refused as a whole. */
  readonly fact: { readonly fact_id: string; readonly entity: string; readonly relation: string } | null;
}

/** A notice as operators read it. */
export interface ShownNotice extends RefusedOfOurs {
  /** Node id of the peer. */
  readonly node_id: string;
  /** When the newest of them was refused. */
  readonly at: string;
  readonly received_at: string;
  readonly entries: readonly ShownEntry[];
  /** As the peer signed it. */
  readonly note: string;
}

export interface NoticeQuery {
  /** Node id; null: of all peers. */
  readonly peer: string | null;
  readonly limit: number;
}

export class RefusalNotices {
  readonly #find: Statement<[string, string, string], StoredNotice>;
  readonly #count: Statement<[string], number>;
  readonly #ofPeer: Statement<[string], RefusedOfOurs>;
  readonly #put: Statement<[string, string, string, number, number, number, string, number]>;
  readonly #own: Statement<[string, number], number>;
  readonly #list: Statement<[number], Found>;
  readonly #listPeer: Statement<[string, number], Found>;

  constructor(db: Db) {
    this.#find = prepare(db, byGroup);
    this.#count = prepare<[string]>(db, countOf).pluck() as Statement<[string], number>;
    this.#ofPeer = prepare(db, ofPeer);
    this.#put = prepare(db, sqlBuilder.replaceInto('refusal_notices').values(CELLS));
    this.#own = prepare<[string, number]>(db, ownEntry).pluck() as Statement<[string, number], number>;
    this.#list = prepare(db, newestFirst.limit(PARAM));
    this.#listPeer = prepare(db, newestFirst.where('peer', '=', PARAM).limit(PARAM));
  }

  find(peer: string, { feed, reason }: Pick<RefusedOfOurs, 'feed' | 'reason'>): StoredNotice | undefined {
    return this.#find.get(peer, feed, reason);
  }

  /** Groups that are kept of a peer. */
  count(peer: string): number {
    return this.#count.get(peer) ?? 0;
  }

  ofPeer(peer: string): readonly RefusedOfOurs[] {
    return this.#ofPeer.all(peer);
  }

  /** In the place of the earlier one. */
  save(peer: string, { feed, reason, number, refused, resolved }: RefusalNotice, note: string, nowUs: number): void {
    this.#put.run(peer, feed, reason, number, refused, resolved, note, nowUs);
  }

  /** `chain_seq` of our own entry at a place of a feed; undefined: there is none. */
  ownChainSeq(feed: string, feedSeq: number): number | undefined {
    return this.#own.get(feed, feedSeq);
  }

  list({ peer, limit }: NoticeQuery, entries: EntryReader): readonly ShownNotice[] {
    const rows = peer === null ? this.#list.all(limit) : this.#listPeer.all(peer, limit);
    return rows.flatMap((row) => {
      const note = parseNote(row.note);
      const notice = note.ok ? parseNotice(note.value.text) : note;
      if (!notice.ok) return []; // fsck tells of it
      const { at, entries: refused } = notice.value;
      const { received_us, ...told } = row;
      const shown = refused.map((entry) => ({ ...entry, fact: factOf(entry, entries) }));
      return [{ ...told, at, received_at: isoMicros(received_us), entries: shown }];
    });
  }
}

/** By its number; and by its time, where whoever sends it was put back from a copy, and counts on from there. */
export function isLater({ number, at }: RefusalNotice, stored: StoredNotice): boolean {
  if (number > stored.number) return true;
  const note = parseNote(stored.note);
  const before = note.ok ? parseNotice(note.value.text) : note;
  return before.ok && at > before.value.at;
}

function factOf({ chain_seq }: RefusedEntry, entries: EntryReader): ShownEntry['fact'] {
  const row = chain_seq === null ? undefined : entries.bySeq(chain_seq);
  if (row?.ok !== true) return null;
  const { fact_id, entity, relation } = row.entry;
  return { fact_id, entity, relation };
}

interface Found extends RefusedOfOurs {
  readonly node_id: string;
  readonly note: string;
  readonly received_us: number;
}

const CELLS = {
  peer: PARAM,
  feed: PARAM,
  reason: PARAM,
  number: PARAM,
  refused: PARAM,
  resolved: PARAM,
  note: PARAM,
  received_us: PARAM,
};

const ofPeer = sqlBuilder
  .selectFrom('refusal_notices')
  .select(['feed', 'reason', 'refused', 'resolved'])
  .where('peer', '=', PARAM);

const byGroup = sqlBuilder
  .selectFrom('refusal_notices')
  .select(['feed', 'reason', 'refused', 'resolved', 'number', 'note'])
  .where('peer', '=', PARAM)
  .where('feed', '=', PARAM)
  .where('reason', '=', PARAM);

const countOf = sqlBuilder
  .selectFrom('refusal_notices')
  .select((q) => q.fn.countAll().as('count'))
  .where('peer', '=', PARAM);

const newestFirst = sqlBuilder
  .selectFrom('refusal_notices')
  .select(['peer as node_id', 'feed', 'reason', 'refused', 'resolved', 'note', 'received_us'])
  .orderBy('received_us', 'desc');

const ownEntry = entriesAt.select('chain_seq');
