/** What a node hands to a future partner: its declaration and where it is, signed by its identity key. */
import { isNodeId } from '../core/node-id.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { ed25519Verifier, formatNote, parseNote, signEd25519, verifyNote } from '../merkle/note.ts';
import { type Declaration, openDeclaration } from './declaration.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { peerKeyOf } from './peer-key.ts';
import { list, literal, type Malformed, object, type Shape, text } from './shape.ts';

const HEADER = 'stigmem-peer/v1';
const MAX_DECLARATION_CHARS = 16_384;
const MAX_ADDRESSES = 16;
const MAX_ADDRESS_CHARS = 512;
const MAX_PEER_ID_CHARS = 64;
const MAX_JSON_BYTES = 36_864;
/** Longest note, in UTF-16 units. */
export const MAX_PEER_NOTE_CHARS = 40_960;

interface PeerNoteBody {
  /** Multiaddrs; empty for a node that only dials. */
  readonly addresses: readonly string[];
  /** Signed note, see `declaration.ts`. */
  readonly declaration: string;
  readonly peer_id: string;
  readonly v: 1;
}

/** A note that was verified, with what is in it. */
export interface PeerNote {
  readonly nodeId: string;
  readonly peerId: string;
  /** 32 bytes */
  readonly nodeKey: Uint8Array;
  readonly addresses: readonly string[];
  readonly declaration: Declaration;
  /** The declaration as it was signed. */
  readonly declarationNote: string;
}

const BODY: Shape<PeerNoteBody> = object<PeerNoteBody>({
  addresses: list(text(MAX_ADDRESS_CHARS), MAX_ADDRESSES),
  declaration: text(MAX_DECLARATION_CHARS),
  peer_id: text(MAX_PEER_ID_CHARS),
  v: literal(1),
});

/**
 * Signs a note.
 *
 * @param signer the identity key under the node id as its name
 * @throws TypeError when it is not one that {@link openPeerNote} takes
 */
export function signPeerNote(body: Omit<PeerNoteBody, 'v'>, signer: LogSigner): string {
  const json = Buffer.from(encodeMessage(BODY, { ...body, v: 1 })).toString('utf8');
  const signed = `${HEADER}\n${signer.name}\n${json}\n`;
  const note = formatNote({ text: signed, signatures: [signEd25519(signed, signer)] });
  const opened = openPeerNote(note);
  if (!opened.ok) throw new TypeError(`no peer note: expected ${opened.error.expected}, got ${opened.error.got}`);
  return note;
}

/**
 * Reads a note and verifies both signatures. Pure and total. It shows what one identity says of itself; that the identity is
 * the partner's is for two people to say, who compare words.
 */
export function openPeerNote(note: string): Result<PeerNote, Malformed> {
  if (note.length > MAX_PEER_NOTE_CHARS) return wrong('', `at most ${MAX_PEER_NOTE_CHARS} characters`, 'more');
  const parsed = parseNote(note);
  if (!parsed.ok) return wrong('', 'signed note', parsed.error);
  const [header, nodeId = '', json = '', end, ...more] = parsed.value.text.split('\n');
  if (header !== HEADER || end !== '' || more.length > 0) return wrong('', `text of ${HEADER}`, 'another text');
  if (!isNodeId(nodeId)) return wrong('node_id', 'node id', nodeId.slice(0, MAX_ADDRESS_CHARS));
  if (parsed.value.signatures.length !== 1) return wrong('signature', 'one line', 'several');

  const decoded = decodeMessage(Buffer.from(json, 'utf8'), BODY, MAX_JSON_BYTES);
  if (!decoded.ok) return decoded;
  const { addresses, declaration, peer_id: peerId } = decoded.value;
  const nodeKey = peerKeyOf(peerId);
  if (nodeKey === undefined) return wrong('peer_id', 'peer id of an Ed25519 key', peerId);
  const verified = verifyNote(parsed.value, [ed25519Verifier(nodeId, nodeKey)]);
  if (!verified.ok) return wrong('signature', 'signature of the identity key', verified.error);
  const opened = openDeclaration(declaration, { nodeId, nodeKey });
  if (!opened.ok) return { ok: false, error: { ...opened.error, at: `declaration.${opened.error.at}` } };
  if (opened.value.peer_id !== peerId) return wrong('declaration.peer_id', peerId, opened.value.peer_id);
  return ok({ nodeId, peerId, nodeKey, addresses, declaration: opened.value, declarationNote: declaration });
}

function wrong(at: string, expected: string, got: string): { readonly ok: false; readonly error: Malformed } {
  return err({ at, expected, got });
}
