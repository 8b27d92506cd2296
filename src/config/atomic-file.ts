import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What a temporary file's name ends with: whoever lists a folder passes them over. */
export const TEMPORARY_SUFFIX = '.tmp';

/**
 * Writes a whole file or leaves the old one as it was: temporary file, fsync, rename, fsync of the folder. A crash
 * before the rename leaves a `.name.….tmp` behind and the old content in place.
 *
 * @param mode permission bits of the new file; never wider than asked, whatever the umask
 * @throws the file system's error; the temporary file is gone then
 */
export function writeFileAtomically(path: string, content: string, mode: number): void {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}${TEMPORARY_SUFFIX}`);
  try {
    const file = openSync(temporary, 'wx', mode);
    try {
      // Not writeSync: on a disk that is nearly full it writes what fits, and reports no error.
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (thrown) {
    rmSync(temporary, { force: true });
    throw thrown;
  }
  syncFolder(folder);
}

/** As {@link writeFileAtomically} names them. */
const LEFT_BEHIND = /^\..+\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;
/** Others may be writing now. */
const LEFT_FOR_MS = 3_600_000;

/** Removes what writers that were killed have left in these folders: of a key it is the key itself, which nobody looks after. */
export function removeLeftBehind(folders: readonly string[], nowMs: number): void {
  for (const folder of folders) {
    for (const name of namesIn(folder)) {
      const path = join(folder, name);
      if (!LEFT_BEHIND.test(name)) continue;
      const madeMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? nowMs;
      if (Math.abs(nowMs - madeMs) > LEFT_FOR_MS) rmSync(path, { force: true });
    }
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // one that is not there, or not ours to read, holds nothing that we could remove
  }
}

/** Makes names in a folder durable: a rename is on disk only when its folder is. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
