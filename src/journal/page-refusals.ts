/**
 * Which entries of stored pages were refused, and for what; and which of them were taken after all, when they were judged
 * again. Both tables are appended to and guarded: the cursor has passed these entries, so what became of each has to be kept.
 */

import { sql } from 'kysely';
import { canonicalJson } from '../core/canonical-json.ts';
import { positionsOf, type Run, readRuns, runsOf } from '../core/runs.ts';
import type { SignedPageFrames } from '../wire/page.ts';
import { type NewRow, prepareAppend } from './appended.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { lastLink, type Neighbour } from './page-tail.ts';
import type { VerifiedCheckpoint } from './peer-records.ts';
import type { Tables } from './tables.ts';
import type { PageRow } from './tables-peers.ts';

/** A stored page of which entries were refused. */
export interface RefusedInPage {
  readonly pageId: number;
  readonly feed: string;
  readonly after: number;
  readonly to: number;
  /** Why, by place in the feed; without those that were taken since. */
  readonly standing: ReadonlyMap<number, string>;
}

/** What a page was judged by when it came, as far as it is kept. */
export interface PageThen {
  readonly frames: SignedPageFrames;
  /** The verified checkpoint of the page, and the one before it; null where there is none. */
  readonly checkpoint: VerifiedCheckpoint | null;
  readonly before: VerifiedCheckpoint | null;
  readonly neighbour: Neighbour | null;
  /** Unix ms. */
  readonly receivedMs: number;
}

/** Entries of a page that were taken when it was judged again. */
export interface Retried {
  readonly pageId: number;
  readonly peer: string;
  readonly feed: string;
  /** In the order of the feed. */
  readonly places: readonly number[];
  /** `chain_seq` of the first; the others follow. */
  readonly firstSeq: number;
}

type Refused = Tables['page_refusals'];
type Frames = Pick<PageRow, 'header' | 'entries' | 'proof' | 'tree_size' | 'after_seq' | 'to_seq' | 'received_us'> & {
  readonly note: string | null;
};
type Checkpoints = { readonly tree_size: number; readonly root: Uint8Array; readonly note: string };

export class PageRefusals {
  readonly #insert: (row: NewRow<'page_refusals'>) => number;
  readonly #insertRetry: (row: NewRow<'page_retries'>) => number;
  readonly #next: Statement<[string, number], Refused>;
  readonly #placesOf: Statement<[number], string>;
  readonly #retries: Statement<[number], string>;
  readonly #page: Statement<[number], Frames>;
  readonly #before: Statement<[string, number], Pick<PageRow, 'header' | 'entries' | 'proof'>>;
  readonly #checkpoints: Statement<[string, number], Checkpoints>;

  constructor(db: Db) {
    this.#insert = prepareAppend(db, 'page_refusals');
    this.#insertRetry = prepareAppend(db, 'page_retries');
    this.#next = prepare(db, nextRefused);
    this.#placesOf = prepare<[number]>(db, placesOf).pluck() as Statement<[number], string>;
    this.#retries = prepare<[number]>(db, retriesOf).pluck() as Statement<[number], string>;
    this.#page = prepare(db, pageById);
    this.#before = prepare(db, pageBefore);
    this.#checkpoints = prepare(db, checkpointsUpTo);
  }

  /** @param refused reason and place in the feed of each, in the order of the page. The caller holds the transaction. */
  save(
    page: { readonly pageId: number; readonly peer: string; readonly feed: string },
    refused: readonly { readonly reason: string; readonly feedSeq: number }[],
  ): void {
    const places = new Map<string, number[]>();
    for (const { reason, feedSeq } of refused) places.set(reason, [...(places.get(reason) ?? []), feedSeq]);
    const text = canonicalJson(Object.fromEntries([...places].map(([reason, seqs]) => [reason, runsOf(seqs)])));
    this.#insert({ page_id: page.pageId, peer: page.peer, feed: page.feed, places: text });
  }

  saveRetry({ pageId, peer, feed, places, firstSeq }: Retried): void {
    const text = canonicalJson(runsOf(places));
    const entries = places.length;
    this.#insertRetry({ page_id: pageId, peer, feed, first_seq: firstSeq, entries, places: text });
  }

