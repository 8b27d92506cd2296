import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { decodeDecimal } from './decimal.ts';
import { HASH_BYTES } from './hash.ts';
import { decodeUtf8, MAX_NOTE_BYTES } from './note.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';
/** Longest path in a tree of 2^53 leaves. */
const MAX_PATH_HASHES = 53;
/** Header, index and hashes are below 4 KiB. */
const MAX_PROOF_BYTES = MAX_NOTE_BYTES + 4_096;

/** One leaf's inclusion with the checkpoint that it is proved against. */
export interface TlogProof {
  /** 0-based leaf position */
  readonly index: number;
  /** From leaf to root, 32 bytes each. */
  readonly path: readonly Uint8Array[];
  /** Signed note. Nothing of it is verified by reading it. */
  readonly checkpoint: string;
}

/**
 * Writes a proof in its text form.
 *
 * @see C2SP tlog-proof, v1; without the optional line of extra data
 */
export function formatTlogProof({ index, path, checkpoint }: TlogProof): string {
  const lines = [HEADER, `index ${index}`, ...path.map((hash) => encodeBase64(hash)), '', checkpoint];
  return lines.join('\n');
}

/** Reads a proof. Total; one text per proof, and a line of extra data is refused: this format has none. */
export function parseTlogProof(proof: string | Uint8Array): Result<TlogProof, 'tlog_proof_malformed'> {
  if (proof.length > MAX_PROOF_BYTES) return err('tlog_proof_malformed');
  const text = typeof proof === 'string' ? proof : decodeUtf8(proof);
  const border = text?.indexOf('\n\n') ?? -1;
  if (text === undefined || border === -1) return err('tlog_proof_malformed');
  const [header, indexLine = '', ...hashes] = text.slice(0, border).split('\n');
  if (header !== HEADER || hashes.length > MAX_PATH_HASHES) return err('tlog_proof_malformed');
  const index = indexLine.startsWith('index ') ? decodeDecimal(indexLine.slice('index '.length)) : undefined;
  const path = hashes.map(decodeBase64).filter((hash) => hash?.length === HASH_BYTES);
  if (index === undefined || path.length < hashes.length) return err('tlog_proof_malformed');
  return ok({ index, path: path as Buffer[], checkpoint: text.slice(border + 2) });
}
