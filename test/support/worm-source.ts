/** A journal of a test as an export asks it. */
import { join } from 'node:path';
import { openDatabase } from '../../src/journal/database.ts';
import { JOURNAL_FILE } from '../../src/journal/files.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { WormRecords } from '../../src/journal/worm-records.ts';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import { type Found, findPlace, type KnownPlace, NOWHERE, type Place } from '../../src/worm/place.ts';
import { type Shipped, shipRound } from '../../src/worm/ship.ts';
import type { WormSource } from '../../src/worm/source.ts';
import type { PutObject, WormStore } from '../../src/worm/store.ts';
import { verifyWorm, type WormReport } from '../../src/worm/verify.ts';
import { IDENTITY, LOG_KEY, LOG_SEED, NOW_MS } from './journal-fixture.ts';

export const RETAIN_MS: number = 30 * 86_400_000;

/** Signs what has grown whenever it is asked for heads, as the daemon does. */
export function wormSource(folder: string, journal: Journal): WormSource {
  const open = <T>(look: (records: WormRecords) => T): T => {
    const db = openDatabase(join(folder, JOURNAL_FILE), { readonly: true, cacheMiB: 4 });
    try {
      return look(new WormRecords(db));
    } finally {
      db.close();
    }
  };
  return {
    signer: createLogSigner(IDENTITY.journalOrigin, LOG_SEED),
    keys: [LOG_KEY],
    heads: async () => {
      const { size, checkpoint, auditSize, auditCheckpoint } = journal.head(0);
      return { journal: { size, note: checkpoint }, audit: { size: auditSize, note: auditCheckpoint } };
    },
    ends: async () => open((records) => records.ends()),
    read: async (stream, after, end) => open((records) => records.read(stream, after, end)),
    writtenAt: async (stream, seq) => open((records) => records.writtenAt(stream, seq)),
    root: async (log, size) => open((records) => records.root(log, size)),
  };
}

export function ship(
  store: WormStore,
  source: WormSource,
  place: Place = NOWHERE,
  retainMs: number = RETAIN_MS,
): Promise<Shipped> {
  const signal = new AbortController().signal;
  return shipRound(place, { source, store, retainMs, nowMs: () => NOW_MS, signal });
}

export function readBack(store: WormStore, atLeast = 0, restores: number | null = 0): Promise<WormReport> {
  const trust = { origin: IDENTITY.journalOrigin, keys: [LOG_KEY] };
  return verifyWorm(store, trust, { atLeast, restores, nowMs: NOW_MS });
}

const NEVER = new AbortController().signal;

/** The place of a store as the export finds it. */
export function find(
  store: WormStore,
  source: WormSource,
  known: KnownPlace | null = null,
  signal: AbortSignal = NEVER,
): Promise<Found> {
  return findPlace(store, source, { known, nowMs: NOW_MS, signal });
}

/** A store that the process loses at its n-th write: before it, or behind it. */
export class DyingStore implements WormStore {
  readonly hasRetention = false;
  readonly weakness = null;
  readonly #store: WormStore;
  #left: number;
  readonly #when: 'before' | 'behind';

  constructor(store: WormStore, at: number, when: 'before' | 'behind') {
    this.#store = store;
    this.#left = at;
    this.#when = when;
  }

  get name(): string {
    return this.#store.name;
  }

  read(path: string, version: string | null, maxBytes: number): ReturnType<WormStore['read']> {
    return this.#store.read(path, version, maxBytes);
  }

  exists(path: string): Promise<boolean> {
    return this.#store.exists(path);
  }

  shadowed(folder: string, after: string): ReturnType<WormStore['shadowed']> {
    return this.#store.shadowed(folder, after);
  }

  async put(path: string, bytes: Uint8Array, retainUntilMs: number): Promise<PutObject> {
    const isLast = --this.#left === 0;
    if (isLast && this.#when === 'before') throw new Error('killed');
    const put = await this.#store.put(path, bytes, retainUntilMs);
    if (isLast) throw new Error('killed');
    return put;
  }
}