  /** The next page of a peer behind `pageId` of which something was refused; what stands of it may be nothing. */
  next(peer: string, pageId: number): RefusedInPage | null {
    const row = this.#next.get(peer, pageId);
    const page = row === undefined ? undefined : this.#page.get(row.page_id);
    if (row === undefined || page === undefined) return null;
    const { after_seq: after, to_seq: to } = page;
    const standing = new Map(reasonsIn(row.places, after, to) ?? []);
    for (const text of this.#retries.all(row.page_id))
      for (const place of positionsOf(readPlaces(text, after, to) ?? [])) standing.delete(place);
    return { pageId: row.page_id, feed: row.feed, after, to, standing };
  }

  /** Whether an entry of a stored page was refused when it came, whatever became of it since: its bytes are evidence. */
  wasRefused(pageId: number, feedSeq: number): boolean {
    const places = this.#placesOf.get(pageId);
    const page = places === undefined ? undefined : this.#page.get(pageId);
    if (places === undefined || page === undefined) return false;
    return (reasonsIn(places, page.after_seq, page.to_seq) ?? []).some(([place]) => place === feedSeq);
  }

  /** A stored page with what it followed. Undefined: there is none. */
  pageThen(peer: string, pageId: number): PageThen | undefined {
    const page = this.#page.get(pageId);
    if (page === undefined) return undefined;
    const { header, entries, proof, note, tree_size, received_us } = page;
    const earlier = this.#before.get(peer, pageId);
    const [newest, second] = this.#checkpoints.all(peer, tree_size).map(checkpointOf);
    const isOwn = newest?.size === tree_size;
    return {
      frames: { header, entries, proof, note: note === null ? null : Buffer.from(note) },
      checkpoint: isOwn ? newest : null,
      before: (isOwn ? second : newest) ?? null,
      neighbour: earlier === undefined ? null : lastLink(earlier),
      receivedMs: Math.floor(received_us / 1000),
    };
  }
}

/** Why each place was refused, in the order of the places. Null: the row does not say what this program writes. */
export function reasonsIn(text: string, after: number, to: number): readonly (readonly [number, string])[] | null {
  const byReason = jsonIn(text);
  if (typeof byReason !== 'object' || byReason === null || Array.isArray(byReason)) return null;
  const all: (readonly [number, string])[] = [];
  for (const [reason, value] of Object.entries(byReason)) {
    const runs = readRuns(value, after + 1, to);
    if (runs === null) return null;
    for (const place of positionsOf(runs)) all.push([place, reason]);
  }
  return all.sort(([a], [b]) => a - b);
}

/** Places of a retry; null as for {@link reasonsIn}. */
export function readPlaces(text: string, after: number, to: number): readonly Run[] | null {
  return readRuns(jsonIn(text), after + 1, to);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function checkpointOf({ tree_size: size, root, note }: Checkpoints): VerifiedCheckpoint {
  return { size, root, note };
}

/** As `ONE`: a plain number would be bound. */
const TWO = sql.lit(2);

const nextRefused = sqlBuilder
  .selectFrom('page_refusals')
  .selectAll()
  .where('peer', '=', PARAM)
  .where('page_id', '>', PARAM)
  .orderBy('page_id')
  .limit(ONE);

const placesOf = sqlBuilder.selectFrom('page_refusals').select('places').where('page_id', '=', PARAM);

const retriesOf = sqlBuilder.selectFrom('page_retries').select('places').where('page_id', '=', PARAM);

const pageById = sqlBuilder
  .selectFrom('pages')
  .leftJoin('page_notes', 'page_notes.page_id', 'pages.page_id')
  .select(['header', 'entries', 'proof', 'note', 'tree_size', 'after_seq', 'to_seq', 'received_us'])
  .where('pages.page_id', '=', PARAM);

const pageBefore = sqlBuilder
  .selectFrom('pages')
  .select(['header', 'entries', 'proof'])
  .where('peer', '=', PARAM)
  .where('page_id', '<', PARAM)
  .orderBy('page_id', 'desc')
  .limit(ONE);

const checkpointsUpTo = sqlBuilder
  .selectFrom('peer_checkpoints')
  .select(['tree_size', 'root', 'note'])
  .where('peer', '=', PARAM)
  .where('tree_size', '<=', PARAM)
  .orderBy('tree_size', 'desc')
  .limit(TWO);
