/** Keeps sessions, transport and audit log in step with the peer files. */
import { hash } from 'node:crypto';
import type { PeerFile } from '../config/peer-file.ts';
import type { PeerFolderChange, PeerFolderState } from '../config/peer-folder.ts';
import { problemText } from '../config/problem.ts';
import { canonicalJson, type PlainJson } from '../core/canonical-json.ts';
import type { AuditInput, AuditRecord } from '../journal/read-model.ts';
import type { Logger } from '../observe/logger.ts';
import type { LateRecords } from './late-records.ts';
import type { PeerSessions } from './peer-sessions.ts';

export interface FollowDeps {
  readonly sessions: PeerSessions;
  readonly journal: {
    /** What is recorded of the file of a peer last; null: none was added, or it was removed since. */
    recordedPeer(peer: string): Promise<AuditRecord['detail'] | null>;
    /** Peers whose files were added and not removed since. */
    addedPeers(): Promise<readonly string[]>;
  };
  /** A file is in force as soon as it is read, and its record may have to wait for room on the disk. */
  readonly records: Pick<LateRecords, 'put'>;
  /** The set of allowed peers has changed. */
  readonly onAllowedChanged: () => void;
  readonly logger: Logger;
}

/** Carries out one change of the folder. A file that is broken keeps its last good version and is reported. */
export async function followPeers(change: PeerFolderChange, deps: FollowDeps): Promise<void> {
  for (const problem of change.state.problems)
    deps.logger.error({ problem: problemText(problem) }, 'peer file refused');
  deps.onAllowedChanged();
  for (const peer of change.added) {
    // Files are read anew at each start: only what is not on record is news.
    const recorded = await deps.journal.recordedPeer(peer.nodeId);
    const { detail, ...input } = record(recorded === null ? 'peer_added' : 'peer_changed', peer);
    if (recorded === null) deps.records.put({ ...input, detail });
    else if (!isRecorded(detail, recorded)) deps.records.put({ ...input, detail: { ...detail, found: 'at_start' } });
    deps.sessions.add(peer);
  }
  for (const peer of change.changed) {
    deps.records.put(record('peer_changed', peer));
    await deps.sessions.change(peer);
  }
  for (const peer of change.removed) {
    await deps.sessions.remove(peer.name);
    deps.records.put(record('peer_removed', peer));
  }
}

/** Files that went while the node did not run. One that cannot be read may be anybody's: then nobody is said to be gone. */
export async function recordGone({ peers, problems }: PeerFolderState, deps: FollowDeps): Promise<void> {
  if (problems.length > 0) return;
  const there = new Set([...peers.values()].map(({ nodeId }) => nodeId));
  for (const peer of await deps.journal.addedPeers()) {
    if (there.has(peer)) continue;
    const name = (await deps.journal.recordedPeer(peer))?.['name'] ?? null;
    deps.records.put({ event: 'peer_removed', peer, detail: { name, found: 'at_start' } });
  }
}

/** Records of before say less: what they do not speak of is not compared. */
function isRecorded(detail: Readonly<Record<string, unknown>>, recorded: AuditRecord['detail']): boolean {
  return Object.entries(detail).every(
    ([name, value]) => recorded[name] === undefined || JSON.stringify(recorded[name]) === JSON.stringify(value),
  );
}

/** Over all that the file grants, limits and insists on, so that no change of it goes without a record. Its key may follow a succession. */
function digestOf({ peerId: _, addresses: _addresses, ...rest }: PeerFile): string {
  return `sha256:${hash('sha256', canonicalJson(rest as unknown as PlainJson), 'hex')}`;
}

function record(event: string, peer: PeerFile): AuditInput & { readonly detail: Readonly<Record<string, unknown>> } {
  const feeds = (grants: PeerFile['share']): string[] => grants.map(({ feed }) => feed);
  return {
    event,
    peer: peer.nodeId,
    detail: {
      name: peer.name,
      peer_id: peer.peerId,
      namespaces: peer.namespaces,
      share: feeds(peer.share),
      accept: feeds(peer.accept),
      disabled: peer.disabled,
      allow_team: peer.allowTeam,
      relay: peer.relay,
      log_key: peer.logKey,
      digest: digestOf(peer),
    },
  };
}
