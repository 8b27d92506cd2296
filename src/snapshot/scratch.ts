/** Folders that snapshots are restored into to be checked. What a killed check has left there holds bodies that were erased since. */

import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DAY_MS } from '../core/time.ts';
import { makeFolder } from './files.ts';

const NAME = /^\.restore-(?:(\d+)-)?[A-Za-z0-9]{6}$/;
/** Of this process: a container gives its process the same number each time. */
const inUse = new Set<string>();

/** Removes what killed checks have left in `parent`, and makes a folder there that goes with the end of the check. */
export async function openScratch(parent: string, nowMs: number): Promise<{ readonly path: string } & AsyncDisposable> {
  makeFolder(parent);
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    if (isLeftBehind(path, name, nowMs)) await rm(path, { recursive: true, force: true });
  }
  const path = mkdtempSync(join(parent, `.restore-${process.pid}-`));
  inUse.add(path);
  return {
    path,
    // A name is in use until it is gone: another that begins meanwhile leaves it alone.
    [Symbol.asyncDispose]: async () => {
      await rm(path, { recursive: true, force: true });
      inUse.delete(path);
    },
  };
}

function isLeftBehind(path: string, name: string, nowMs: number): boolean {
  const match = NAME.exec(name);
  if (match === null || inUse.has(path)) return false;
  const pid = Number(match[1] ?? 0);
  // A name without a process is that of an older version, which may be at it.
  if (pid === 0) return nowMs - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? nowMs) > DAY_MS;
  return pid === process.pid || !isRunning(pid);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
