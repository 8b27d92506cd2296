/** How far a store has come, as its own newest manifest says, and whether it is a past of this node. */
import { encodeBase64 } from '../merkle/base64.ts';
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { parseNote } from '../merkle/note.ts';
import { digestOf, MAX_MANIFEST_BYTES, manifestPath, type WormEnds, type WormRestore } from '../wire/worm-manifest.ts';
import { assertFollows } from './follows.ts';
import { Manifests } from './manifests.ts';
import { newestNumber } from './newest.ts';
import { type Difference, Pasts } from './pasts.ts';
import { baseAfterRestore, restoreAt } from './restored.ts';
import type { WormSource } from './source.ts';
import { lost, WormError, type WormStore } from './store.ts';

export interface Place {
  /** Manifests that are there. */
  readonly number: number;
  /** Hash of the newest one; null: there is none. */
  readonly digest: string | null;
  /** The streams go on behind these. */
  readonly ends: WormEnds;
  readonly madeAt: string | null;
  /** The newest restore, which the next manifest names too; null: none. */
  readonly restored: WormRestore | null;
}

/** What is remembered outside of the store, so that it cannot lose its end unseen. */
export interface KnownPlace {
  readonly number: number;
  readonly digest: string;
}

/** `restored`: the newest manifest holds what this node has lost; the next one says so, and goes on from what both have. */
export type Found =
  | { readonly kind: 'past'; readonly place: Place }
  | { readonly kind: 'restored'; readonly place: RestoredPlace; readonly why: Difference };

export interface RestoredPlace extends Place {
  readonly digest: string;
  readonly restored: WormRestore;
}

export interface FindOptions {
  /** Null: nothing was shipped there by this node, as far as it knows. */
  readonly known: KnownPlace | null;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

export const NOWHERE: Place = {
  number: 0,
  digest: null,
  ends: { anchors: 0, audit: 0, journal: 0, receipts: 0 },
  madeAt: null,
  restored: null,
};

/**
 * Finds the newest manifest of a store, and compares it with what is known of it and with the journal. Whether a restore may be gone
 * on from is the caller's to know: the journal here holds all that the store has seen of it, the other records may be others.
 *
 * @throws WormError; the signal's reason
 */
export async function findPlace(
  store: WormStore,
  source: WormSource,
  { known, nowMs, signal }: FindOptions,
): Promise<Found> {
  if (known !== null) await assertThere(store, known);
  const number = await newestNumber(store, known?.number ?? 0, signal);
  if (number === 0) return { kind: 'past', place: NOWHERE };
  const manifests = new Manifests(store, { keys: source.keys, origin: source.signer.name }, signal);
  const newest = await manifests.open(number);
  if (newest === null) {
    if ((await store.read(manifestPath(number), null, MAX_MANIFEST_BYTES)) === undefined)
      throw lost(store, manifestPath(number), 'it was there, and cannot be read any more');
    const message = `${store.name}/${manifestPath(number)} is not signed by a key that this log (${source.signer.name}) has had: give each node a place of its own. If no other node writes there, somebody else does: look at who may, keep what is there, and name a new, empty place`;
    throw new WormError('store_other_log', message);
  }
  const { ends, journal, made_at, restored = null } = newest.manifest;
  await assertJournal(store, source, journal);
  await assertFollows(manifests, newest, known?.number ?? 0);
  const place = { number, digest: newest.digest, ends, madeAt: made_at, restored };
  const pasts = await Pasts.of(manifests, source);
  const why = await pasts.difference(newest);
  if (why === null) return { kind: 'past', place };
  const restore = restoreAt(newest, await baseAfterRestore(manifests, pasts, newest), nowMs);
  return { kind: 'restored', place: { ...place, ends: restore.from, restored: restore }, why };
}

/** @throws WormError `store_lost` */
export async function assertThere(store: WormStore, { number, digest }: KnownPlace): Promise<void> {
  const stored = await store.read(manifestPath(number), null, MAX_MANIFEST_BYTES);
  if (stored === undefined) throw lost(store, manifestPath(number), 'it is not there any more');
  if (digestOf(stored.bytes) !== digest)
    throw lost(store, manifestPath(number), 'it holds other bytes than were shipped');
}

/** An old copy gets its entries back before anything is shipped, and two histories are never one chain. */
async function assertJournal(store: WormStore, source: WormSource, note: string): Promise<void> {
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  if (!checkpoint.ok) throw new WormError('store_other_log', `${store.name}: its newest manifest has no checkpoint`);
  const { size, root } = checkpoint.value;
  const { journal } = await source.ends();
  if (size > journal) {
    const message = `${store.name} has a checkpoint of this journal over ${size} records, and ${journal} are here: this is an old copy. ${NEXT}`;
    throw new WormError('store_ahead', message, { note });
  }
  if ((await source.root('journal', size)) === encodeBase64(root)) return;
  const message = `${store.name} has another root of the journal over ${size} records than is here: one of the two histories is false. Keep both, they are evidence. ${NEXT}`;
  throw new WormError('store_contradicts', message, { note });
}

const NEXT = 'Restore the newest copy, or have the missing end given back by partners';
