/** Keys of simulated nodes that change: the product's own change of a key, on files in the node's folder. */
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { dataPaths, keyFile } from '../../src/config/data-dir.ts';
import { type SeedUse, writeSeedFile } from '../../src/config/secret-file.ts';
import { readOwnSuccessions } from '../../src/journal/own-successions.ts';
import { KEY_USES, type OwnKeys, openOwnKeys } from '../../src/node/own-keys.ts';
import { changeKey } from '../../src/node/rotate-key.ts';
import { openWriter } from '../../src/threads/writer.ts';
import { WriterClient } from '../../src/threads/writer-client.ts';
import type { OpenedSuccession } from '../../src/wire/succession.ts';
import type { Disk } from './disk.ts';
import { InProcess } from './in-process.ts';
import type { Made } from './node.ts';
import { type Platform, Scope } from './platform.ts';
import { writerData } from './writer-data.ts';

export interface KeysNow {
  readonly keys: OwnKeys;
  readonly statements: readonly OpenedSuccession[];
}

/** Files of the keys that a node has in every run, to be copied into its folder when it is to change one. */
export function writeKeys(folder: string, keys: OwnKeys): void {
  const paths = dataPaths(folder);
  mkdirSync(paths.keys, { recursive: true });
  for (const use of KEY_USES) writeSeedFile(keyFile(paths, use), use, keys[use].seed);
}

/** What a start says of the files of keys. */
export class KeysFault extends Error {
  override readonly name = 'KeysFault';
}

/** As a start finds them, which carries out what an interrupted change has left. Without files: those of every run. */
export function keysIn({ identity, keys }: Made, folder: string, nowMs: number): KeysNow {
  const paths = dataPaths(folder);
  if (!existsSync(paths.keys)) return { keys, statements: [] };
  const { statements } = readOwnSuccessions(folder);
  const opened = openOwnKeys(paths, identity, statements, nowMs);
  if (!opened.ok) throw new KeysFault(`${opened.error.message} ${opened.error.fix}`);
  return { keys: opened.value, statements };
}

/** Changes a key of a node that does not run, as `keys rotate` does. @throws Crash */
export async function rotateIn(
  made: Made,
  disk: Disk,
  platform: Platform,
  use: SeedUse,
  overlapMs: number,
): Promise<void> {
  const { folder } = disk;
  const paths = dataPaths(folder);
  const scope = new Scope();
  if (!existsSync(paths.keys)) cpSync(dataPaths(made.keyBackup).keys, paths.keys, { recursive: true });
  const { nowMs } = platform;
  const now = keysIn(made, folder, nowMs());
  const enter = (work: () => void): void => platform.within(scope, work);
  const { methods, afterCall } = platform.within(scope, () => openWriter(writerData(folder, now.keys), () => {}));
  const thread = new InProcess(enter, { ...methods }, afterCall);
  const { authority: nodeAuthority, limits } = { ...made.config };
  const writer = new WriterClient(thread, { nodeAuthority, maxValueBytes: limits.maxValueBytes, nowMs });
  try {
    await changeKey({ ...now, identity: made.identity, paths, writer, nowMs }, use, { overlapMs, actor: 'operator' });
    await writer.close();
  } finally {
    thread.end();
    scope.end();
  }
}
