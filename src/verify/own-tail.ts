/**
 * The missing end of this node's own log, given back by peers. Nobody is believed: each page proves its entries against a
 * checkpoint that our own log key has signed, and together they have to give the root of the largest one.
 */
import { chainHash, eventHashOfText } from '../core/chain.ts';
import { decodeEntry, type Entry } from '../core/entry.ts';
import { feedNameOf } from '../core/feed-name.ts';
import { err, firstOk, ok, type Result } from '../core/result.ts';
import { isoMicros, parseIsoInstant } from '../core/time.ts';
import { openCheckpoint } from '../merkle/checkpoint.ts';
import { HASH_BYTES, sameHash } from '../merkle/hash.ts';
import { foldPage } from '../merkle/page-proof.ts';
import { TreeBuilder, type TreeSnapshot } from '../merkle/tree-builder.ts';
import { isBlank, isErasedEntry } from '../wire/erased-entry.ts';
import { decodePage, type PageFrames } from '../wire/page.ts';
import { isWithheld, storedLeaves } from './page-leaves.ts';

/** An entry under a checkpoint of ours. */
export interface ProvedEntry {
  /** 0-based leaf index */
  readonly index: number;
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
  /** 32 bytes */
  readonly leafHash: Buffer;
}

/** Where the log that has to be completed ends. */
export interface TailFrom {
  readonly tree: TreeSnapshot;
  readonly size: number;
  /** Chain hash of its last entry; null when it is empty. */
  readonly head: string | null;
  readonly lengths: ReadonlyMap<string, number>;
}

interface TailEntry {
  readonly entry: Entry;
  readonly salt: Uint8Array;
  readonly leafHash: Buffer;
  readonly createdUs: number;
}

const VERIFIED: unique symbol = Symbol('verified tail');

/** The whole missing end, in order: what the journal may put back. */
export interface VerifiedTail {
  readonly [VERIFIED]: true;
  readonly from: number;
  readonly size: number;
  readonly entries: readonly TailEntry[];
}

/** Leaf indexes that nobody gave, as inclusive ranges in order. */
export type IndexRanges = readonly (readonly [first: number, last: number])[];

export type TailFault =
  | { readonly code: 'tail_incomplete'; readonly missing: IndexRanges; readonly missingCount: number }
  | { readonly code: 'tail_contradicts'; readonly index: number; readonly detail: string };

/** Largest number of ranges that are listed; more are counted only. */
const MAX_RANGES = 1_000;

/**
 * The entries of a page that a peer took from us and gives back. Pure and total; null unless all of it follows from a
 * checkpoint signed by a key of ours.
 *
 * @param log its keys: that of now, and those that its successions join to it
 */
export function openOwnPage(
  frames: PageFrames,
  log: { readonly origin: string; readonly keys: readonly [Uint8Array, ...Uint8Array[]] },
): readonly ProvedEntry[] | null {
  const page = decodePage(frames);
  if (!page.ok) return null;
  const { header, salts, entries, proof } = page.value;
  const leaves = storedLeaves(page.value);
  const checkpoint = firstOk(log.keys, (key) => openCheckpoint(header.checkpoint, { origin: log.origin, key }));
  if (!checkpoint.ok) return null;
  const folded = foldPage(checkpoint.value.size, header.indexes, leaves, proof);
  if (!folded.ok || !sameHash(folded.value, checkpoint.value.root)) return null;
  return entries.flatMap((bytes, i) => {
    // What we withheld from the peer it cannot give back, and what has no body any more nobody can: such a place stays missing.
    if (isWithheld(header, i) || isErasedEntry(bytes) || isBlank(bytes)) return [];
    const leafHash = leaves.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
    return { index: header.indexes[i] ?? 0, salt: salts[i] ?? new Uint8Array(0), bytes, leafHash };
  });
}

/**
 * Checks that `held` completes the log up to the signed tree head `to`: every index is there, each entry is canonical,
 * carries the right hashes, links to the one before it and has the next place in its feed, and the tree has the root.
 */
export function verifyTail(
  held: ReadonlyMap<number, ProvedEntry>,
  from: TailFrom,
  to: { readonly size: number; readonly root: Uint8Array },
): Result<VerifiedTail, TailFault> {
  const missing = missingOf(held, from.size, to.size);
  if (missing !== null) return err(missing);
  const entries: TailEntry[] = [];
  const lengths = new Map(from.lengths);
  let head = from.head;
  for (let index = from.size; index < to.size; index++) {
    const read = readOne(held.get(index), index, head, lengths);
    if (!read.ok) return err({ code: 'tail_contradicts', index, detail: read.error });
    head = read.value.entry.chain_hash;
    entries.push(read.value);
  }
  const tree = new TreeBuilder();
  tree.restore(from.tree);
  tree.append(Buffer.concat(entries.map(({ leafHash }) => leafHash)));
  if (!sameHash(tree.root(), to.root)) {
    const detail = 'the tree of what is here and what was given back has another root than the one signed';
    return err({ code: 'tail_contradicts', index: from.size, detail });
  }
  return ok({ [VERIFIED]: true, from: from.size, size: to.size, entries });
}

function missingOf(held: ReadonlyMap<number, unknown>, from: number, to: number): TailFault | null {
  const missing: [number, number][] = [];
  let missingCount = 0;
  for (let index = from; index < to; index++) {
    if (held.has(index)) continue;
    missingCount++;
    const last = missing.at(-1);
    if (last !== undefined && last[1] === index - 1) last[1] = index;
    else if (missing.length < MAX_RANGES) missing.push([index, index]);
  }
  return missingCount === 0 ? null : { code: 'tail_incomplete', missing, missingCount };
}

function readOne(
  proved: ProvedEntry | undefined,
  index: number,
  head: string | null,
  lengths: Map<string, number>,
): Result<TailEntry, string> {
  const decoded = proved === undefined ? undefined : decodeEntry(proved.bytes);
  if (proved === undefined || decoded === undefined || !decoded.ok) return err('it is no canonical entry');
  const entry = decoded.value;
  if (entry.chain_seq !== index + 1) return err(`it says chain_seq ${entry.chain_seq}`);
  if (entry.previous_hash !== head) return err('it does not link to the entry before it');
  if (eventHashOfText(entry.confidence, entry) !== entry.event_hash) return err('its event hash is another');
  if (chainHash(entry) !== entry.chain_hash) return err('its chain hash is another');
  const feed = feedNameOf(entry);
  if (!feed.ok) return err(`it belongs to no feed: ${feed.error}`);
  const length = (lengths.get(feed.value) ?? 0) + 1;
  if (entry.feed_seq !== length) return err(`it says feed_seq ${entry.feed_seq} where ${length} comes next`);
  lengths.set(feed.value, length);
  const created = parseIsoInstant(entry.created_at);
  const createdUs = created.ok ? Number(created.value) : -1;
  if (createdUs < 0 || isoMicros(createdUs) !== entry.created_at) return err('its created_at is not as we write it');
  return ok({ entry, salt: proved.salt, leafHash: proved.leafHash, createdUs });
}
