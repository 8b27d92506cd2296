import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openDeclaration } from '../../../src/wire/declaration.ts';
import { decodeHello } from '../../../src/wire/hello.ts';
import { decodePage, type PageFrames } from '../../../src/wire/page.ts';
import { decodePageHeader } from '../../../src/wire/page-header.ts';
import { decodeProofAnswer, decodeProofRequest } from '../../../src/wire/proof.ts';
import { decodePullEnd, isPullEnd } from '../../../src/wire/pull-end.ts';
import { decodePullRequest } from '../../../src/wire/pull-request.ts';
import { decodeWatchRequest, decodeWatchUpdate } from '../../../src/wire/watch.ts';
import { decodeWitnessAnswer, decodeWitnessRequest } from '../../../src/wire/witness.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { judge } from '../../support/judging.ts';

const node = { nodeId: 'stigmem://acme.example', nodeKey: Buffer.alloc(32, 1) };
const DECODERS = {
  decodePullRequest,
  decodePageHeader,
  decodePullEnd,
  decodeHello,
  decodeWatchRequest,
  decodeWatchUpdate,
  decodeProofRequest,
  decodeProofAnswer,
  decodeWitnessRequest,
  decodeWitnessAnswer,
  openDeclaration: (bytes: Uint8Array) => openDeclaration(bytes, node),
};

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 300 }).map((text) => Buffer.from(text)),
  fc.json({ maxDepth: 20 }).map((text) => Buffer.from(text)),
);

for (const [name, decode] of Object.entries(DECODERS)) {
  test(`${name}: any bytes give a value or a bounded refusal`, () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const decoded = decode(bytes);
        if (decoded.ok) return;
        const { at, expected, got } = decoded.error;
        assert.ok(at.length < 200 && expected.length < 1000 && got.length < 1000);
      }),
      { numRuns: 500 },
    );
  });
}

test('isPullEnd: any bytes', () => {
  fc.assert(fc.property(anyBytes, (bytes) => typeof isPullEnd(bytes) === 'boolean'));
});

const peer = new HonestPeer().appendMany(12);
const ctx = peer.context();

/** A splice of one frame: `length` bytes at `at` replaced by others. */
const splice = fc.record({
  frame: fc.constantFrom('header', 'entries', 'proof'),
  at: fc.nat(20_000),
  length: fc.nat(40),
  bytes: fc.uint8Array({ maxLength: 40 }),
});

for (const encoding of ['identity', 'zstd'] as const) {
  test(`mutated pages are judged, never thrown over: ${encoding}`, () => {
    const honest: PageFrames = peer.page({ feed: 'public', after: 0, count: 7, encoding });
    fc.assert(
      fc.property(fc.array(splice, { minLength: 1, maxLength: 3 }), (splices) => {
        let frames = honest;
        for (const { frame, at, length, bytes } of splices) {
          const old = Buffer.from(frames[frame as keyof PageFrames] ?? '');
          const from = at % (old.length + 1);
          frames = { ...frames, [frame]: Buffer.concat([old.subarray(0, from), bytes, old.subarray(from + length)]) };
        }
        decodePage(frames);
        const verdict = judge(peer.signed(frames), ctx, [], peer.inclusionMap([0, 1, 2, 3, 4, 5, 6]));
        if (verdict.kind === 'verified') for (const one of verdict.batch.refused) JSON.parse(one.evidence.text());
        if (verdict.kind === 'refused') JSON.parse(verdict.evidence.text());
      }),
      { numRuns: 400 },
    );
  });
}

test('four arbitrary frames', () => {
  fc.assert(
    fc.property(anyBytes, anyBytes, anyBytes, anyBytes, (header, entries, proof, note) => {
      assert.equal(judge({ header, entries, proof, note }, ctx).kind, 'refused');
      assert.equal(judge(peer.signed({ header, entries, proof }), ctx).kind, 'refused');
    }),
  );
});
