/** A page whose proof failed: single inclusion proofs tell which of its entries are in the signed tree. */
import { MAX_FRAME_BYTES, MAX_PROOF_INDEXES } from '../core/limits.ts';
import { decodeBase64 } from '../merkle/base64.ts';
import { TransportError } from '../transport/errors.ts';
import type { InclusionPaths } from '../verify/judge.ts';
import { decodeProofAnswer, encodeProofRequest } from '../wire/proof.ts';
import { PROOF_PROTOCOL } from '../wire/protocols.ts';
import type { PullDeps } from './deps.ts';

const FRAME_MS = 30_000;
const ANSWER_MS = 60_000;
/** The peer was there and would not answer; any other failure may be the network's. */
const WITHHELD: ReadonlySet<string> = new Set([
  'reset',
  'truncated',
  'unsupported_protocol',
  'frame_too_large',
  'frame_malformed',
]);

/**
 * Asks for the inclusion path of each index. A peer that gives none, or not as many as were asked for, has shown nothing:
 * `unavailable`, and every entry of the page is refused.
 *
 * @throws TransportError when the peer cannot be reached: then nothing is decided, and the page is pulled again
 */
export async function askInclusion(
  peerId: string,
  wanted: { readonly size: number; readonly indexes: readonly number[] },
  deps: PullDeps,
  signal: AbortSignal,
): Promise<InclusionPaths> {
  const paths = new Map<number, readonly Uint8Array[]>();
  for (let at = 0; at < wanted.indexes.length; at += MAX_PROOF_INDEXES) {
    const indexes = wanted.indexes.slice(at, at + MAX_PROOF_INDEXES);
    const proofs = await askOnce(peerId, indexes, wanted.size, deps, signal);
    if (proofs === undefined) return 'unavailable';
    indexes.forEach((index, i) => {
      const path = proofs[i];
      if (path !== undefined) paths.set(index, path);
    });
  }
  return paths;
}

async function askOnce(
  peerId: string,
  indexes: readonly number[],
  size: number,
  { transport }: PullDeps,
  signal: AbortSignal,
): Promise<readonly (readonly Uint8Array[])[] | undefined> {
  const ask = encodeProofRequest({ indexes, kind: 'inclusion', size, v: 1 });
  const limits = { signal, idleMs: FRAME_MS, totalMs: ANSWER_MS, maxFrameBytes: MAX_FRAME_BYTES };
  try {
    for await (const frame of transport.request(peerId, PROOF_PROTOCOL, ask, limits))
      return pathsIn(frame, indexes.length);
  } catch (error) {
    if (!(error instanceof TransportError && WITHHELD.has(error.code))) throw error;
  }
  return undefined;
}

function pathsIn(frame: Uint8Array, count: number): readonly (readonly Uint8Array[])[] | undefined {
  const answer = decodeProofAnswer(frame);
  if (!answer.ok || answer.value.kind !== 'inclusion' || answer.value.proofs.length !== count) return undefined;
  return answer.value.proofs.map((path) => path.flatMap((hash) => decodeBase64(hash) ?? []));
}
