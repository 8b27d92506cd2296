import { isNodeId, witnessName } from '../core/node-id.ts';
import { err, ok, type Result } from '../core/result.ts';
import { parseIsoInstant } from '../core/time.ts';
import {
  ALG_COSIGNATURE_V1,
  ALG_ECDSA,
  ALG_ED25519,
  ed25519Verifier,
  formatNote,
  type NoteSignature,
  type NoteVerifier,
  parseNote,
  verifyNote,
} from '../merkle/note.ts';
import { noteVerifier, parseVerifierKey, type VerifierKey } from '../merkle/verifier-key.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { literal, type Malformed, object, oneOf, type Shape, text } from './shape.ts';

const HEADER = 'stigmem-succession/v1';
/** Two keys, two times, two signature lines; a reader takes nothing longer. */
export const MAX_SUCCESSION_CHARS = 4_096;
const MAX_TEXT_CHARS = 512;

/** Relation of the public fact that holds a statement: entity and source are the node, the value is the signed note. */
export const KEY_SUCCESSION = 'stigmem:key_succession';

export type KeyUse = 'log' | 'witness' | 'anchor' | 'node';

/** One key of a node takes the place of another, and both say so. */
export interface Succession {
  /** ISO time from which the new key signs. */
  readonly effective_at: string;
  /** C2SP verifier key */
  readonly new: string;
  /** C2SP verifier key, of the same name */
  readonly old: string;
  /** ISO time until which the old key signs beside the new one; not before `effective_at`. */
  readonly overlap_until: string;
  readonly use: KeyUse;
  readonly v: 1;
}

/** A statement that was verified, with the note that it came in. */
export interface OpenedSuccession extends Succession {
  readonly nodeId: string;
  readonly note: string;
}

/** Signs the text of a statement, see {@link successionLine}. */
export type StatementSigner = (text: string) => NoteSignature;

const SUCCESSION: Shape<Succession> = object<Succession>({
  effective_at: text(MAX_TEXT_CHARS),
  new: text(MAX_TEXT_CHARS),
  old: text(MAX_TEXT_CHARS),
  overlap_until: text(MAX_TEXT_CHARS),
  use: oneOf('log', 'witness', 'anchor', 'node'),
  v: literal(1),
});

/** What a key of each use is: a witness key signs a statement plainly, not as a dated cosignature. */
const ALGORITHM: Readonly<Record<KeyUse, number>> = {
  log: ALG_ED25519,
  witness: ALG_COSIGNATURE_V1,
  anchor: ALG_ECDSA,
  node: ALG_ED25519,
};

/**
 * Signs a statement with both keys.
 *
 * @throws TypeError when it is not one that {@link openSuccession} takes
 */
export function signSuccession(
  nodeId: string,
  succession: Omit<Succession, 'v'>,
  signers: { readonly old: StatementSigner; readonly new: StatementSigner },
): string {
  const json = Buffer.from(encodeMessage(SUCCESSION, { ...succession, v: 1 })).toString('utf8');
  const signed = `${HEADER}\n${nodeId}\n${json}\n`;
  const note = formatNote({ text: signed, signatures: [signers.old(signed), signers.new(signed)] });
  const opened = openSuccession(note, nodeId);
  if (!opened.ok) throw new TypeError(`not a succession: expected ${opened.error.expected}, got ${opened.error.got}`);
  return note;
}

/**
 * Reads a statement and verifies both signatures. Pure and total. That the old key is one that the reader knows is for the
 * reader to say: see `verify/key-chain.ts`.
 *
 * @param nodeId whose statement it has to be
 * @see docs/PROTOCOL.md, key succession
 */
export function openSuccession(note: string, nodeId: string): Result<OpenedSuccession, Malformed> {
  if (note.length > MAX_SUCCESSION_CHARS) return wrong('', `${MAX_SUCCESSION_CHARS} characters at most`, note.length);
  const parsed = parseNote(note);
  if (!parsed.ok) return wrong('', 'signed note', parsed.error);
  const [header, named = '', json = '', end, ...more] = parsed.value.text.split('\n');
  if (header !== HEADER || end !== '' || more.length > 0) return wrong('', `text of ${HEADER}`, 'another text');
  if (named !== nodeId || !isNodeId(named)) return wrong('node_id', nodeId, named.slice(0, MAX_TEXT_CHARS));

  const decoded = decodeMessage(Buffer.from(json, 'utf8'), SUCCESSION, MAX_SUCCESSION_CHARS);
  if (!decoded.ok) return decoded;
  const { use, effective_at, overlap_until } = decoded.value;
  const keys = [decoded.value.old, decoded.value.new].map((vkey) => keyOf(vkey, use, nodeId));
  const [old, next] = keys;
  if (old === undefined || next === undefined) return wrong('new', `two ${use} keys of ${nodeId}`, 'others');
  if (old.name !== next.name || decoded.value.old === decoded.value.new)
    return wrong('new', `another key under the name ${old.name}`, decoded.value.new);
  if (!isOrdered(effective_at, overlap_until))
    return wrong('overlap_until', 'an ISO time not before effective_at', overlap_until);

  for (const { at, verifier } of [
    { at: 'old', verifier: old },
    { at: 'new', verifier: next },
  ]) {
    const verified = verifyNote(parsed.value, [verifier]);
    if (!verified.ok) return wrong(at, `signature of the ${at} key`, verified.error);
  }
  if (parsed.value.signatures.length !== keys.length)
    return wrong('signature', 'one line of each key', `${parsed.value.signatures.length} lines`);
  return ok({ ...decoded.value, nodeId, note });
}

/** The verifier of a statement's signature lines by a key; undefined if it is no key of that use. */
function keyOf(vkey: string, use: KeyUse, nodeId: string): NoteVerifier | undefined {
  const parsed = parseVerifierKey(vkey);
  if (!parsed.ok || parsed.value.algorithm !== ALGORITHM[use] || !isNameOf(parsed.value, use, nodeId)) return undefined;
  const { name, publicKey } = parsed.value;
  const verifier = noteVerifier(parsed.value);
  if (!verifier.ok) return undefined;
  return use === 'witness' ? ed25519Verifier(name, publicKey) : verifier.value;
}

function isNameOf({ name }: VerifierKey, use: KeyUse, nodeId: string): boolean {
  if (use === 'node') return name === nodeId;
  if (use === 'witness') return name === witnessName(nodeId);
  return true; // the origin of a log is the reader's to know
}

function isOrdered(from: string, until: string): boolean {
  const [start, end] = [parseIsoInstant(from), parseIsoInstant(until)];
  return start.ok && end.ok && start.value <= end.value;
}

function wrong(at: string, expected: string, got: string | number): { readonly ok: false; readonly error: Malformed } {
  return err({ at, expected, got: String(got) });
}
