/**
 * The peers/ folder: every peer file, and what changes in it. A file that cannot be used keeps the last good version of
 * its own peer and touches no other: a typing error while editing must not cut a connection that worked.
 */
import { readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { PEER_SUFFIX, type PeerFile, readPeerFile } from './peer-file.ts';
import type { ConfigProblem } from './problem.ts';

/** More files than this is a mistake in the path, not a mesh. */
const MAX_PEER_FILES = 4_096;

export interface PeerFolderState {
  /** By name; good files, and the last good version of files that are broken now. */
  readonly peers: ReadonlyMap<string, PeerFile>;
  /** What is wrong now, in order of file names. */
  readonly problems: readonly ConfigProblem[];
  /** Files that cannot be read and never could: whom they name is not known. One where the folder itself cannot be read. */
  readonly unread: number;
}

export interface PeerFolderChange {
  readonly added: readonly PeerFile[];
  readonly changed: readonly PeerFile[];
  /** As they were last. */
  readonly removed: readonly PeerFile[];
  readonly state: PeerFolderState;
}

interface Seen {
  readonly stamp: string;
  readonly peer: PeerFile | null;
  readonly problems: readonly ConfigProblem[];
}

/** Reads a folder again and again, and says what is different. Nothing runs by itself; see `watch-peers.ts`. */
export interface PeerFolder {
  state(): PeerFolderState;
  /** Looks at the folder again; null when nothing is different. Never throws. */
  rescan(): PeerFolderChange | null;
}

/** @param ownNodeId a file that claims to be this node itself is refused */
export function openPeerFolder(folder: string, ownNodeId: string): PeerFolder {
  let seen: ReadonlyMap<string, Seen> = new Map();
  let state: PeerFolderState = { peers: new Map(), problems: [], unread: 0 };
  let isListed = false;
  const rescan = (): PeerFolderChange | null => {
    const listed = listFiles(folder);
    if (!listed.ok) {
      // Nothing is known to be gone: keep every peer and say so.
      const same = state.problems.length === 1 && state.problems[0]?.message === listed.problem.message;
      if (same) return null;
      isListed = false;
      state = { peers: state.peers, problems: [listed.problem], unread: Math.max(1, state.unread) };
      return { added: [], changed: [], removed: [], state };
    }
    // Asked for every two seconds: thousands of files that are as they were cost no more than looking at their times.
    if (isListed && isAsSeen(listed.files, seen)) return null;
    isListed = true;
    const next = new Map(listed.files.map((file) => [file.name, look(folder, file, seen.get(file.name))]));
    const before = state;
    state = settle(next, before, ownNodeId, folder);
    seen = next;
    return difference(before, state);
  };
  rescan();
  return { state: () => state, rescan };
}

function isAsSeen(files: readonly Listed[], seen: ReadonlyMap<string, Seen>): boolean {
  return files.length === seen.size && files.every(({ name, stamp }) => seen.get(name)?.stamp === stamp);
}

interface Listed {
  readonly name: string;
  readonly stamp: string;
}

function listFiles(
  folder: string,
): { readonly ok: true; readonly files: readonly Listed[] } | { readonly ok: false; readonly problem: ConfigProblem } {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(PEER_SUFFIX) && !name.startsWith('.'));
    if (names.length > MAX_PEER_FILES) {
      const message = `expected at most ${MAX_PEER_FILES} peer files, got ${names.length}`;
      return { ok: false, problem: { where: folder, key: null, message, fix: 'Remove the files of former partners.' } };
    }
    return { ok: true, files: names.sort().flatMap((name) => stamped(folder, name)) };
  } catch (thrown) {
    const got = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
    const message = `expected a readable folder of peer files, got ${got}`;
    const fix = 'Make it (mkdir) or give this user the right to read it. Peers known before are kept until then.';
    return { ok: false, problem: { where: folder, key: null, message, fix } };
  }
}

/** A file that vanished between listing and looking is simply not there. */
function stamped(folder: string, name: string): Listed[] {
  let stats: Stats;
  try {
    stats = statSync(join(folder, name));
  } catch {
    return [];
  }
  return [{ name, stamp: `${stats.ino}:${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}` }];
}

function look(folder: string, file: Listed, before: Seen | undefined): Seen {
  if (before?.stamp === file.stamp) return before;
  const read = readPeerFile(join(folder, file.name));
  if (read.ok) return { stamp: file.stamp, peer: read.value, problems: [] };
  return { stamp: file.stamp, peer: null, problems: read.error };
}

/** Which peers there are, given what each file says now. The first file by name keeps a key that two files claim. */
function settle(
  seen: ReadonlyMap<string, Seen>,
  before: PeerFolderState,
  ownNodeId: string,
  folder: string,
): PeerFolderState {
  const claims = new Claims(ownNodeId);
  const problems: ConfigProblem[] = [];
  let unread = 0;
  for (const [file, { peer, problems: own }] of seen) {
    const name = file.slice(0, -PEER_SUFFIX.length);
    const path = join(folder, file);
    const clash = peer === null ? null : claims.clashOf(peer, path);
    const kept = before.peers.get(name);
    if (peer !== null && clash === null) {
      claims.add(peer);
      continue;
    }
    problems.push(...(clash === null ? own : [clash]));
    if (peer === null && kept === undefined) unread++;
    // The last good version, unless another file has taken its key over in the meantime.
    if (kept !== undefined && claims.clashOf(kept, path) === null) claims.add(kept);
  }
  return { peers: claims.peers, problems, unread };
}

/** Peers, and which of them has a node id or a key already. */
class Claims {
  readonly peers = new Map<string, PeerFile>();
  readonly #byNodeId = new Map<string, PeerFile>();
  readonly #byPeerId = new Map<string, PeerFile>();
  readonly #ownNodeId: string;

  constructor(ownNodeId: string) {
    this.#ownNodeId = ownNodeId;
  }

  add(peer: PeerFile): void {
    this.peers.set(peer.name, peer);
    this.#byNodeId.set(peer.nodeId, peer);
    this.#byPeerId.set(peer.peerId, peer);
  }

  clashOf(peer: PeerFile, where: string): ConfigProblem | null {
    if (peer.nodeId === this.#ownNodeId) {
      const message = `node_id: expected a partner, got this node itself (${peer.nodeId})`;
      return { where, key: 'node_id', message, fix: 'Remove the file, or put the partner’s node id.' };
    }
    const sameNode = this.#byNodeId.get(peer.nodeId);
    const other = sameNode ?? this.#byPeerId.get(peer.peerId);
    if (other === undefined) return null;
    const key = sameNode === undefined ? 'peer_id' : 'node_id';
    const message = `${key}: ${other.name}${PEER_SUFFIX} names the same partner already`;
    return { where, key, message, fix: 'Keep one of the two files.' };
  }
}

function difference(before: PeerFolderState, after: PeerFolderState): PeerFolderChange | null {
  const added = [...after.peers.values()].filter(({ name }) => !before.peers.has(name));
  const removed = [...before.peers.values()].filter(({ name }) => !after.peers.has(name));
  const changed = [...after.peers.values()].filter((peer) => {
    const old = before.peers.get(peer.name);
    return old !== undefined && old !== peer && JSON.stringify(old) !== JSON.stringify(peer);
  });
  const sameProblems = JSON.stringify(before.problems) === JSON.stringify(after.problems);
  if (sameProblems && added.length + removed.length + changed.length === 0) return null;
  return { added, changed, removed, state: after };
}
