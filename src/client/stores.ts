/** What a reader remembers between answers, and between runs. */

/** A checkpoint that a reader has verified. */
export interface SeenCheckpoint {
  readonly size: number;
  /** Root hash, base64. */
  readonly root: string;
  /** The signed note: with a contradicting one it is evidence. */
  readonly note: string;
}

/** Where the last checkpoint of each log, and the first one of each node, is kept. One reader writes to it at a time. */
export interface CheckpointStore {
  /**
   * @param origin name of a log, or id of a node
   * @returns undefined: none was seen yet
   * @throws if what is kept cannot be read: a reader does not begin anew
   */
  load(origin: string): Promise<SeenCheckpoint | undefined>;
  /** Durable when it resolves, as far as the place is. */
  save(origin: string, checkpoint: SeenCheckpoint): Promise<void>;
}

/** Where a follower of changes keeps how far it has come. */
export interface PositionStore {
  load(name: string): Promise<number | undefined>;
  save(name: string, position: number): Promise<void>;
}

/** Keeps things as long as the program runs. */
export class MemoryStore implements CheckpointStore {
  readonly #seen = new Map<string, SeenCheckpoint>();

  async load(origin: string): Promise<SeenCheckpoint | undefined> {
    return this.#seen.get(origin);
  }

  async save(origin: string, checkpoint: SeenCheckpoint): Promise<void> {
    this.#seen.set(origin, checkpoint);
  }
}

/** Keeps positions as long as the program runs. */
export class MemoryPositions implements PositionStore {
  readonly #positions = new Map<string, number>();

  async load(name: string): Promise<number | undefined> {
    return this.#positions.get(name);
  }

  async save(name: string, position: number): Promise<void> {
    this.#positions.set(name, position);
  }
}

/** Reads one kept checkpoint. @throws TypeError if the text is none */
export function readSeen(text: string): SeenCheckpoint {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && 'size' in value && 'root' in value && 'note' in value) {
    const { size, root, note } = value;
    if (Number.isSafeInteger(size) && typeof root === 'string' && typeof note === 'string') {
      return { size: Number(size), root, note };
    }
  }
  throw new TypeError('what was kept is no checkpoint');
}

/** Reads one kept position. @throws TypeError if the text is none */
export function readPosition(text: string): number {
  const position: unknown = JSON.parse(text);
  if (Number.isSafeInteger(position) && Number(position) >= 0) return Number(position);
  throw new TypeError('what was kept is no position');
}
