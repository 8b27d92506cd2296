/** Puts the files of a snapshot where a node has them. */
import { join } from 'node:path';
import type { SnapshotManifest } from '../wire/snapshot-manifest.ts';
import { copyEach, makeFolder, syncTree } from './files.ts';

/** Folders that a node has even when they are empty. */
const FOLDERS = ['keys', 'peers', 'run'] as const;

/** @param folder empty; everything in it is durable afterwards */
export async function putBack(
  snapshot: string,
  { files }: SnapshotManifest,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const name of FOLDERS) makeFolder(join(folder, name));
  const copies = files.map(({ path }) => ({ from: join(snapshot, path), to: join(folder, path) }));
  await copyEach(copies, signal);
  syncTree(folder);
}
