import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it. Not `mkdirSync` with `recursive`: below `/proc`, where a folder that is there takes no
 * names, that one tries for ever.
 *
 * @throws the file system's error
 */
export function makeFolders(path: string, mode?: number): void {
  try {
    mkdirSync(path, mode);
  } catch (thrown) {
    const parent = dirname(resolve(path));
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT' && isFolder(path)) return;
    if (code !== 'ENOENT' || isFolder(parent)) throw thrown;
    makeFolders(parent, mode);
    makeOne(path, mode);
  }
}

/** Somebody else may have made it meanwhile. */
function makeOne(path: string, mode?: number): void {
  try {
    mkdirSync(path, mode);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST' || !isFolder(path)) throw thrown;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
