import { ALG_ED25519, parseNote } from '../merkle/note.ts';
import { parseVerifierKey } from '../merkle/verifier-key.ts';
import { type Declaration, openDeclaration } from '../wire/declaration.ts';
import { peerKeyOf } from '../wire/peer-key.ts';

/**
 * Opens a declaration under the node id and peer id that it names itself: it shows what one identity has declared, not
 * whose identity that is. Pure and total; null when the declaration is no such thing.
 */
export function openOwnDeclaration(note: string): Declaration | null {
  const parsed = parseNote(note);
  const [, nodeId = '', json = ''] = parsed.ok ? parsed.value.text.split('\n') : [];
  // Read before anything is verified: the text is judged again, strictly, under the key that this gives.
  const peerId = /"peer_id":"([1-9A-HJ-NP-Za-km-z]{52})"/.exec(json)?.[1] ?? '';
  const nodeKey = peerKeyOf(peerId);
  if (nodeKey === undefined) return null;
  const opened = openDeclaration(note, { nodeId, nodeKey });
  return opened.ok && opened.value.peer_id === peerId ? opened.value : null;
}

/** The raw Ed25519 keys that a declaration names for one of its logs. */
export function logKeysOf({ keys }: Declaration, origin: string): readonly Uint8Array[] {
  return keys.flatMap(({ use, vkey }) => {
    const parsed = use === 'log' ? parseVerifierKey(vkey) : null;
    const isOfLog = parsed?.ok === true && parsed.value.name === origin && parsed.value.algorithm === ALG_ED25519;
    return isOfLog ? [parsed.value.publicKey] : [];
  });
}
