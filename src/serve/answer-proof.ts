/** Answers questions about the tree: hashes only, which say nothing about facts. */
import { openFeeds } from '../core/disclosure.ts';
import { MAX_PROOF_INDEXES } from '../core/limits.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { tileWidth } from '../merkle/tiles.ts';
import { decodeProofRequest, encodeProofAnswer, type ProofRequest } from '../wire/proof.ts';
import type { ServeDeps } from './deps.ts';

/** One frame; none when the request makes no sense for this tree, and the stream then ends without an answer. */
export async function* answerProof(request: Uint8Array, peerId: string, deps: ServeDeps): AsyncGenerator<Uint8Array> {
  // Sizes of a tree are for those who may read something of it.
  const peer = deps.peerOf(peerId);
  if (peer === undefined || openFeeds(peer, deps.rules, deps.nowMs()).size === 0) return;
  const decoded = decodeProofRequest(request);
  if (!decoded.ok) return;
  const { size } = await deps.head();
  if (!isAnswerable(decoded.value, size)) return;
  yield await prove(decoded.value, deps);
}

async function prove(request: ProofRequest, { reader }: ServeDeps): Promise<Uint8Array> {
  switch (request.kind) {
    case 'inclusion': {
      const proofs = await reader.inclusion(request.indexes, request.size);
      return encodeProofAnswer({ kind: 'inclusion', proofs: proofs.map((path) => path.map(encodeBase64)), v: 1 });
    }
    case 'consistency': {
      const proof = await reader.consistency(request.from, request.to);
      return encodeProofAnswer({ kind: 'consistency', proof: proof.map(encodeBase64), v: 1 });
    }
    case 'tile': {
      const hashes = await reader.tile(request.level, request.index, request.width);
      return encodeProofAnswer({ kind: 'tile', hashes: encodeBase64(hashes), v: 1 });
    }
  }
}

function isAnswerable(request: ProofRequest, size: number): boolean {
  switch (request.kind) {
    case 'inclusion':
      return (
        request.size <= size &&
        request.indexes.length <= MAX_PROOF_INDEXES &&
        request.indexes.every((index) => index < request.size)
      );
    case 'consistency':
      return request.from <= request.to && request.to <= size;
    case 'tile':
      return request.width > 0 && request.width <= tileWidth(request.level, request.index, size);
  }
}
