import { type FSWatcher, watch } from 'node:fs';
import type { PeerFolder, PeerFolderChange } from './peer-folder.ts';

/** Editors write a file in several steps; one look after they have settled is enough. */
const DEBOUNCE_MS = 100;
/** Notices are lost on network file systems and in some containers; looking at the times of a few files costs nothing. */
const POLL_MS = 2_000;

/**
 * Watches a peers folder by notices of the file system and, as a fallback, by looking every two seconds.
 *
 * @param onChange called with every difference, never twice for the same one
 * @returns stops watching
 */
export function watchPeers(path: string, folder: PeerFolder, onChange: (change: PeerFolderChange) => void): () => void {
  const look = (): void => {
    const change = folder.rescan();
    if (change !== null) onChange(change);
  };
  let debounce: NodeJS.Timeout | undefined;
  const lookSoon = (): void => {
    clearTimeout(debounce);
    debounce = setTimeout(look, DEBOUNCE_MS).unref();
  };
  const poll = setInterval(look, POLL_MS).unref();
  const watcher = watchFolder(path, lookSoon);
  // What was written between the first reading of the folder and this moment came with no notice.
  lookSoon();
  return () => {
    clearInterval(poll);
    clearTimeout(debounce);
    watcher?.close();
  };
}

/** Null where notices are not to be had: the poll goes on alone. */
function watchFolder(path: string, onNotice: () => void): FSWatcher | null {
  try {
    return watch(path, { persistent: false }, onNotice).on('error', () => undefined);
  } catch {
    return null;
  }
}
