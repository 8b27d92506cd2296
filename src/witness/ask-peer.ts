/** Questions to a peer: over the witness protocol, and for the proofs that join two heads of its log. */
import { MAX_FRAME_BYTES, MAX_WITNESS_REQUEST_BYTES } from '../core/limits.ts';
import { decodeBase64 } from '../merkle/base64.ts';
import { completeRoot } from '../merkle/hash.ts';
import { isPowerOfTwo } from '../merkle/tree-size.ts';
import { TransportError } from '../transport/errors.ts';
import type { Transport } from '../transport/transport.ts';
import { decodeProofAnswer, encodeProofRequest, type ProofAnswer, type ProofRequest } from '../wire/proof.ts';
import { PROOF_PROTOCOL, WITNESS_PROTOCOL } from '../wire/protocols.ts';
import { decodeWitnessAnswer, encodeWitnessRequest, type WitnessAnswer, type WitnessRequest } from '../wire/witness.ts';

const ANSWER_MS = 10_000;
const TILE_BITS = 8;

type Asking = Pick<Transport, 'request'>;

/** @returns undefined when there is no answer, or none that can be read: the peer is asked again another time */
export async function askWitness(
  transport: Asking,
  peerId: string,
  request: WitnessRequest,
  signal: AbortSignal,
): Promise<WitnessAnswer | undefined> {
  const limits = { signal, idleMs: ANSWER_MS, totalMs: ANSWER_MS, maxFrameBytes: MAX_WITNESS_REQUEST_BYTES };
  const frame = await firstFrame(transport.request(peerId, WITNESS_PROTOCOL, encodeWitnessRequest(request), limits));
  const answer = frame === undefined ? undefined : decodeWitnessAnswer(frame);
  return answer?.ok ? answer.value : undefined;
}

/** The path from the smaller to the larger tree of the peer's log, as the peer has it; undefined: no answer. */
export async function askConsistency(
  transport: Asking,
  peerId: string,
  sizes: { readonly from: number; readonly to: number },
  signal: AbortSignal,
): Promise<readonly Uint8Array[] | undefined> {
  const answer = await askProof(transport, peerId, { kind: 'consistency', ...sizes, v: 1 }, signal);
  return answer?.kind === 'consistency' ? hashesOf(answer.proof) : undefined;
}

/**
 * The root that the peer's tree has over its first `size` leaves, a power of two: RFC 9162 leaves it out of the path, so that
 * a path of another tree would lead nowhere and show nothing.
 */
export async function askPrefixRoot(
  transport: Asking,
  peerId: string,
  size: number,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  if (!isPowerOfTwo(size)) return undefined;
  const height = Math.round(Math.log2(size));
  const level = Math.floor(height / TILE_BITS);
  const width = 2 ** (height % TILE_BITS);
  const answer = await askProof(transport, peerId, { index: 0, kind: 'tile', level, v: 1, width }, signal);
  const hashes = answer?.kind === 'tile' ? decodeBase64(answer.hashes) : undefined;
  return hashes?.length === width * 32 ? completeRoot(hashes, 0, width) : undefined;
}

async function askProof(
  transport: Asking,
  peerId: string,
  request: ProofRequest,
  signal: AbortSignal,
): Promise<ProofAnswer | undefined> {
  const limits = { signal, idleMs: ANSWER_MS, totalMs: ANSWER_MS, maxFrameBytes: MAX_FRAME_BYTES };
  const frame = await firstFrame(transport.request(peerId, PROOF_PROTOCOL, encodeProofRequest(request), limits));
  const answer = frame === undefined ? undefined : decodeProofAnswer(frame);
  return answer?.ok ? answer.value : undefined;
}

/** A peer that cannot be reached has said nothing. @throws the signal's reason */
async function firstFrame(frames: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    let first: Uint8Array | undefined;
    for await (const frame of frames) {
      if (first !== undefined) return undefined;
      first = frame;
    }
    return first;
  } catch (error) {
    if (error instanceof TransportError) return undefined;
    throw error;
  }
}

function hashesOf(texts: readonly string[]): readonly Uint8Array[] {
  return texts.map((text) => decodeBase64(text) ?? new Uint8Array(0));
}
