/** The bodies of C2SP tlog-witness, as texts. */
import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { decodeDecimal } from './decimal.ts';
import { HASH_BYTES } from './hash.ts';
import { MAX_NOTE_SIGNATURES, type NoteSignature, parseSignatureLine } from './note.ts';

/** A checkpoint that a log wants cosigned, and how it extends the one that the witness knows. */
export interface AddCheckpoint {
  /** Tree size that the witness is thought to have cosigned last; 0 for none. */
  readonly oldSize: number;
  /** Consistency proof from there, 32 bytes each. */
  readonly path: readonly Uint8Array[];
  /** Signed note. Nothing of it is verified by reading it. */
  readonly checkpoint: string;
}

const MAX_WITNESS_PATH = 63;
/** Size line and hashes are below 4 KiB; a note with 64 signatures is below 60. */
export const MAX_ADD_CHECKPOINT_CHARS = 65_536;
const MAX_COSIGNATURE_CHARS = 16_384;

/** @see C2SP tlog-witness, add-checkpoint */
export function formatAddCheckpoint({ oldSize, path, checkpoint }: AddCheckpoint): string {
  return [`old ${oldSize}`, ...path.map((hash) => encodeBase64(hash)), '', checkpoint].join('\n');
}

/** Reads the body of a request. Total; one text per request. */
export function parseAddCheckpoint(body: string): Result<AddCheckpoint, 'malformed'> {
  const border = body.indexOf('\n\n');
  if (body.length > MAX_ADD_CHECKPOINT_CHARS || border === -1) return err('malformed');
  const [oldLine = '', ...hashes] = body.slice(0, border).split('\n');
  const oldSize = oldLine.startsWith('old ') ? decodeDecimal(oldLine.slice('old '.length)) : undefined;
  if (oldSize === undefined || hashes.length > MAX_WITNESS_PATH) return err('malformed');
  const path: Uint8Array[] = [];
  for (const text of hashes) {
    const hash = decodeBase64(text);
    if (hash?.length !== HASH_BYTES) return err('malformed');
    path.push(hash);
  }
  return ok({ oldSize, path, checkpoint: body.slice(border + 2) });
}

/** Reads the cosignature lines that a witness answers with. Total; undefined if one of them is none. */
export function parseCosignatures(body: string): readonly NoteSignature[] | undefined {
  if (body.length > MAX_COSIGNATURE_CHARS || !body.endsWith('\n')) return undefined;
  const lines = body.slice(0, -1).split('\n');
  const signatures = lines.map(parseSignatureLine).filter((line) => line !== undefined);
  return signatures.length === lines.length && lines.length <= MAX_NOTE_SIGNATURES ? signatures : undefined;
}

/** Reads the body of a 409: the size that the witness has cosigned. Total. */
export function parseStaleSize(body: string): number | undefined {
  return body.endsWith('\n') ? decodeDecimal(body.slice(0, -1)) : undefined;
}
