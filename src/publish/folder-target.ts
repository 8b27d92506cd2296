import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { syncFolder } from '../config/atomic-file.ts';
import { makeFolders } from '../config/make-folders.ts';
import { PublishError, type PublishTarget, type Versioned } from './target.ts';

/** Files are for everybody: a web server serves them under another account. */
const FILE_MODE = 0o644;

/** A folder that a web server can serve as it is. */
export class FolderTarget implements PublishTarget {
  readonly name: string;
  readonly #root: string;
  #temporaries = 0;

  /** @throws PublishError `target_unusable` if it can be no folder */
  constructor(root: string) {
    this.#root = root;
    this.name = root;
    try {
      makeFolders(root);
    } catch (cause) {
      const message = `${root} cannot be used as a folder (${(cause as Error).message}): name another one`;
      throw new PublishError('target_unusable', message, { cause });
    }
  }

  async read(path: string): Promise<Versioned | undefined> {
    const file = join(this.#root, path);
    return existsSync(file) ? { bytes: readFileSync(file), version: null } : undefined;
  }

  async writeOnce(path: string, bytes: Uint8Array): Promise<boolean> {
    const file = join(this.#root, path);
    if (existsSync(file)) return false;
    this.#write(file, bytes);
    return true;
  }

  async replace(path: string, bytes: Uint8Array, known: Versioned | undefined): Promise<void> {
    const now = await this.read(path);
    const isSame =
      now === undefined ? known === undefined : known !== undefined && Buffer.compare(now.bytes, known.bytes) === 0;
    if (!isSame) throw changed(join(this.#root, path));
    this.#write(join(this.#root, path), bytes);
  }

  async removeGrowing(fullPath: string): Promise<void> {
    rmSync(join(this.#root, `${fullPath}.p`), { recursive: true, force: true });
  }

  /** A crash before the rename leaves a `.tmp` file, which no reader asks for. */
  #write(file: string, bytes: Uint8Array): void {
    const folder = dirname(file);
    makeFolders(folder);
    const temporary = join(folder, `.${process.pid}-${this.#temporaries++}.tmp`);
    const handle = openSync(temporary, 'w', FILE_MODE);
    try {
      // Not writeSync: on a disk that is nearly full it writes what fits, and reports no error.
      writeFileSync(handle, bytes);
      fsyncSync(handle);
    } catch (thrown) {
      rmSync(temporary, { force: true });
      throw thrown;
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
    syncFolder(folder);
  }
}

/** Another export was there meanwhile. */
export function changed(where: string): PublishError {
  return new PublishError(
    'target_changed',
    `${where} was written by somebody else meanwhile: let one export run at a time, then start this one again`,
  );
}
