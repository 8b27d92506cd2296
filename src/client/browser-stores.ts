import {
  type CheckpointStore,
  type OwedFact,
  type PositionStore,
  readOwed,
  readPosition,
  readSeen,
  type SeenCheckpoint,
} from './stores.ts';

/** The part of `Storage` that is used. */
export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** `localStorage` where there is one. @throws TypeError elsewhere */
function browserStorage(): KeyValueStorage {
  const { localStorage } = globalThis as { readonly localStorage?: KeyValueStorage };
  if (localStorage === undefined) throw new TypeError('there is no localStorage here: pass a storage');
  return localStorage;
}

/** Keeps the last checkpoint of each log in a browser's storage. */
export class BrowserStore implements CheckpointStore {
  readonly #storage: KeyValueStorage;

  constructor(storage: KeyValueStorage = browserStorage()) {
    this.#storage = storage;
  }

  async load(origin: string): Promise<SeenCheckpoint | undefined> {
    const text = this.#storage.getItem(`stigmem.checkpoint.${origin}`);
    return text === null ? undefined : readSeen(text);
  }

  async save(origin: string, checkpoint: SeenCheckpoint): Promise<void> {
    this.#storage.setItem(`stigmem.checkpoint.${origin}`, JSON.stringify(checkpoint));
  }
}

/** Keeps positions in a browser's storage. */
export class BrowserPositions implements PositionStore {
  readonly #storage: KeyValueStorage;

  constructor(storage: KeyValueStorage = browserStorage()) {
    this.#storage = storage;
  }

  async load(name: string): Promise<number | undefined> {
    const text = this.#storage.getItem(`stigmem.position.${name}`);
    return text === null ? undefined : readPosition(text);
  }

  async save(name: string, position: number): Promise<void> {
    this.#storage.setItem(`stigmem.position.${name}`, JSON.stringify(position));
  }

  async loadOwed(name: string): Promise<readonly OwedFact[]> {
    const text = this.#storage.getItem(`stigmem.owed.${name}`);
    return text === null ? [] : readOwed(text);
  }

  async saveOwed(name: string, owed: readonly OwedFact[]): Promise<void> {
    this.#storage.setItem(`stigmem.owed.${name}`, JSON.stringify(owed));
  }
}
