import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { type LogSigner, verifyEd25519 } from './ed25519.ts';
import { sha256 } from './hash.ts';

/** One signature line. Name and key id together name the key. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  readonly signature: Uint8Array;
}

/** Signed text; it ends with a newline, which is signed too. Nothing is verified yet. */
export interface SignedNote {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A key that the reader knows, with its algorithm. */
export interface NoteVerifier {
  readonly name: string;
  readonly keyId: number;
  verify(text: Uint8Array, signature: Uint8Array): boolean;
}

export type NoteError =
  | 'note_too_large'
  | 'note_not_utf8'
  | 'note_control_character'
  | 'note_without_signature'
  | 'note_signature_malformed'
  | 'note_too_many_signatures';

/** Holds 16 post-quantum signatures of 5 kB, which a reader must take. */
export const MAX_NOTE_BYTES = 131_072;
export const MAX_NOTE_SIGNATURES = 64;

/** The byte that stands for the algorithm in key ids and verifier keys. @see C2SP signed-note, signature types */
export const ALG_ED25519 = 0x01;
export const ALG_ECDSA = 0x02;
export const ALG_COSIGNATURE_V1 = 0x04;

const KEY_ID_BYTES = 4;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a note must have none but the newline
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

/**
 * Reads a signed note. Total; one text per note: formatting what it returns gives the same bytes.
 *
 * @param maxBytes of a form that has a larger bound of its own
 * @see C2SP signed-note
 */
export function parseNote(note: string | Uint8Array, maxBytes: number = MAX_NOTE_BYTES): Result<SignedNote, NoteError> {
  if (isLonger(note, maxBytes)) return err('note_too_large');
  const whole = typeof note === 'string' ? note : decodeUtf8(note);
  if (whole === undefined || !whole.isWellFormed()) return err('note_not_utf8');
  if (CONTROL.test(whole)) return err('note_control_character');

  // the text may hold empty lines, the signatures cannot: the last one is the border
  const border = whole.lastIndexOf('\n\n');
  if (border === -1 || border + 2 === whole.length) return err('note_without_signature');
  if (!whole.endsWith('\n')) return err('note_signature_malformed');
  const lines = whole.slice(border + 2, -1).split('\n');
  if (lines.length > MAX_NOTE_SIGNATURES) return err('note_too_many_signatures');

  const signatures = lines.map(parseSignatureLine).filter((one) => one !== undefined);
  if (signatures.length < lines.length) return err('note_signature_malformed');
  return ok({ text: whole.slice(0, border + 1), signatures });
}

/** A note has as many bytes as a text as it has in a file. */
function isLonger(note: string | Uint8Array, maxBytes: number): boolean {
  if (typeof note !== 'string' || note.length > maxBytes) return note.length > maxBytes;
  // No UTF-16 unit takes more than three bytes, so most notes need not be measured.
  return note.length * 3 > maxBytes && Buffer.byteLength(note, 'utf8') > maxBytes;
}

/**
 * Writes a signed note.
 *
 * @throws RangeError if it would be none: no signature, a text without final newline, a name with a space
 */
export function formatNote(note: SignedNote): string {
  const isText = note.text.endsWith('\n') && note.text.isWellFormed() && !CONTROL.test(note.text);
  if (!isText || note.signatures.length === 0) throw new RangeError('not the text of a note, or no signature');
  return `${note.text}\n${note.signatures.map(formatSignatureLine).join('')}`;
}

/** One signature line, with its newline. @throws RangeError if the name is no key name */
export function formatSignatureLine(line: NoteSignature): string {
  if (!isKeyName(line.name)) throw new RangeError('not a key name');
  const keyId = Buffer.alloc(KEY_ID_BYTES);
  keyId.writeUInt32BE(line.keyId);
  return `— ${line.name} ${encodeBase64(Buffer.concat([keyId, line.signature]))}\n`;
}

/** Reads one signature line, without its newline; undefined if it is none. */
export function parseSignatureLine(line: string): NoteSignature | undefined {
  const [dash, name, base64, ...more] = line.split(' ');
  if (dash !== '—' || name === undefined || base64 === undefined || more.length > 0) return undefined;
  const bytes = decodeBase64(base64);
  if (!isKeyName(name) || bytes === undefined || bytes.length <= KEY_ID_BYTES) return undefined;
  return { name, keyId: bytes.readUInt32BE(), signature: bytes.subarray(KEY_ID_BYTES) };
}

/** True if a key can have that name: not empty, no white space, no plus, no control character below U+0020. */
export function isKeyName(name: string): boolean {
  return name.isWellFormed() && !CONTROL.test(name) && /^[^\p{White_Space}+]+$/u.test(name);
}

/**
 * Verifies a note against the keys that the reader knows.
 *
 * @returns the signatures of known keys, in the order of the note; signatures of unknown keys count for nothing.
 *   `signature_invalid`: a known key has a bad signature, which refuses the whole note, whatever else it carries
 * @see C2SP signed-note, signatures
 */
export function verifyNote(
  note: SignedNote,
  verifiers: readonly NoteVerifier[],
): Result<readonly NoteSignature[], 'signature_invalid' | 'no_known_signature'> {
  const text = Buffer.from(note.text);
  const verified: NoteSignature[] = [];
  for (const line of note.signatures) {
    const keys = verifiers.filter((one) => one.name === line.name && one.keyId === line.keyId);
    if (keys.length === 0) continue;
    if (!keys.some((key) => key.verify(text, line.signature))) return err('signature_invalid');
    verified.push(line);
  }
  return verified.length > 0 ? ok(verified) : err('no_known_signature');
}

/** First 4 bytes of SHA-256(name ‖ 0x0A ‖ algorithm ‖ public key), big-endian; not for ECDSA keys. */
export function noteKeyId(name: string, algorithm: number, publicKey: Uint8Array): number {
  return sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([algorithm]), publicKey])).readUInt32BE();
}

/** Signs the text of a note with an Ed25519 key. */
export function signEd25519(text: string, signer: LogSigner): NoteSignature {
  return {
    name: signer.name,
    keyId: noteKeyId(signer.name, ALG_ED25519, signer.publicKey),
    signature: signer.sign(Buffer.from(text)),
  };
}

/** The lines of a log: of its key and, in an overlap, of the keys before it. */
export function logLines(text: string, signer: LogSigner): NoteSignature[] {
  return [signer, ...signer.former].map((one) => signEd25519(text, one));
}

/** Verifies plain Ed25519 signatures of one key; an unusable key verifies nothing. */
export function ed25519Verifier(name: string, publicKey: Uint8Array): NoteVerifier {
  return {
    name,
    keyId: noteKeyId(name, ALG_ED25519, publicKey),
    verify: (text, signature) => verifyEd25519(publicKey, text, signature),
  };
}

/** Text of bytes that are UTF-8; undefined for others. A byte order mark stays a character. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
