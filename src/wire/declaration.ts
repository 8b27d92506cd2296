import { isNodeId } from '../core/node-id.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { ed25519Verifier, formatNote, parseNote, signEd25519, verifyNote } from '../merkle/note.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { list, literal, type Malformed, nullable, object, oneOf, type Shape, text } from './shape.ts';

const HEADER = 'stigmem-declaration/v1';
const MAX_JSON_BYTES = 12_288;
const MAX_TEXT_CHARS = 512;
const MAX_KEYS = 32;

/** A key that the node signs with, besides the identity key that signs the declaration itself. */
export interface DeclaredKey {
  readonly algorithm: 'ed25519' | 'ecdsa-p256' | 'cosignature-v1';
  /** null: until further notice */
  readonly not_after: string | null;
  readonly not_before: string;
  readonly use: 'log' | 'witness' | 'anchor';
  /** C2SP verifier key */
  readonly vkey: string;
}

/** What a node says of itself: its logs and the keys that sign them. */
export interface Declaration {
  readonly audit_origin: string;
  readonly issued_at: string;
  readonly journal_origin: string;
  readonly keys: readonly DeclaredKey[];
  readonly node_id: string;
  /** libp2p peer id, which is the identity key */
  readonly peer_id: string;
  readonly v: 1;
}

const DECLARATION: Shape<Declaration> = object<Declaration>({
  audit_origin: text(MAX_TEXT_CHARS),
  issued_at: text(MAX_TEXT_CHARS),
  journal_origin: text(MAX_TEXT_CHARS),
  keys: list(
    object<DeclaredKey>({
      algorithm: oneOf('ed25519', 'ecdsa-p256', 'cosignature-v1'),
      not_after: nullable(text(MAX_TEXT_CHARS)),
      not_before: text(MAX_TEXT_CHARS),
      use: oneOf('log', 'witness', 'anchor'),
      vkey: text(MAX_TEXT_CHARS),
    }),
    MAX_KEYS,
  ),
  node_id: text(MAX_TEXT_CHARS),
  peer_id: text(MAX_TEXT_CHARS),
  v: literal(1),
});

/**
 * Signs a declaration.
 *
 * @param signer the libp2p identity key under the node id as its name
 * @throws TypeError when the declaration is not one that {@link openDeclaration} takes from this signer
 */
export function signDeclaration(declaration: Omit<Declaration, 'v'>, signer: LogSigner): string {
  if (signer.name !== declaration.node_id || !isNodeId(signer.name)) throw new TypeError('a node declares itself');
  const json = Buffer.from(encodeMessage(DECLARATION, { ...declaration, v: 1 })).toString('utf8');
  const signed = `${HEADER}\n${declaration.node_id}\n${json}\n`;
  return formatNote({ text: signed, signatures: [signEd25519(signed, signer)] });
}

/**
 * Reads a declaration and verifies the node's signature. Pure and total.
 *
 * @param node the node id expected, and its identity key, 32 raw bytes, as the connection has proven it
 */
export function openDeclaration(
  note: string | Uint8Array,
  node: { readonly nodeId: string; readonly nodeKey: Uint8Array },
): Result<Declaration, Malformed> {
  const parsed = parseNote(note);
  if (!parsed.ok) return wrong('', 'signed note', parsed.error);
  const [header, nodeId = '', json = '', end, ...more] = parsed.value.text.split('\n');
  if (header !== HEADER || end !== '' || more.length > 0) return wrong('', `text of ${HEADER}`, 'another text');
  if (nodeId !== node.nodeId) return wrong('node_id', node.nodeId, nodeId.slice(0, MAX_TEXT_CHARS));

  const verified = verifyNote(parsed.value, [ed25519Verifier(node.nodeId, node.nodeKey)]);
  if (!verified.ok) return wrong('signature', 'signature of the identity key', verified.error);

  const decoded = decodeMessage(Buffer.from(json, 'utf8'), DECLARATION, MAX_JSON_BYTES);
  if (!decoded.ok) return decoded;
  if (decoded.value.node_id !== nodeId) return wrong('node_id', nodeId, decoded.value.node_id);
  return ok(decoded.value);
}

function wrong(at: string, expected: string, got: string): { readonly ok: false; readonly error: Malformed } {
  return err({ at, expected, got });
}
