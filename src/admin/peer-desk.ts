/** What operators see of peers, and do with them. */
import type { ActBy, ActOutcome } from '../core/approval.ts';
import type { PeerStatus, TrustKeyOutcome } from '../core/peer-status.ts';
import type { PingOutcome } from '../core/ping-report.ts';
import type { RetryOutcome } from '../core/retry-report.ts';

export interface PeerDirectory {
  list(): readonly PeerStatus[];
  /** @param id the peer file's name, the node id or the libp2p peer id */
  get(id: string): PeerStatus | undefined;
  /** Ends a suspension, or proposes that, and has the peer asked again at once. Undefined when there is no such peer. */
  resume(id: string, by: ActBy): Promise<ActOutcome<PeerStatus> | undefined>;
  /** Pins a log key that waits for an operator, or proposes that, and has the peer asked again at once. */
  trustKeys(name: string, keys: readonly string[], by: ActBy): Promise<TrustKeyOutcome>;
  /** Has refused facts judged again, for some seconds. @param afterPage where the run before has stopped; 0 to begin */
  retry(name: string, afterPage: number, by: ActBy): Promise<RetryOutcome>;
  /** Reaches a peer now. @param count hellos, 1 to MAX_PINGS */
  ping(name: string, count: number): Promise<PingOutcome>;
}
