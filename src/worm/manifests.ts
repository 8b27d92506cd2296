/** Manifests of one store as their signatures let them be read, each fetched once. */
import { openDocument } from '../wire/signed-document.ts';
import { digestOf, MAX_MANIFEST_BYTES, manifestPath, WORM_MANIFEST, type WormManifest } from '../wire/worm-manifest.ts';
import type { WormStore } from './store.ts';

export interface ManifestTrust {
  /** Raw log keys. */
  readonly keys: readonly Uint8Array[];
  readonly origin: string;
}

export interface OpenedManifest {
  readonly manifest: WormManifest;
  /** Hash of its bytes. */
  readonly digest: string;
}

export class Manifests {
  readonly store: WormStore;
  readonly #trust: ManifestTrust;
  readonly #signal: AbortSignal;
  readonly #opened = new Map<number, OpenedManifest | null>();

  constructor(store: WormStore, trust: ManifestTrust, signal: AbortSignal) {
    this.store = store;
    this.#trust = trust;
    this.#signal = signal;
  }

  /** Null: it is not there, or not signed by this log, or stands for another place. @throws WormError; the signal's reason */
  async open(number: number): Promise<OpenedManifest | null> {
    const known = this.#opened.get(number);
    if (known !== undefined) return known;
    const opened = await this.#read(number);
    this.#opened.set(number, opened);
    return opened;
  }

  async #read(number: number): Promise<OpenedManifest | null> {
    const opened = await this.openVersion(manifestPath(number), null);
    return opened?.manifest.number === number ? opened : null;
  }

  /** Whatever manifest stands there. @param version of a store with versions; null: the newest @throws as `open` */
  async openVersion(path: string, version: string | null): Promise<OpenedManifest | null> {
    this.#signal.throwIfAborted();
    const stored = await this.store.read(path, version, MAX_MANIFEST_BYTES);
    if (stored === undefined) return null;
    const { keys, origin } = this.#trust;
    const opened = openDocument(WORM_MANIFEST, stored.bytes, keys, origin);
    return opened.ok ? { manifest: opened.value.value, digest: digestOf(stored.bytes) } : null;
  }
}

/** Manifests from `first` to `last` that one history has made, one behind the other; `restore` is what began it. */
export interface Era {
  readonly first: number;
  readonly last: number;
  readonly restore: WormManifest['restored'];
}

/** The era of a manifest, which is as far as it goes here. */
export function eraOf({ manifest: { number, restored } }: OpenedManifest): Era {
  return { first: restored?.number ?? 1, last: number, restore: restored };
}

/**
 * The manifest that was left when an era began; it ends the era before.
 *
 * @returns null: it cannot be opened, or says what it cannot
 */
export async function leftBefore(manifests: Manifests, { restore }: Era): Promise<OpenedManifest | null> {
  if (restore === undefined) return null;
  const left = await manifests.open(restore.number - 1);
  // Each era is earlier than the one that left it: whoever follows them comes to an end.
  const isBefore = left !== null && (left.manifest.restored?.number ?? 1) < restore.number;
  return isBefore && (left.manifest.restored?.count ?? 0) === restore.count - 1 ? left : null;
}
