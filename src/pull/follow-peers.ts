/** Keeps sessions, transport and audit log in step with the peer files. */
import type { PeerFile } from '../config/peer-file.ts';
import type { PeerFolderChange } from '../config/peer-folder.ts';
import { problemText } from '../config/problem.ts';
import type { AuditInput } from '../journal/read-model.ts';
import type { Logger } from '../observe/logger.ts';
import type { LateRecords } from './late-records.ts';
import type { PeerSessions } from './peer-sessions.ts';

export interface FollowDeps {
  readonly sessions: PeerSessions;
  readonly journal: { isPeerAdded(peer: string): Promise<boolean> };
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
    // Files are read anew at each start: only a peer that was not known before is news.
    if (!(await deps.journal.isPeerAdded(peer.nodeId))) deps.records.put(record('peer_added', peer));
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

function record(event: string, peer: PeerFile): AuditInput {
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
    },
  };
}
