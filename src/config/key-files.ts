/**
 * The signing keys of a data folder through a change: `keys/<use>.next.key` waits for its statement, `keys/former/` holds
 * the keys that still sign beside their successor.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ok, type Result } from '../core/result.ts';
import { syncFolder } from './atomic-file.ts';
import { type DataPaths, keyFile } from './data-dir.ts';
import type { ConfigProblem } from './problem.ts';
import { readSeedFile, type SeedUse } from './secret-file.ts';

const FORMER = 'former';
const FOLDER_MODE = 0o700;

/** Where the next key of a use waits. */
export function nextKeyFile({ keys }: DataPaths, use: SeedUse): string {
  return join(keys, `${use}.next.key`);
}

/**
 * The next key becomes the key. The old one is kept beside it unless it signs no more.
 *
 * A crash after the first rename leaves no key of that use and a next one: carried out again, this goes on from there.
 *
 * @param oldId names the old key among the former ones; null: it is of no more use
 */
export function promoteNextKey(paths: DataPaths, use: SeedUse, oldId: string | null): void {
  const current = keyFile(paths, use);
  if (oldId !== null && existsSync(current)) {
    const former = join(paths.keys, FORMER);
    mkdirSync(former, { recursive: true, mode: FOLDER_MODE });
    renameSync(current, formerFile(paths, use, oldId));
    // The old key has its new name before the new one takes its place: a power cut may keep the second and lose the first.
    syncFolder(former);
    syncFolder(paths.keys);
  }
  renameSync(nextKeyFile(paths, use), current);
  syncFolder(paths.keys);
}

/** Seeds of the former keys of a use, by the id they were kept under. */
export function readFormerKeys(paths: DataPaths, use: SeedUse): Result<ReadonlyMap<string, Uint8Array>, ConfigProblem> {
  const folder = join(paths.keys, FORMER);
  const seeds = new Map<string, Uint8Array>();
  for (const name of existsSync(folder) ? readdirSync(folder).sort() : []) {
    const [, id] = new RegExp(`^${use}-([0-9a-f]{8})\\.key$`).exec(name) ?? [];
    if (id === undefined) continue;
    const seed = readSeedFile(join(folder, name), use);
    if (!seed.ok) return seed;
    seeds.set(id, seed.value);
  }
  return ok(seeds);
}

/** Deletes a former key: what it has signed stays, it signs nothing more. */
export function removeFormerKey(paths: DataPaths, use: SeedUse, id: string): void {
  rmSync(formerFile(paths, use, id), { force: true });
}

function formerFile({ keys }: DataPaths, use: SeedUse, id: string): string {
  return join(keys, FORMER, `${use}-${id}.key`);
}
