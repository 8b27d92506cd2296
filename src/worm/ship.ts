/**
 * One round of an export: what is new of each stream as segments, then the manifest that names them. Killed at any point, the
 * next round finds the newest manifest, makes the same segments again under the same names, and goes on behind it.
 */
import { isoMicros } from '../core/time.ts';
import { signDocument } from '../wire/signed-document.ts';
import {
  digestOf,
  MAX_MANIFEST_SEGMENTS,
  manifestPath,
  segmentPath,
  WORM_MANIFEST,
  WORM_STREAMS,
  type WormEnds,
  type WormManifest,
  type WormSegment,
  type WormStream,
} from '../wire/worm-manifest.ts';
import type { Place } from './place.ts';
import type { WormHead, WormSource } from './source.ts';
import { WormError, type WormStore } from './store.ts';

/** A segment is closed with the batch that reaches one of these. */
const SEGMENT_RECORDS = 10_000;
const SEGMENT_BYTES = 4_194_304;
const SECOND_MS = 1_000;

export interface ShipDeps {
  readonly source: WormSource;
  readonly store: WormStore;
  readonly retainMs: number;
  readonly nowMs: () => number;
  /** Looked at between objects. */
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Shipped {
  readonly place: Place;
  /** Records of this round. */
  readonly records: number;
  readonly segments: number;
  /** There is more, which takes another manifest. */
  readonly hasMore: boolean;
}

/** Ships what is behind `place`. @returns the new place; the same if there was nothing. @throws WormError; the signal's reason */
export async function shipRound(place: Place, deps: ShipDeps): Promise<Shipped> {
  const { nowMs, source, store } = deps;
  const heads = await source.heads();
  if (heads === undefined)
    throw new WormError('nothing_signed', 'no checkpoint has been signed yet: run `stigmem-peerd journal head` first');
  const last = coveredEnds(await source.ends(), heads);
  const startedMs = nowMs();
  const retainUntilMs = retainUntil(startedMs, deps.retainMs);
  const { segments, ends } = await shipSegments(place.ends, last, retainUntilMs, deps);
  if (segments.length === 0) return { place, records: 0, segments: 0, hasMore: false };
  const number = place.number + 1;
  const { restored } = place;
  const manifest: WormManifest = {
    audit: heads.audit.note,
    ends,
    journal: heads.journal.note,
    made_at: isoMicros(startedMs * 1000),
    number,
    previous: place.digest,
    ...(restored === null ? {} : { restored }),
    retain_until: store.hasRetention ? new Date(retainUntilMs).toISOString() : null,
    segments,
    v: restored === null ? 1 : 2,
  };
  const bytes = Buffer.from(signDocument(WORM_MANIFEST, manifest, source.signer));
  await store.put(manifestPath(number), bytes, retainUntilMs);
  return {
    place: { number, digest: digestOf(bytes), ends, madeAt: manifest.made_at, restored },
    records: segments.reduce((sum, { first, last: end }) => sum + end - first + 1, 0),
    segments: segments.length,
    hasMore: WORM_STREAMS.some((stream) => ends[stream] < last[stream]),
  };
}

/** Whole seconds are what stores keep; the next one, so that nothing is kept for less than was asked for. */
export function retainUntil(nowMs: number, retainMs: number): number {
  return Math.ceil((nowMs + retainMs) / SECOND_MS) * SECOND_MS;
}

/** Nothing is shipped that no checkpoint covers: whoever reads the store could not tell it from what was made up. */
function coveredEnds(ends: WormEnds, heads: { readonly journal: WormHead; readonly audit: WormHead }): WormEnds {
  return {
    ...ends,
    audit: Math.min(ends.audit, heads.audit.size),
    journal: Math.min(ends.journal, heads.journal.size),
  };
}

async function shipSegments(
  from: WormEnds,
  last: WormEnds,
  retainUntilMs: number,
  deps: ShipDeps,
): Promise<{ readonly segments: readonly WormSegment[]; readonly ends: WormEnds }> {
  const segments: WormSegment[] = [];
  const ends = { ...from };
  const done = (): number => WORM_STREAMS.reduce((sum, stream) => sum + ends[stream] - from[stream], 0);
  const total = WORM_STREAMS.reduce((sum, stream) => sum + Math.max(0, last[stream] - from[stream]), 0);
  for (const stream of WORM_STREAMS) {
    while (ends[stream] < last[stream] && segments.length < MAX_MANIFEST_SEGMENTS) {
      deps.signal.throwIfAborted();
      const segment = await shipSegment(stream, ends[stream], last[stream], retainUntilMs, deps);
      segments.push(segment);
      ends[stream] = segment.last;
      deps.onProgress?.(done(), total);
    }
  }
  return { segments, ends };
}

async function shipSegment(
  stream: WormStream,
  after: number,
  end: number,
  retainUntilMs: number,
  { source, store }: ShipDeps,
): Promise<WormSegment> {
  const parts: Buffer[] = [];
  let [last, size] = [after, 0];
  while (last < end && last - after < SEGMENT_RECORDS && size < SEGMENT_BYTES) {
    const batch = await source.read(stream, last, end);
    const part = Buffer.from(batch.text);
    parts.push(part);
    size += part.length;
    last = batch.last;
  }
  const bytes = Buffer.concat(parts, size);
  const path = segmentPath(stream, after + 1, bytes);
  const { version } = await store.put(path, bytes, retainUntilMs);
  return { bytes: size, first: after + 1, last, path, sha256: digestOf(bytes), stream, version };
}
