/**
 * Whether the newest manifests follow one another as this node makes them. Whoever holds an old copy's log key and may write to the
 * store can sign one that claims more than was shipped: what it claims would never be shipped, and nobody would miss it.
 */
import { statedSize } from '../merkle/checkpoint.ts';
import { manifestPath, WORM_STREAMS, type WormEnds } from '../wire/worm-manifest.ts';
import type { Manifests, OpenedManifest } from './manifests.ts';
import { WormError } from './store.ts';

/** Manifests behind the one that is known are looked at, so many of the newest at most. */
export const LOOK_BACK = 256;
const NOTHING: WormEnds = { anchors: 0, audit: 0, journal: 0, receipts: 0 };

/** @param known the newest manifest that this node made, as far as it knows; 0: none @throws WormError `store_conflict`; the signal's reason */
export async function assertFollows(manifests: Manifests, newest: OpenedManifest, known: number): Promise<void> {
  const last = Math.max(known, newest.manifest.number - LOOK_BACK);
  for (let after = newest; after.manifest.number > last; ) {
    const { number } = after.manifest;
    const before = number === 1 ? null : await manifests.open(number - 1);
    if (number > 1 && before === null) {
      const path = manifestPath(number - 1);
      // A store that keeps things for a time may have it no longer.
      if (!(await manifests.store.exists(path))) return;
      throw conflict(manifests, path, 'it is there, or was deleted, and this log has not signed what can be read');
    }
    const why = fault(before, after) ?? (await baseFault(manifests, after));
    if (why !== null) throw conflict(manifests, manifestPath(number), why);
    if (before === null) return;
    after = before;
  }
}

/** Null: one could have been made behind the other. */
function fault(before: OpenedManifest | null, { manifest }: OpenedManifest): string | null {
  const { audit, ends, journal, number, previous, restored, segments } = manifest;
  if (previous !== (before?.digest ?? null)) return 'it names another manifest before it than the one that is there';
  const had = before?.manifest.ends ?? NOTHING;
  const begins = restored?.number === number;
  if (!begins && JSON.stringify(restored) !== JSON.stringify(before?.manifest.restored))
    return 'it names another restore than the manifest before it';
  if (begins && !sameEnds(restored.left, had)) return 'the manifest before it ends elsewhere than it says';
  const reached = { ...(begins ? restored.from : had) };
  for (const { first, last, stream } of segments) {
    if (first !== reached[stream] + 1 || last < first)
      return `expected ${stream} to go on at ${reached[stream] + 1}, got ${first} to ${last}`;
    reached[stream] = last;
  }
  const jumped = WORM_STREAMS.find((stream) => reached[stream] !== ends[stream]);
  if (jumped !== undefined)
    return `expected ${jumped} to end at ${reached[jumped]}, as its segments do, got ${ends[jumped]}`;
  const signed = before === null ? 0 : statedSize(before.manifest.journal);
  // A restore that says less is the guard's and the reader's to tell: nothing is passed over behind it.
  if (!begins && statedSize(journal) < signed)
    return `expected a checkpoint of the journal over ${signed} entries or more, as the one before it has, got ${statedSize(journal)}`;
  const beyond = ends.journal > statedSize(journal) || ends.audit > statedSize(audit);
  return beyond ? 'it ends beyond what its checkpoints cover' : null;
}

async function baseFault(
  manifests: Manifests,
  { manifest: { number, restored } }: OpenedManifest,
): Promise<string | null> {
  if (restored?.number !== number) return null;
  if (restored.base >= number) return `it goes on from manifest ${restored.base}, which is not before it`;
  const base = restored.base === 0 ? null : await manifests.open(restored.base);
  // Kept no longer: nothing can be said against it.
  if (base === null && restored.base !== 0) return null;
  const isSame =
    (base?.digest ?? null) === restored.base_digest && sameEnds(base?.manifest.ends ?? NOTHING, restored.from);
  return isSame ? null : `manifest ${restored.base}, which it goes on from, is another one than it says`;
}

function sameEnds(a: WormEnds, b: WormEnds): boolean {
  return WORM_STREAMS.every((stream) => a[stream] === b[stream]);
}

function conflict({ store }: Manifests, path: string, why: string): WormError {
  const message = `${store.name}/${path} does not follow what is before it: ${why}. This node did not make it; somebody who may write there did, with this node's log key where it is signed. Nothing is shipped behind it. Keep all of it, it is evidence; take the right to write away from others, put a new log key in place (\`stigmem-peerd keys rotate log\`), and name a new, empty place`;
  return new WormError('store_conflict', message);
}
