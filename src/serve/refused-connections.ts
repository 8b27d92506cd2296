import type { AuditInput } from '../journal/read-model.ts';

const WINDOW_MS = 60_000;
/** Sources and reasons remembered at a time: a flood of addresses costs one record of its own, not one each. */
const MAX_KEYS = 256;

export interface RefusedConnection {
  readonly remoteAddr: string;
  readonly peerId?: string;
  readonly reason: string;
}

interface Counted {
  readonly sinceMs: number;
  suppressed: number;
}

/**
 * Decides which refused connections become audit records: the first of a kind at once, then one a minute with the
 * number of those between. Without this, whoever can reach the port could fill the disk.
 */
export class RefusedConnections {
  readonly #kinds = new Map<string, Counted>();

  /** @returns the record to write now, or null */
  note(refusal: RefusedConnection, nowMs: number): AuditInput | null {
    const address = sourceOf(refusal.remoteAddr);
    const own = `${refusal.reason} ${refusal.peerId ?? address}`;
    const key = this.#kinds.has(own) || this.#makeRoom(nowMs) ? own : 'others';
    const counted = this.#kinds.get(key);
    if (counted !== undefined && nowMs - counted.sinceMs < WINDOW_MS) {
      counted.suppressed++;
      return null;
    }
    this.#kinds.set(key, { sinceMs: nowMs, suppressed: 0 });
    const detail = {
      remote_addr: refusal.remoteAddr,
      peer_id: refusal.peerId ?? null,
      suppressed: counted?.suppressed ?? 0,
    };
    return { event: 'connection_refused', reason: refusal.reason, detail };
  }

  #makeRoom(nowMs: number): boolean {
    if (this.#kinds.size < MAX_KEYS) return true;
    for (const [key, { sinceMs }] of this.#kinds) if (nowMs - sinceMs >= WINDOW_MS) this.#kinds.delete(key);
    return this.#kinds.size < MAX_KEYS;
  }
}

/** The host part of a multiaddr: ports differ with each connection. */
function sourceOf(remoteAddr: string): string {
  return remoteAddr.split('/').slice(0, 3).join('/');
}
