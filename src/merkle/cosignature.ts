import { err, ok, type Result } from '../core/result.ts';
import { type LogSigner, SIGNATURE_BYTES, verifyEd25519 } from './ed25519.ts';
import {
  ALG_COSIGNATURE_V1,
  formatSignatureLine,
  type NoteSignature,
  type NoteVerifier,
  noteKeyId,
  type SignedNote,
} from './note.ts';

const TIME_BYTES = 8;

/**
 * A witness's dated signature over the text of a checkpoint, 8 + 64 bytes.
 *
 * @param text        the checkpoint's text, with its final newline
 * @param timeSeconds POSIX time
 * @throws RangeError if the time is no non-negative safe integer
 * @see C2SP tlog-cosignature, cosignature/v1
 */
export function cosign(text: string, timeSeconds: number, signer: LogSigner): NoteSignature {
  if (!Number.isSafeInteger(timeSeconds) || timeSeconds < 0) throw new RangeError('not a POSIX time');
  const time = Buffer.alloc(TIME_BYTES);
  time.writeBigUInt64BE(BigInt(timeSeconds));
  return {
    name: signer.name,
    keyId: noteKeyId(signer.name, ALG_COSIGNATURE_V1, signer.publicKey),
    signature: Buffer.concat([time, signer.sign(cosignedMessage(timeSeconds, Buffer.from(text)))]),
  };
}

/** Adds a signature line to a note in its text form. */
export function appendSignature(note: string, signature: NoteSignature): string {
  return note + formatSignatureLine(signature);
}

/** The POSIX time in seconds of a cosignature; undefined if it has the wrong length or a time above 2^53 - 1. */
export function cosignatureTime(signature: Uint8Array): number | undefined {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const time = Number(Buffer.from(signature).readBigUInt64BE());
  return Number.isSafeInteger(time) ? time : undefined;
}

/** Verifies cosignatures of one witness key; an unusable key verifies nothing. */
export function cosignatureVerifier(name: string, publicKey: Uint8Array): NoteVerifier {
  return {
    name,
    keyId: noteKeyId(name, ALG_COSIGNATURE_V1, publicKey),
    verify: (text, signature) => {
      const time = cosignatureTime(signature);
      if (time === undefined) return false;
      return verifyEd25519(publicKey, cosignedMessage(time, text), signature.subarray(TIME_BYTES));
    },
  };
}

/**
 * Checks what one witness says about a checkpoint. The log's own signature is another matter.
 *
 * @returns the latest time, in POSIX seconds, if all lines of that witness verify
 */
export function checkCosignature(
  note: SignedNote,
  witness: { readonly name: string; readonly key: Uint8Array },
): Result<{ readonly timeSeconds: number }, 'cosignature_missing' | 'cosignature_invalid'> {
  const verifier = cosignatureVerifier(witness.name, witness.key);
  const lines = note.signatures.filter((line) => line.name === verifier.name && line.keyId === verifier.keyId);
  if (lines.length === 0) return err('cosignature_missing');

  const text = Buffer.from(note.text);
  if (!lines.every((line) => verifier.verify(text, line.signature))) return err('cosignature_invalid');
  return ok({ timeSeconds: Math.max(...lines.map((line) => cosignatureTime(line.signature) ?? 0)) });
}

/** It names no cosigner: one key per witness, never shared. */
function cosignedMessage(timeSeconds: number, text: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`cosignature/v1\ntime ${timeSeconds}\n`), text]);
}
