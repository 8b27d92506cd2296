import { ALG_ED25519, parseNote } from '../merkle/note.ts';
import { parseVerifierKey } from '../merkle/verifier-key.ts';
import { openDeclaration } from '../wire/declaration.ts';
import { peerKeyOf } from '../wire/peer-key.ts';

export interface DeclaredLog {
  /** The identity that signed the declaration. */
  readonly peerId: string;
  readonly origin: string;
  /** 32 bytes */
  readonly logKey: Uint8Array;
}

/**
 * The log key of a declaration, checked against the peer id that the declaration itself names: it shows what one identity
 * has declared, not whose identity that is. Pure and total; null when the declaration is no such thing.
 */
export function declaredLogKey(declaration: string, nodeId: string): DeclaredLog | null {
  const peerId = statedPeerId(declaration);
  const nodeKey = peerId === null ? undefined : peerKeyOf(peerId);
  if (peerId === null || nodeKey === undefined) return null;
  const opened = openDeclaration(declaration, { nodeId, nodeKey });
  if (!opened.ok || opened.value.peer_id !== peerId) return null;
  const origin = opened.value.journal_origin;
  const key = opened.value.keys.find(({ use, vkey }) => use === 'log' && vkey.startsWith(`${origin}+`));
  const parsed = key === undefined ? undefined : parseVerifierKey(key.vkey);
  if (parsed?.ok !== true || parsed.value.algorithm !== ALG_ED25519) return null;
  return { peerId, origin, logKey: parsed.value.publicKey };
}

/** Read before anything is verified: the text is judged again, strictly, under the key that this gives. */
function statedPeerId(declaration: string): string | null {
  const note = parseNote(declaration);
  const json = note.ok ? note.value.text.split('\n')[2] : undefined;
  return /"peer_id":"([1-9A-HJ-NP-Za-km-z]{52})"/.exec(json ?? '')?.[1] ?? null;
}
