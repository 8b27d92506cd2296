/** What peers declare, kept by the journal's thread. */
import { agoMs } from '../core/time.ts';
import type { AuditReader } from '../journal/audit-reader.ts';
import type { Journal } from '../journal/journal.ts';
import type { AuditInput } from '../journal/read-model.ts';
import type { WaitingKey } from '../pull/deps.ts';
import { isRenewal } from '../verify/key-expiry.ts';

/** Each renewal is a row and a record that stay: a peer that declares another time with every hello is not followed. */
const RENEWALS_APART_MS = 3_600_000;

/** Changes of a peer's keys that are followed: so many at once, then one an hour. With two statements it could go back and forth for ever. */
const CHANGES_AT_ONCE = 8;
const CHANGES_APART_MS = 3_600_000;

const KEY_WAITS = 'peer_log_key_waits';

export interface DeclarationMethods {
  /** Nodes of which a declaration is pinned. */
  declaredNodes(): readonly string[];
  /**
   * Records that a peer has declared a log key which nobody has confirmed: once, until it declares another.
   *
   * @returns whether there is a record now that was not there before
   */
  keyWaits(peer: string, waiting: WaitingKey, nowMs: number): boolean;
  pinDeclaration(peer: string, note: string, input: AuditInput, nowMs: number): number;
  /** Pins a declaration of other keys, to which statements lead from those that were pinned. @returns false: it has changed them too often */
  followDeclaration(peer: string, note: string, input: AuditInput, nowMs: number): boolean;
  /** @returns whether it was kept */
  renewDeclaration(peer: string, note: string, nowMs: number): boolean;
}

export function declarationMethods(journal: Journal, audit: AuditReader): DeclarationMethods {
  const renewedAtMs = new Map<string, number>();
  /** When the allowance of a peer is whole again. */
  const changesUntilMs = new Map<string, number>();
  return {
    declaredNodes: () => journal.peers.declaredNodes(),
    keyWaits(peer, waiting, nowMs) {
      if (audit.newestDetail(peer, KEY_WAITS)?.['log_key'] === waiting.log_key) return false;
      journal.audit({ event: KEY_WAITS, peer, detail: { ...waiting } }, nowMs);
      return true;
    },
    pinDeclaration: (peer, note, input, nowMs) => journal.pinDeclaration(peer, note, input, nowMs),
    followDeclaration(peer, note, input, nowMs) {
      const untilMs = Math.max(nowMs, changesUntilMs.get(peer) ?? 0) + CHANGES_APART_MS;
      const isClockBack = untilMs - nowMs > (CHANGES_AT_ONCE + 1) * CHANGES_APART_MS;
      if (untilMs - nowMs > CHANGES_AT_ONCE * CHANGES_APART_MS && !isClockBack) return false;
      journal.pinDeclaration(peer, note, input, nowMs);
      changesUntilMs.set(peer, isClockBack ? nowMs + CHANGES_APART_MS : untilMs);
      return true;
    },
    renewDeclaration(peer, note, nowMs) {
      const pinned = journal.peers.declaration(peer);
      if (pinned === null || pinned === note || !isRenewal(pinned, note)) return false;
      if (agoMs(renewedAtMs.get(peer) ?? Number.NEGATIVE_INFINITY, nowMs) < RENEWALS_APART_MS) return false;
      journal.pinDeclaration(peer, note, { event: 'peer_keys_renewed', peer }, nowMs);
      renewedAtMs.set(peer, nowMs);
      return true;
    },
  };
}
