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

/** A fact that a node does not show for now: it owes the fact, or the proof that it is erased. */
export interface OwedFact {
  readonly position: number;
  readonly feed: string;
  readonly feedSeq: number;
  /** POSIX ms: from then on it counts as withheld. */
  readonly untilMs: number;
}

/** Where a follower of changes keeps how far it has come, and what it is owed from before that. One follower writes to a name at a time. */
export interface PositionStore {
  load(name: string): Promise<number | undefined>;
  save(name: string, position: number): Promise<void>;
  /** None where none were saved. */
  loadOwed(name: string): Promise<readonly OwedFact[]>;
  /** In place of those that were saved before. */
  saveOwed(name: string, owed: readonly OwedFact[]): Promise<void>;
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
  readonly #owed = new Map<string, readonly OwedFact[]>();

  async load(name: string): Promise<number | undefined> {
    return this.#positions.get(name);
  }

  async save(name: string, position: number): Promise<void> {
    this.#positions.set(name, position);
  }

  async loadOwed(name: string): Promise<readonly OwedFact[]> {
    return this.#owed.get(name) ?? [];
  }

  async saveOwed(name: string, owed: readonly OwedFact[]): Promise<void> {
    this.#owed.set(name, owed);
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

/** Reads what a follower is owed. @throws TypeError if the text is no such list */
export function readOwed(text: string): readonly OwedFact[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw new TypeError('what was kept is no list of owed facts');
  return list.map(owedFact);
}

function owedFact(value: unknown): OwedFact {
  if (typeof value === 'object' && value !== null && 'position' in value && 'feed' in value) {
    const { position, feed } = value;
    const feedSeq = 'feedSeq' in value ? value.feedSeq : undefined;
    const untilMs = 'untilMs' in value ? value.untilMs : undefined;
    const numbers = [position, feedSeq, untilMs].filter((one) => Number.isSafeInteger(one)).map(Number);
    const [at, place, until] = numbers;
    if (typeof feed === 'string' && at !== undefined && place !== undefined && until !== undefined) {
      return { position: at, feed, feedSeq: place, untilMs: until };
    }
  }
  throw new TypeError('what was kept is no owed fact');
}
