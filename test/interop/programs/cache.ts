/** Where programs from package registries are kept: outside of the checkout, so that a fresh clone does not build again. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

const CACHE = process.env['STIGMEM_PEERD_INTEROP_CACHE'] ?? join(homedir(), '.cache', 'stigmem-peerd-interop');

/**
 * The folder of a program in one version, made if it is not there.
 *
 * @param name  with the version, and with all else that what is made depends on
 * @param build fills an empty folder. Two processes may build at once: the first to finish wins
 */
export async function installed(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const half = await mkdtemp(join(CACHE, 'half-'));
  try {
    await build(half);
    await rename(half, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
    return folder;
  } finally {
    await rm(half, { recursive: true, force: true });
  }
}
