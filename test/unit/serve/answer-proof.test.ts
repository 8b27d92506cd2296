import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerFile } from '../../../src/config/peer-file.ts';
import type { FeedGrant as Grant } from '../../../src/core/disclosure.ts';
import type { JournalHead } from '../../../src/journal/read-model.ts';
import { answerProof } from '../../../src/serve/answer-proof.ts';
import type { ServeDeps } from '../../../src/serve/deps.ts';
import { encodeProofRequest } from '../../../src/wire/proof.ts';

const NOW_MS = 1_800_000_000_000;
const ASK = encodeProofRequest({ from: 1, kind: 'consistency', to: 3, v: 1 });

async function answersTo(share: readonly Grant[] | null): Promise<number> {
  const deps = {
    peerOf: () => (share === null ? undefined : ({ share } as PeerFile)),
    head: async () => ({ size: 3 }) as JournalHead,
    reader: { consistency: async () => [new Uint8Array(32)] },
    rules: { gardens: new Map(), permits: new Map(), confirmed: new Set() },
    nowMs: () => NOW_MS,
  } as unknown as ServeDeps;
  let frames = 0;
  for await (const _ of answerProof(ASK, 'peer', deps)) frames++;
  return frames;
}

test('proofs are for peers that may read something now', async () => {
  const grant = (notAfterMs: number | null): Grant => ({ feed: 'public', notBeforeMs: null, notAfterMs });
  assert.equal(await answersTo([grant(null)]), 1);
  assert.equal(await answersTo([]), 0, 'no grant');
  assert.equal(await answersTo([grant(NOW_MS - 1)]), 0, 'a grant that has run out');
  assert.equal(await answersTo(null), 0, 'no such peer');
});
