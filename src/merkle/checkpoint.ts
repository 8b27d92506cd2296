import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { decodeDecimal } from './decimal.ts';
import type { LogSigner } from './ed25519.ts';
import { EMPTY_ROOT, HASH_BYTES, sameHash } from './hash.ts';
import { ed25519Verifier, formatNote, isKeyName, logLines, parseNote, type SignedNote, verifyNote } from './note.ts';

/** A tree head under the name of its log. */
export interface Checkpoint {
  readonly origin: string;
  /** leaves in the tree, up to 2^53 - 1 */
  readonly size: number;
  /** 32 bytes */
  readonly root: Uint8Array;
}

/** A checkpoint whose log signature has been verified, with the note that it came in. */
export interface OpenedCheckpoint extends Checkpoint {
  readonly note: SignedNote;
}

export type CheckpointError = 'checkpoint_malformed' | 'checkpoint_origin_mismatch' | 'checkpoint_signature_invalid';

/**
 * The text that is signed: origin, tree size, root hash, one line each.
 *
 * @throws RangeError if {@link parseCheckpoint} would refuse it
 * @see C2SP tlog-checkpoint
 */
export function formatCheckpoint(origin: string, size: number, root: Uint8Array): string {
  const text = `${origin}\n${size}\n${encodeBase64(root)}\n`;
  if (!parseCheckpoint(text).ok) throw new RangeError('not a checkpoint');
  return text;
}

/** Reads the text of a checkpoint. Total; extension lines, and a root of the empty tree that is none, are refused. */
export function parseCheckpoint(text: string): Result<Checkpoint, 'checkpoint_malformed'> {
  const [origin = '', sizeText = '', rootText = '', end, ...more] = text.split('\n');
  const size = decodeDecimal(sizeText);
  const root = decodeBase64(rootText);
  if (end !== '' || more.length > 0 || !isKeyName(origin)) return err('checkpoint_malformed');
  if (size === undefined || root?.length !== HASH_BYTES) return err('checkpoint_malformed');
  if (size === 0 && !sameHash(root, EMPTY_ROOT)) return err('checkpoint_malformed');
  return ok({ origin, size, root });
}

/**
 * A checkpoint with the log's signature, in text form. The caller has made sure that the tree extends the last signed one.
 *
 * @throws RangeError as {@link formatCheckpoint}, and if the signer's name is not the origin
 */
export function signCheckpoint(origin: string, size: number, root: Uint8Array, signer: LogSigner): string {
  if (signer.name !== origin) throw new RangeError('a log signs under its origin');
  const text = formatCheckpoint(origin, size, root);
  return formatNote({ text, signatures: logLines(text, signer) });
}

/**
 * Reads a signed checkpoint and verifies the log's own signature. Total.
 *
 * @param log origin and raw Ed25519 key that are pinned for it
 * @returns the note too: cosignatures in it are not verified yet. `checkpoint_signature_invalid` if the log's line is
 *   missing or wrong
 */
export function openCheckpoint(
  note: string | Uint8Array,
  log: { readonly origin: string; readonly key: Uint8Array },
): Result<OpenedCheckpoint, CheckpointError> {
  const parsed = parseNote(note);
  if (!parsed.ok) return err('checkpoint_malformed');
  const checkpoint = parseCheckpoint(parsed.value.text);
  if (!checkpoint.ok) return checkpoint;
  if (checkpoint.value.origin !== log.origin) return err('checkpoint_origin_mismatch');

  const verified = verifyNote(parsed.value, [ed25519Verifier(log.origin, log.key)]);
  return verified.ok ? ok({ ...checkpoint.value, note: parsed.value }) : err('checkpoint_signature_invalid');
}

/** The tree size that a note states. Nothing of it is verified. @returns 0 for what is no checkpoint */
export function statedSize(note: string): number {
  const checkpoint = parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1));
  return checkpoint.ok ? checkpoint.value.size : 0;
}
