/**
 * Where a chain is gone on with by a node that was put back from a copy. Its journal has been given back by others, the end of its
 * audit log by nobody: what the store holds of that stays there, named by the next manifest.
 */
import { isoMicros } from '../core/time.ts';
import { MAX_RESTORES, manifestPath, type WormEnds, type WormRestore } from '../wire/worm-manifest.ts';
import { type Era, eraOf, leftBefore, type Manifests, type OpenedManifest } from './manifests.ts';
import type { Pasts } from './pasts.ts';
import { lost, WormError, type WormStore } from './store.ts';

const NONE: WormEnds = { anchors: 0, audit: 0, journal: 0, receipts: 0 };

/**
 * The newest manifest that is a past of this node. One history has it on its way from the first manifest, through the restores.
 *
 * @param newest one that is none
 * @returns null: the copy is from before the first manifest
 * @throws WormError `store_forked`: nothing is missing here of a history that the chain has left. `store_lost`; the signal's reason
 */
export async function baseAfterRestore(
  manifests: Manifests,
  pasts: Pasts,
  newest: OpenedManifest,
): Promise<OpenedManifest | null> {
  let [era, top] = [eraOf(newest), newest];
  for (;;) {
    const base = await newestPastIn(manifests, pasts, era);
    if (base !== null && base.digest === top.digest) throw forked(manifests.store, base.manifest.number);
    if (base !== null || era.restore === undefined) return base;
    const left = await leftBefore(manifests, era);
    if (left === null)
      throw lost(manifests.store, manifestPath(era.restore.number - 1), 'it cannot be opened any more');
    [era, top] = [eraOf(left), left];
  }
}

/** What the next manifest says of it. @throws WormError `store_conflict` when a chain has been restored too often */
export function restoreAt({ manifest }: OpenedManifest, base: OpenedManifest | null, nowMs: number): WormRestore {
  const count = (manifest.restored?.count ?? 0) + 1;
  if (count > MAX_RESTORES)
    throw new WormError(
      'store_conflict',
      `this chain was gone on with after ${MAX_RESTORES} restores: name a new, empty place`,
    );
  return {
    at: isoMicros(nowMs * 1000),
    base: base?.manifest.number ?? 0,
    base_digest: base?.digest ?? null,
    count,
    from: base?.manifest.ends ?? NONE,
    left: manifest.ends,
    number: manifest.number + 1,
  };
}

/** Within one history what is a past is a past up to some manifest. What a store keeps no longer is at its beginning. */
async function newestPastIn(manifests: Manifests, pasts: Pasts, era: Era): Promise<OpenedManifest | null> {
  let [low, high, past]: [number, number, OpenedManifest | null] = [era.first, era.last, null];
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const opened = await manifests.open(middle);
    if (opened !== null && (await pasts.difference(opened)) !== null) high = middle - 1;
    else {
      past = opened ?? past;
      low = middle + 1;
    }
  }
  return past;
}

/** A copy that is put back lacks what came after it. One that lacks nothing is the node itself, and somebody else has gone on. */
function forked(store: WormStore, number: number): WormError {
  const message = `${store.name}: this node has everything up to ${manifestPath(number)}, and the manifest behind it goes on from an older copy of this node. Two copies run, or an older one did. Stop the other one; this one has the longer history: name a new, empty place for what follows, and keep the old one`;
  return new WormError('store_forked', message);
}
