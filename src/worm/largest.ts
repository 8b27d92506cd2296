/**
 * The largest checkpoint of the journal among manifests below the newest. Each manifest of this node names no less than the one before
 * it; one that does is of somebody else who has its log key, and hides what stands before it from whoever asks the newest alone.
 */
import { statedSize } from '../merkle/checkpoint.ts';
import { ed25519Verifier, parseNote, verifyNote } from '../merkle/note.ts';
import type { ManifestTrust, OpenedManifest } from './manifests.ts';

/** Manifests that are looked at, evenly between the ends: all of them where there are no more. */
export const PROBES = 1_024;
const AT_ONCE = 16;

interface Probe {
  readonly number: number;
  readonly size: number;
}

/** What a note says when the log has signed it: any other is nobody's word, however much it claims. */
export function signedSizeOf(note: string, { keys, origin }: ManifestTrust): number {
  const parsed = parseNote(note);
  const isSigned = parsed.ok && keys.some((key) => verifyNote(parsed.value, [ed25519Verifier(origin, key)]).ok);
  return isSigned ? statedSize(note) : 0;
}

/**
 * @param open a manifest, or null
 * @param sizeOf what its checkpoint is worth
 * @param from below it nothing is looked at
 * @returns undefined: none of those that were looked at names more than the ones above it
 */
export async function largestBelow(
  open: (number: number) => Promise<OpenedManifest | null>,
  sizeOf: (note: string) => number,
  top: OpenedManifest,
  from: number,
): Promise<string | undefined> {
  const newest = top.manifest.number;
  const step = Math.max(1, Math.ceil((newest - from) / PROBES));
  let above: Probe = { number: newest, size: sizeOf(top.manifest.journal) };
  let [largest, limit]: [Probe, number] = [above, newest];
  for (let number = newest - step; number >= Math.max(1, from); number -= step * AT_ONCE) {
    const numbers = Array.from({ length: AT_ONCE }, (_, i) => number - i * step).filter(
      (one) => one >= Math.max(1, from),
    );
    const batch = await Promise.all(numbers.map(async (one) => probeOf(await open(one), sizeOf)));
    for (const probe of batch) {
      if (probe === null) continue;
      if (probe.size > largest.size) [largest, limit] = [probe, above.number];
      above = probe;
    }
  }
  if (largest.number === newest) return undefined;
  // What was signed last before it got less.
  let best = (await open(largest.number))?.manifest.journal;
  for (let low = largest.number; limit - low > 1; ) {
    const middle = Math.floor((low + limit) / 2);
    const opened = await open(middle);
    if (opened !== null && sizeOf(opened.manifest.journal) >= largest.size)
      [low, best] = [middle, opened.manifest.journal];
    else limit = middle;
  }
  return best;
}

function probeOf(opened: OpenedManifest | null, sizeOf: (note: string) => number): Probe | null {
  return opened === null ? null : { number: opened.manifest.number, size: sizeOf(opened.manifest.journal) };
}
