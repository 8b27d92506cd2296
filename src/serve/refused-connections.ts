import { Recurring } from '../core/recurring.ts';
import type { AuditInput } from '../journal/read-model.ts';

const WINDOW_MS = 60_000;

export interface RefusedConnection {
  readonly remoteAddr: string;
  readonly peerId?: string;
  readonly reason: string;
}

/** Decides which refused connections become audit records: of each source and reason one a minute. */
export class RefusedConnections {
  readonly #kinds = new Recurring(WINDOW_MS);

  /** @returns the record to write now, or null */
  note({ remoteAddr, peerId, reason }: RefusedConnection, nowMs: number): AuditInput | null {
    const suppressed = this.#kinds.note(`${reason} ${peerId ?? sourceOf(remoteAddr)}`, nowMs);
    if (suppressed === null) return null;
    const detail = { remote_addr: remoteAddr, peer_id: peerId ?? null, suppressed };
    return { event: 'connection_refused', reason, detail };
  }
}

/** The host part of a multiaddr: ports differ with each connection. */
function sourceOf(remoteAddr: string): string {
  return remoteAddr.split('/').slice(0, 3).join('/');
}
