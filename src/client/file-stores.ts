import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CheckpointStore,
  type OwedFact,
  type PositionStore,
  readOwed,
  readPosition,
  readSeen,
  type SeenCheckpoint,
} from './stores.ts';

/** Keeps the last checkpoint of each log in a file of its own below a folder. */
export class FileStore implements CheckpointStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async load(origin: string): Promise<SeenCheckpoint | undefined> {
    const text = await readOrNone(this.#path(origin));
    return text === undefined ? undefined : readSeen(text);
  }

  async save(origin: string, checkpoint: SeenCheckpoint): Promise<void> {
    await writeDurably(this.#folder, this.#path(origin), JSON.stringify(checkpoint));
  }

  #path(origin: string): string {
    return join(this.#folder, `${nameOf(origin)}.checkpoint.json`);
  }
}

/** Keeps positions in files below a folder. */
export class FilePositions implements PositionStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async load(name: string): Promise<number | undefined> {
    const text = await readOrNone(this.#path(name));
    return text === undefined ? undefined : readPosition(text);
  }

  async save(name: string, position: number): Promise<void> {
    await writeDurably(this.#folder, this.#path(name), JSON.stringify(position));
  }

  async loadOwed(name: string): Promise<readonly OwedFact[]> {
    const text = await readOrNone(this.#owedPath(name));
    return text === undefined ? [] : readOwed(text);
  }

  async saveOwed(name: string, owed: readonly OwedFact[]): Promise<void> {
    await writeDurably(this.#folder, this.#owedPath(name), JSON.stringify(owed));
  }

  #path(name: string): string {
    return join(this.#folder, `${nameOf(name)}.position.json`);
  }

  #owedPath(name: string): string {
    return join(this.#folder, `${nameOf(name)}.owed.json`);
  }
}

/** Names hold slashes, and come from others. */
function nameOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 32);
}

async function readOrNone(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A crash leaves the old file or the new one. */
async function writeDurably(folder: string, path: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = await open(`${path}.tmp`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.tmp`, path);
}
