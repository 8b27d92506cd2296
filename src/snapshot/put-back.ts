/** Puts the files of a snapshot where a node has them. */
import { join } from 'node:path';
import type { SnapshotManifest } from '../wire/snapshot-manifest.ts';
import { copyDurably, makeFolder, syncTree } from './files.ts';

/** Folders that a node has even when they are empty. */
const FOLDERS = ['keys', 'peers', 'run'] as const;

/** @param folder empty; everything in it is durable afterwards */
export function putBack(snapshot: string, { files }: SnapshotManifest, folder: string): void {
  for (const name of FOLDERS) makeFolder(join(folder, name));
  for (const { path } of files) copyDurably(join(snapshot, path), join(folder, path));
  syncTree(folder);
}
