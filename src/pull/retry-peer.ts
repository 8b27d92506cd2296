/** One run over refused facts of a peer: pages one after the other, bounded in time, and what became of them on record. */
import { grantsInForce } from '../config/grant.ts';
import type { PeerFile } from '../config/peer-file.ts';
import type { ActBy } from '../core/approval.ts';
import { added, NOTHING_RETRIED, type RetryOutcome, type RetryReport } from '../core/retry-report.ts';
import type { PinnedPeer } from '../verify/context.ts';
import { readDeclared } from './declare.ts';
import type { PullDeps } from './deps.ts';
import { knownFeeds } from './relayed-feeds.ts';

/** A request waits no longer than this for a run; whoever wants more asks again. */
const MAX_RUN_MS = 5_000;

/**
 * @param pinned as the peer was greeted last; null: it was not, and what it declared last is read
 * @param afterPage where an earlier run has stopped; 0 to begin
 */
export async function retryPeer(
  peer: PeerFile,
  pinned: PinnedPeer | null,
  afterPage: number,
  by: ActBy,
  deps: PullDeps,
): Promise<RetryOutcome> {
  const accept = grantsInForce(peer.accept, deps.nowMs());
  const progress = await deps.journal.peerProgress(peer.nodeId, accept);
  if (progress.suspended !== null) return { kind: 'suspended' };
  const known = pinned ?? declaredIn(progress.declaration, peer);
  if (known === null) return { kind: 'not_verified' };
  const admitted = await deps.journal.admitRetry({ name: peer.name, nodeId: peer.nodeId }, afterPage, by);
  if (admitted.kind !== 'done') return { kind: 'not_admitted', outcome: admitted };
  const { origins } = await knownFeeds(accept, deps.relaying);
  const endMs = deps.nowMs() + MAX_RUN_MS;
  const { maxFutureSkewMs, maxPastSkewMs, maxValueBytes } = deps.settings;
  // Namespaces are the operator's word, which may have changed since the peer was greeted.
  const rules = {
    peer: { ...known, namespaces: peer.namespaces },
    accept,
    origins,
    maxFutureSkewMs,
    maxPastSkewMs,
    maxValueBytes,
    by: admitted.value,
  };
  let report: RetryReport = { ...NOTHING_RETRIED, next: afterPage };
  while (report.next !== null && deps.nowMs() < endMs) {
    const page = await deps.journal.retryPage({ ...rules, nowMs: deps.nowMs(), afterPage: report.next });
    if (page === null) {
      report = { ...report, next: null };
      continue;
    }
    report = {
      pages: report.pages + 1,
      judged: report.judged + page.stood,
      resolved: added(report.resolved, page.resolved),
      standing: added(report.standing, page.standing),
      unreadable: report.unreadable + (page.unreadable ? 1 : 0),
      next: page.pageId,
    };
  }
  const audit_seq = report.pages === 0 ? null : await deps.journal.recordRetry(peer.nodeId, report, admitted.value);
  return { kind: 'retried', report, audit_seq };
}

function declaredIn(note: string | null, peer: PeerFile): PinnedPeer | null {
  const declared = note === null ? null : readDeclared(note, peer);
  return declared?.ok === true ? declared.value.pinned : null;
}
