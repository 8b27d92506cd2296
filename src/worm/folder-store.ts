/**
 * A folder that is only added to: each file is written whole, made durable, read-only for everybody and, where root runs on a
 * file system that can, immutable. On plain disks that binds honest programs; storage that enforces it binds everybody.
 */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { syncFolder, TEMPORARY_SUFFIX } from '../config/atomic-file.ts';
import { makeFolders } from '../config/make-folders.ts';
import { NONE_SHADOWED, type PutObject, type Shadowed, type StoredObject, WormError, type WormStore } from './store.ts';

const READ_ONLY = 0o444;
const WRITE_BITS = 0o222;
const run = promisify(execFile);

export class FolderStore implements WormStore {
  readonly name: string;
  readonly hasRetention = false;
  readonly #root: string;
  readonly #chattr: (file: string) => Promise<unknown>;
  #weakness: string | null = null;

  /** @param chattr sets the immutable flag; tests pass their own */
  constructor(root: string, chattr: (file: string) => Promise<unknown> = (file) => run('chattr', ['+i', file])) {
    this.#root = root;
    this.#chattr = chattr;
    this.name = root;
  }

  get weakness(): string | null {
    return this.#weakness;
  }

  async read(path: string, _version: string | null, maxBytes: number): Promise<StoredObject | undefined> {
    const file = join(this.#root, path);
    try {
      if (!existsSync(file)) return undefined;
      const stat = statSync(file);
      if (!stat.isFile()) throw notAFile(file);
      if (stat.size > maxBytes) {
        const message = `${file} has more than ${maxBytes} bytes: it is larger than anything that was shipped`;
        throw new WormError('store_other_log', message);
      }
      return { bytes: readFileSync(file), version: null, lockedUntilMs: null };
    } catch (cause) {
      throw cause instanceof WormError ? cause : unusable(file, cause);
    }
  }

  async exists(path: string): Promise<boolean> {
    return existsSync(join(this.#root, path));
  }

  /** A folder has one file of a name. */
  async shadowed(): Promise<Shadowed> {
    return NONE_SHADOWED;
  }

  async put(path: string, bytes: Uint8Array): Promise<PutObject> {
    const file = join(this.#root, path);
    const existed = existsSync(file);
    if (!existed) {
      try {
        writeWhole(file, bytes);
      } catch (cause) {
        throw unusable(file, cause);
      }
    }
    if (!statSync(file).isFile()) throw notAFile(file);
    const stored = readFileSync(file);
    if (Buffer.compare(stored, bytes) !== 0) {
      const message = `${file} holds other bytes than this node would write there: nothing was overwritten. Keep it, it is evidence; let one node write to one folder`;
      throw new WormError('store_conflict', message);
    }
    if ((statSync(file).mode & WRITE_BITS) !== 0) {
      // A crash came between the name and its mode, or somebody has changed it since.
      chmodSync(file, READ_ONLY);
      if ((statSync(file).mode & WRITE_BITS) !== 0)
        throw new WormError(
          'retention_broken',
          `${file} can still be written to: its file system keeps no modes. Name another folder`,
        );
    }
    // Last: an immutable file takes no other mode. Set again on one that a crash left without it.
    await this.#freeze(file);
    return { version: null, existed };
  }

  async #freeze(file: string): Promise<void> {
    if (this.#weakness !== null) return;
    try {
      await this.#chattr(file);
    } catch {
      this.#weakness = `files in ${this.#root} are read-only, but not immutable: \`chattr +i\` takes root and a file system that has the flag. Whoever may write the folder can remove them`;
    }
  }
}

/** A crash leaves a `.tmp` file, which nobody reads. Not a rename: that would replace what is there. */
function writeWhole(file: string, bytes: Uint8Array): void {
  const folder = dirname(file);
  makeFolders(folder);
  const temporary = `${file}.${process.pid}${TEMPORARY_SUFFIX}`;
  rmSync(temporary, { force: true });
  const handle = openSync(temporary, 'wx', READ_ONLY);
  try {
    writeFileSync(handle, bytes);
    fsyncSync(handle);
    linkSync(temporary, file);
  } finally {
    closeSync(handle);
    rmSync(temporary, { force: true });
  }
  syncFolder(folder);
}

/** A pipe or a device would be read without end. */
function notAFile(file: string): WormError {
  const message = `${file} is not a file: this node puts nothing else there. Look at who may write to the folder, and take it away`;
  return new WormError('store_unusable', message);
}

function unusable(file: string, cause: unknown): WormError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new WormError('store_unusable', `${file} cannot be used (${why}): name another folder, or mend this one`, {
    cause,
  });
}
