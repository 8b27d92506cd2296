/** How far a store has come, as its own newest manifest says, and whether it is a past of this node. */
import { encodeBase64 } from '../merkle/base64.ts';
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { parseNote } from '../merkle/note.ts';
import { openDocument } from '../wire/signed-document.ts';
import { digestOf, MAX_MANIFEST_BYTES, manifestPath, WORM_MANIFEST, type WormEnds } from '../wire/worm-manifest.ts';
import { newestNumber } from './newest.ts';
import type { WormSource } from './source.ts';
import { WormError, type WormStore } from './store.ts';

export interface Place {
  /** Manifests that are there. */
  readonly number: number;
  /** Hash of the newest one; null: there is none. */
  readonly digest: string | null;
  readonly ends: WormEnds;
  readonly madeAt: string | null;
}

/** What is remembered outside of the store, so that it cannot lose its end unseen. */
export interface KnownPlace {
  readonly number: number;
  readonly digest: string;
}

export const NOWHERE: Place = {
  number: 0,
  digest: null,
  ends: { anchors: 0, audit: 0, journal: 0, receipts: 0 },
  madeAt: null,
};

/**
 * Finds the newest manifest of a store, and compares it with what is known of it and with the journal.
 *
 * @param known null: nothing was shipped there by this node, as far as it knows
 * @throws WormError; the signal's reason
 */
export async function findPlace(
  store: WormStore,
  source: WormSource,
  known: KnownPlace | null,
  signal: AbortSignal,
): Promise<Place> {
  if (known !== null) await assertThere(store, known);
  const number = await newestNumber(store, known?.number ?? 0, signal);
  if (number === 0) return NOWHERE;
  const stored = await store.read(manifestPath(number), null, MAX_MANIFEST_BYTES);
  if (stored === undefined) throw lost(store, number, 'it went while it was looked for');
  const opened = openDocument(WORM_MANIFEST, stored.bytes, source.keys, source.signer.name);
  if (!opened.ok || opened.value.value.number !== number) {
    const message = `${store.name}/${manifestPath(number)} is not signed by this log (${source.signer.name}): give each node a place of its own`;
    throw new WormError('store_other_log', message);
  }
  const { audit, ends, journal, made_at } = opened.value.value;
  await assertPast(store, source, 'journal', journal);
  await assertPast(store, source, 'audit', audit);
  return { number, digest: digestOf(stored.bytes), ends, madeAt: made_at };
}

/** @throws WormError `store_lost` */
export async function assertThere(store: WormStore, { number, digest }: KnownPlace): Promise<void> {
  const stored = await store.read(manifestPath(number), null, MAX_MANIFEST_BYTES);
  if (stored === undefined) throw lost(store, number, 'it is not there any more');
  if (digestOf(stored.bytes) !== digest) throw lost(store, number, 'it holds other bytes than were shipped');
}

async function assertPast(store: WormStore, source: WormSource, log: 'journal' | 'audit', note: string): Promise<void> {
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  if (!checkpoint.ok) throw new WormError('store_other_log', `${store.name}: its newest manifest has no checkpoint`);
  const { size, root } = checkpoint.value;
  const ends = await source.ends();
  if (size > ends[log]) {
    const message = `${store.name} has a checkpoint of this ${log} over ${size} records, and ${ends[log]} are here: this is an old copy. ${NEXT[log]}`;
    throw new WormError('store_ahead', message, { note });
  }
  if ((await source.root(log, size)) === encodeBase64(root)) return;
  const message = `${store.name} has another root of the ${log} over ${size} records than is here: one of the two histories is false. Keep both, they are evidence. ${NEXT[log]}`;
  throw new WormError('store_contradicts', message, { note });
}

const NEXT = {
  journal: 'Restore the newest copy, or have the missing end given back by partners',
  audit:
    'The end of an audit log is not given back by anybody: it is in the store. Name a new, empty place for what follows, and keep both',
} as const;

function lost(store: WormStore, number: number, why: string): WormError {
  const message = `${store.name}/${manifestPath(number)}: ${why}. Look at its versions and at who may delete; what this node still has can be shipped to a new, empty place`;
  return new WormError('store_lost', message);
}
