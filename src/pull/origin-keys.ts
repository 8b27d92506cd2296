/**
 * The log key of a node that was never met is known by its peer file alone, where an operator may put another one without a word to
 * the journal. What was verified under it is written down, so that a later check of the journal asks for the signatures of then.
 */
import { AuditReader } from '../journal/audit-reader.ts';
import type { Journal } from '../journal/journal.ts';
import { ORIGIN_KEY_EVENT } from '../journal/origin-key-record.ts';
import type { RelayOrigin } from '../verify/context.ts';

/** Keys of one node that are looked at: an operator has written each of them by hand. */
const MAX_KEYS = 256;

export class OriginKeys {
  readonly #journal: Journal;
  readonly #audit: AuditReader;
  readonly #noted = new Set<string>();

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#audit = new AuditReader(journal.db);
  }

  /** Before what is taken under the key: a crash between the two leaves a record too many. */
  note({ nodeId, logVkey }: RelayOrigin, relay: string, nowMs: number): void {
    const name = `${nodeId} ${logVkey}`;
    if (this.#noted.has(name)) return;
    if (this.#journal.peers.declaration(nodeId) === null && !this.#isThere(nodeId, logVkey))
      this.#journal.audit({ event: ORIGIN_KEY_EVENT, peer: nodeId, detail: { log_key: logVkey, relay } }, nowMs);
    this.#noted.add(name);
  }

  #isThere(peer: string, logVkey: string): boolean {
    const { records } = this.#audit.page({ event: ORIGIN_KEY_EVENT, peer, order: 'desc', limit: MAX_KEYS });
    return records.some(({ detail }) => detail['log_key'] === logVkey);
  }
}
