/** The newest checkpoint in a store, for whoever asks whether this copy of the node is the newest: nothing that cannot be opened passes for nothing. */
import { MAX_MANIFEST_NUMBER, manifestPath } from '../wire/worm-manifest.ts';
import { largestBelow, signedSizeOf } from './largest.ts';
import { eraOf, leftBefore, Manifests, type OpenedManifest } from './manifests.ts';
import { WormError, type WormStore } from './store.ts';

/**
 * `notes` are checkpoints, the newest first: of the newest manifest that opens, and of each that was left at a restore, so that a
 * restore that claims to go on from less than was signed hides nothing; and the largest of the others, where it is larger than those. `head`: all of them are signed by a key that was given.
 * `unreadable`: something newer is there, or was, and cannot be opened; nobody can tell what it holds.
 */
export type NewestCheckpoint =
  | { readonly kind: 'none' }
  | { readonly kind: 'head'; readonly notes: readonly string[] }
  | { readonly kind: 'unreadable'; readonly notes: readonly string[]; readonly detail: string };

export interface NewestOptions {
  /** Raw log keys. */
  readonly keys: readonly Uint8Array[];
  readonly origin: string;
  /** How many manifests there have been at least; 0: it is not known. */
  readonly atLeast: number;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** Manifests below the newest whose versions are listed. */
const MAX_LISTED = 50_000;
/** Numbers behind a hole that are looked at, each. */
const LOOK_PAST = 16;
/** Holes that are looked past. */
const MAX_HOLES = 64;
/** Manifests below the newest that are read one by one; then in doubling steps. */
const STEP_BY_STEP = 16;

/**
 * The newest checkpoints of the journal in a store, as signed manifests name them. They are for the caller to judge.
 *
 * @throws WormError if the store cannot be asked; the signal's reason
 */
export async function newestCheckpoint(store: WormStore, options: NewestOptions): Promise<NewestCheckpoint> {
  const newest = await newestPastHoles(store, options.atLeast, options.signal).catch((error: unknown) => {
    if (error instanceof WormError && error.code === 'store_other_log') return error.message;
    throw error;
  });
  if (typeof newest === 'string') return { kind: 'unreadable', notes: [], detail: newest };
  if (newest === 0) return { kind: 'none' };
  const manifests = new Manifests(store, options, options.signal);
  const first = await openOrNull(manifests, newest);
  const top = first ?? (await newestBelow(manifests, newest));
  const { notes, unopened } = top === null ? { notes: [], unopened: null } : await endsOfEras(manifests, top, options);
  const shut = first === null ? newest : unopened;
  const hidden = top === null ? undefined : await largestOther(store, options, top, notes);
  if (hidden !== undefined) notes.push(hidden);
  const older = await largestShadowed(manifests, options, newest);
  if (older.note !== null && isNews(older.note, notes, options)) notes.push(older.note);
  if (shut === null && older.isWhole) return { kind: 'head', notes };
  const detail =
    shut === null
      ? `${store.name}: more manifests have been put above others than are looked at`
      : `${store.name}/${manifestPath(shut)} is gone, or is not signed by a key of this log that is known here`;
  return { kind: 'unreadable', notes, detail };
}

function isNews(note: string, notes: readonly string[], trust: NewestOptions): boolean {
  return notes.every((one) => signedSizeOf(one, trust) < signedSizeOf(note, trust));
}

/** In a store with versions one manifest may stand above another: of what is below, the largest checkpoint. */
async function largestShadowed(
  manifests: Manifests,
  options: NewestOptions,
  newest: number,
): Promise<{ readonly note: string | null; readonly isWhole: boolean }> {
  const after = manifestPath(Math.max(0, options.atLeast - 1, newest - MAX_LISTED));
  const { versions, isWhole } = await manifests.store.shadowed('manifest/', after);
  let note: string | null = null;
  for (const { path, version } of versions) {
    const opened = await manifests.openVersion(path, version).catch(nullForStore);
    const size = opened === null ? 0 : signedSizeOf(opened.manifest.journal, options);
    if (opened !== null && size > (note === null ? 0 : signedSizeOf(note, options))) note = opened.manifest.journal;
  }
  return { note, isWhole };
}

/** Checkpoints of a manifest and of those that were left at restores before it. @returns `unopened` one of them that does not open */
async function endsOfEras(
  manifests: Manifests,
  top: OpenedManifest,
  { nowMs }: NewestOptions,
): Promise<{ readonly notes: string[]; readonly unopened: number | null }> {
  const notes = [top.manifest.journal];
  for (let era = eraOf(top); era.restore !== undefined; ) {
    const left = await leftBefore(manifests, era).catch(nullForStore);
    if (left === null) {
      const isPast = nowMs >= (await keptUntilMs(manifests, top, era.restore));
      return { notes, unopened: isPast ? null : era.restore.number - 1 };
    }
    notes.push(left.manifest.journal);
    era = eraOf(left);
  }
  return { notes, unopened: null };
}

/** Not kept in memory, as the others are: there may be many. */
async function largestOther(
  store: WormStore,
  options: NewestOptions,
  top: OpenedManifest,
  notes: readonly string[],
): Promise<string | undefined> {
  const open = (number: number): Promise<OpenedManifest | null> =>
    openOrNull(new Manifests(store, options, options.signal), number);
  const sizeOf = (note: string): number => signedSizeOf(note, options);
  const largest = await largestBelow(open, sizeOf, top, options.atLeast);
  return largest !== undefined && isNews(largest, notes, options) ? largest : undefined;
}

/** Until when the store keeps what stood there at a restore: what went later is no news. */
async function keptUntilMs(
  manifests: Manifests,
  { manifest: { made_at, retain_until } }: OpenedManifest,
  restore: NonNullable<OpenedManifest['manifest']['restored']>,
): Promise<number> {
  const began = await openOrNull(manifests, restore.number);
  if (began !== null) return untilMs(began.manifest.retain_until);
  return untilMs(retain_until) - Date.parse(made_at) + Date.parse(restore.at);
}

/** A folder keeps what it has without end. */
function untilMs(time: string | null): number {
  return time === null ? Number.POSITIVE_INFINITY : Date.parse(time);
}

/**
 * Manifests have no holes: doubling steps, then halves.
 *
 * @param known one that is there; 0: none is known
 * @throws WormError; the signal's reason
 */
export async function newestNumber(store: WormStore, known: number, signal: AbortSignal): Promise<number> {
  const isThere = (number: number): Promise<boolean> => {
    signal.throwIfAborted();
    return store.exists(manifestPath(number));
  };
  let there = known;
  let missing = there + 1;
  for (let step = 1; await isThere(missing); step *= 2) {
    there = missing;
    missing = there + step;
    if (missing > MAX_MANIFEST_NUMBER) throw endless(store);
  }
  while (missing - there > 1) {
    const middle = Math.floor((there + missing) / 2);
    if (await isThere(middle)) there = middle;
    else missing = middle;
  }
  return there;
}

/** What somebody has hidden makes holes. */
async function newestPastHoles(store: WormStore, atLeast: number, signal: AbortSignal): Promise<number> {
  let newest = atLeast;
  let holes = 0;
  for (let from: number | undefined = atLeast; from !== undefined; holes++) {
    if (holes > MAX_HOLES) throw holed(store);
    newest = await newestNumber(store, from, signal);
    const found: readonly (number | null)[] = await Promise.all(
      pastHole(newest).map(async (number) => ((await store.exists(manifestPath(number))) ? number : null)),
    );
    from = found.findLast((number) => number !== null) ?? undefined;
  }
  return newest;
}

/** Behind the end; where nothing is there at all, far behind it too. */
function pastHole(newest: number): readonly number[] {
  const near = Array.from({ length: LOOK_PAST }, (_, i) => newest + 2 + i);
  const far = newest > 0 ? [] : Array.from({ length: 35 }, (_, i) => 2 ** (i + 5));
  return [...near, ...far].filter((number) => number <= MAX_MANIFEST_NUMBER);
}

/**
 * The newest below one that does not open: one by one, then in doubling steps, and between the last two by halves, as of a change
 * of keys.
 *
 * @throws the signal's reason
 */
export async function newestBelow(manifests: Manifests, newest: number): Promise<OpenedManifest | null> {
  let shut = newest;
  for (let back = 1; shut > 1; back = back < STEP_BY_STEP ? back + 1 : back * 2) {
    const open = Math.max(1, newest - back);
    let found = await openOrNull(manifests, open);
    if (found === null) {
      shut = open;
      continue;
    }
    while (shut - found.manifest.number > 1) {
      const middle = Math.floor((found.manifest.number + shut) / 2);
      const between = await openOrNull(manifests, middle);
      if (between === null) shut = middle;
      else found = between;
    }
    return found;
  }
  return null;
}

/** Null: it does not open, whatever the reason. */
export function openOrNull(manifests: Manifests, number: number): Promise<OpenedManifest | null> {
  return manifests.open(number).catch(nullForStore);
}

function nullForStore(error: unknown): null {
  if (error instanceof WormError) return null;
  throw error;
}

function endless(store: WormStore): WormError {
  const message = `${store.name} says that there is a manifest of every number up to ${MAX_MANIFEST_NUMBER}: it is no store of this log`;
  return new WormError('store_other_log', message);
}

function holed(store: WormStore): WormError {
  const message = `${store.name} says that more than ${MAX_HOLES} manifests are missing before others: what is the newest cannot be told`;
  return new WormError('store_other_log', message);
}
