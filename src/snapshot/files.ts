/** The files of a snapshot on disk: copied, hashed, made durable. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  createReadStream,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { chmod, copyFile, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from '../config/atomic-file.ts';
import { makeFolders } from '../config/make-folders.ts';
import type { SnapshotFile } from '../wire/snapshot-manifest.ts';

export const MANIFEST_FILE = 'snapshot.note';
export const PROOF_FILE = 'verified.note';
/** Names below a snapshot. */
export const JOURNAL = 'journal.db';
export const HEADS = 'signed-heads.json';
export const CONFIG = 'config.toml';
export const ANCHORS = 'anchors.jsonl';
const OWNER_ONLY = 0o600;
const FOLDER_MODE = 0o700;

/** What a snapshot is called while it is made, and while it is removed: nobody takes a part of it for one. */
export function partialOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.partial`);
}

/** Copies one file into place, for its owner alone, durably. The target must not be there. */
export function copyDurably(from: string, to: string): void {
  makeFolder(dirname(to));
  copyFileSync(from, to, constants.COPYFILE_EXCL);
  chmodSync(to, OWNER_ONLY);
  syncFile(to);
}

/** At a time: a disk makes several files durable in one go, and three leave a thread for what else asks for files. */
const COPIES_AT_A_TIME = 3;

/** Copies many as {@link copyDurably} does; the node answers requests meanwhile. */
export async function copyEach(
  files: readonly { readonly from: string; readonly to: string }[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const folder of new Set(files.map(({ to }) => dirname(to)))) makeFolder(folder);
  const left = files.values();
  const lane = async (): Promise<void> => {
    for (const { from, to } of left) {
      signal?.throwIfAborted();
      await copyOne(from, to);
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: COPIES_AT_A_TIME }, lane));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}

async function copyOne(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL);
  await chmod(to, OWNER_ONLY);
  await using file = await open(to, 'r+');
  await file.sync();
}

/** Writes a file for its owner alone, durably. The target must not be there. */
export function writeDurably(to: string, bytes: Uint8Array): void {
  makeFolder(dirname(to));
  writeFileSync(to, bytes, { flag: 'wx', mode: OWNER_ONLY });
  syncFile(to);
}

export function makeFolder(folder: string): void {
  makeFolders(folder, FOLDER_MODE);
}

export function syncFile(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Names in a folder and in those below it are on disk when it returns. */
export function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) syncTree(join(folder, entry.name));
  syncFolder(folder);
}

/** Files below a folder, sorted, with `/` between names; what is neither file nor folder ends with its name and a `?`. */
export function filesBelow(folder: string, prefix = ''): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${prefix}${entry.name}`;
      if (entry.isDirectory()) return filesBelow(join(folder, entry.name), `${path}/`);
      return [entry.isFile() ? path : `${path}?`];
    })
    .sort();
}

/** Size and hash of a file, in pieces. @param onBytes told of each piece */
export async function describeFile(
  folder: string,
  path: string,
  onBytes: (count: number) => void = () => {},
): Promise<SnapshotFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of createReadStream(join(folder, path)) as AsyncIterable<Buffer>) {
    hash.update(piece);
    bytes += piece.length;
    onBytes(piece.length);
  }
  return { bytes, path, sha256: `sha256:${hash.digest('hex')}` };
}

export function bytesOf(folder: string, paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + (statSync(join(folder, path), { throwIfNoEntry: false })?.size ?? 0), 0);
}
