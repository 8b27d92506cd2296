/** What peers declare, kept by the journal's thread. */
import type { Journal } from '../journal/journal.ts';
import type { AuditInput } from '../journal/read-model.ts';
import { isRenewal } from '../verify/key-expiry.ts';

/** Each renewal is a row and a record that stay: a peer that declares another time with every hello is not followed. */
const RENEWALS_APART_MS = 3_600_000;

export interface DeclarationMethods {
  pinDeclaration(peer: string, note: string, input: AuditInput, nowMs: number): number;
  /** @returns whether it was kept */
  renewDeclaration(peer: string, note: string, nowMs: number): boolean;
}

export function declarationMethods(journal: Journal): DeclarationMethods {
  const renewedAtMs = new Map<string, number>();
  return {
    pinDeclaration: (peer, note, input, nowMs) => journal.pinDeclaration(peer, note, input, nowMs),
    renewDeclaration(peer, note, nowMs) {
      const pinned = journal.peers.declaration(peer);
      if (pinned === null || pinned === note || !isRenewal(pinned, note)) return false;
      if (nowMs - (renewedAtMs.get(peer) ?? Number.NEGATIVE_INFINITY) < RENEWALS_APART_MS) return false;
      journal.pinDeclaration(peer, note, { event: 'peer_keys_renewed', peer }, nowMs);
      renewedAtMs.set(peer, nowMs);
      return true;
    },
  };
}
