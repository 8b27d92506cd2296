/** Whether the log key that a peer declares is good now. What it signed before is another matter, and stays verifiable. */
import type { PeerFile } from '../config/peer-file.ts';
import { DEFAULT_MAX_FUTURE_SKEW_MS } from '../core/limits.ts';
import { err, ok, type Result } from '../core/result.ts';
import { ALG_ED25519 } from '../merkle/note.ts';
import { formatVerifierKey } from '../merkle/verifier-key.ts';
import { rawKeyOf } from '../transport/identity.ts';
import type { PinnedPeer } from '../verify/context.ts';
import { keyEndMs, keyFault } from '../verify/key-expiry.ts';
import { type DeclaredKey, openDeclaration } from '../wire/declaration.ts';
import type { DeclarationFault } from './declare.ts';

const ROTATE = 'the partner has to run `stigmem-peerd keys rotate log`';

/**
 * @param pinned what the same declaration was pinned as
 * @returns until when nothing more has to be asked, milliseconds since 1970; null: without an end
 */
export function logKeyGoodUntil(
  note: string,
  peer: PeerFile,
  pinned: PinnedPeer,
  nowMs: number,
): Result<number | null, DeclarationFault> {
  const opened = openDeclaration(note, { nodeId: peer.nodeId, nodeKey: rawKeyOf(peer.peerId) });
  const vkey = formatVerifierKey({ name: pinned.origin, algorithm: ALG_ED25519, publicKey: pinned.logKey });
  // Named twice with two ends, it has to be good by both.
  const declared = opened.ok ? opened.value.keys.filter((key) => key.use === 'log' && key.vkey === vkey) : [];
  const fault = declared.map((key) => faultOf(key, nowMs)).find((found) => found !== null);
  if (fault !== undefined) return err(fault);
  const ends = declared.flatMap((key) => keyEndMs(key) ?? []);
  return ok(ends.length === 0 ? null : Math.min(...ends) + DEFAULT_MAX_FUTURE_SKEW_MS);
}

function faultOf(key: DeclaredKey, nowMs: number): DeclarationFault | null {
  const { vkey, not_before, not_after } = key;
  switch (keyFault(key, nowMs)) {
    case null:
      return null;
    case 'expired':
      return { code: 'log_key_expired', detail: `its log key ${vkey} has ended at ${not_after}: ${ROTATE}` };
    case 'not_yet': {
      const detail = `its log key ${vkey} begins at ${not_before}: compare the clocks of both nodes`;
      return { code: 'log_key_not_yet_valid', detail };
    }
    case 'unreadable': {
      const expected = 'expected not_before and not_after as YYYY-MM-DDTHH:MM:SS with an offset';
      return { code: 'declaration_invalid', detail: `${vkey}: ${expected}, got ${not_before} and ${not_after}` };
    }
  }
}
