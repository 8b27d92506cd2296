/** The newest checkpoint in a store, for whoever asks whether this copy of the node is the newest: nothing that cannot be opened passes for nothing. */
import { openDocument } from '../wire/signed-document.ts';
import { MAX_MANIFEST_BYTES, MAX_MANIFEST_NUMBER, manifestPath, WORM_MANIFEST } from '../wire/worm-manifest.ts';
import { WormError, type WormStore } from './store.ts';

/**
 * `head`: the newest manifest is signed by a key that was given. `unreadable`: something newer than `note` is there, or was,
 * and cannot be opened; nobody can tell what it holds.
 */
export type NewestCheckpoint =
  | { readonly kind: 'none' }
  | { readonly kind: 'head'; readonly note: string }
  | { readonly kind: 'unreadable'; readonly note: string | null; readonly detail: string };

export interface NewestOptions {
  /** Raw log keys. */
  readonly keys: readonly Uint8Array[];
  readonly origin: string;
  /** How many manifests there have been at least; 0: it is not known. */
  readonly atLeast: number;
  readonly signal: AbortSignal;
}

/** Numbers behind a hole that are looked at, each. */
const LOOK_PAST = 16;
/** Manifests below the newest that are read one by one; then in doubling steps. */
const STEP_BY_STEP = 16;

/**
 * The newest checkpoint of the journal in a store, signed manifest and all. It is for the caller to judge.
 *
 * @throws WormError if the store cannot be asked; the signal's reason
 */
export async function newestCheckpoint(store: WormStore, options: NewestOptions): Promise<NewestCheckpoint> {
  const newest = await newestPastHoles(store, options.atLeast, options.signal).catch((error: unknown) => {
    if (error instanceof WormError && error.code === 'store_other_log') return error.message;
    throw error;
  });
  if (typeof newest === 'string') return { kind: 'unreadable', note: null, detail: newest };
  if (newest === 0) return { kind: 'none' };
  const first = await noteAt(store, newest, options);
  if (first !== null) return { kind: 'head', note: first };
  const detail = `${store.name}/${manifestPath(newest)} is gone, or is not signed by a key of this log that is known here`;
  return { kind: 'unreadable', note: await newestBelow(store, newest, options), detail };
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
  for (let from: number | undefined = atLeast; from !== undefined; ) {
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

/** The newest that opens: one by one, then in doubling steps, and between the last two by halves, as of a change of keys. */
async function newestBelow(store: WormStore, newest: number, options: NewestOptions): Promise<string | null> {
  let shut = newest;
  for (let back = 1; shut > 1; back = back < STEP_BY_STEP ? back + 1 : back * 2) {
    let open = Math.max(1, newest - back);
    let note = await noteAt(store, open, options);
    if (note === null) {
      shut = open;
      continue;
    }
    while (shut - open > 1) {
      const middle = Math.floor((open + shut) / 2);
      const between = await noteAt(store, middle, options);
      if (between === null) shut = middle;
      else [open, note] = [middle, between];
    }
    return note;
  }
  return null;
}

/** Null: it does not open, whatever the reason. */
async function noteAt(
  store: WormStore,
  number: number,
  { keys, origin, signal }: NewestOptions,
): Promise<string | null> {
  signal.throwIfAborted();
  const stored = await store.read(manifestPath(number), null, MAX_MANIFEST_BYTES).catch((error: unknown) => {
    if (error instanceof WormError) return undefined;
    throw error;
  });
  const opened = stored === undefined ? undefined : openDocument(WORM_MANIFEST, stored.bytes, keys, origin);
  return opened?.ok === true && opened.value.value.number === number ? opened.value.value.journal : null;
}

function endless(store: WormStore): WormError {
  const message = `${store.name} says that there is a manifest of every number up to ${MAX_MANIFEST_NUMBER}: it is no store of this log`;
  return new WormError('store_other_log', message);
}
