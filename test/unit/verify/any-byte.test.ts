import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import type { PageContext } from '../../../src/verify/context.ts';
import type { PageFrames, SignedPageFrames } from '../../../src/wire/page.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { judge } from '../../support/judging.ts';
import { RelayLog } from '../../support/relay-log.ts';

const FRAMES = ['header', 'entries', 'proof'] as const;
type FrameName = (typeof FRAMES)[number];

/** All that follows from a verdict, as text. What was changed is signed again: the note alone would refuse it all. */
function outcome(frames: PageFrames, ctx: PageContext): string {
  return told(peer.signed(frames), ctx);
}

function told(frames: SignedPageFrames, ctx: PageContext): string {
  const verdict = judge(frames, ctx);
  if (verdict.kind !== 'verified') return JSON.stringify(verdict);
  const { batch } = verdict;
  return JSON.stringify({
    after: batch.after,
    to: batch.to,
    checkpoint: batch.checkpoint,
    feedHead: batch.feedHead,
    accepted: batch.accepted,
    refused: batch.refused,
    duplicates: batch.duplicates,
  });
}

function replaced(frames: PageFrames, name: FrameName, bytes: Uint8Array): PageFrames {
  return { ...frames, [name]: bytes };
}

function flipped(bytes: Uint8Array, at: number, mask: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ mask;
  return copy;
}

const peer = new HonestPeer();
for (let i = 0; i < 6; i++) peer.append({ scope: i === 3 ? 'team' : 'public' });
const ctx = peer.context({ after: 1, known: peer.known(4), knownFeedLength: 3 });
const small = peer.page({ feed: 'public', after: 1, count: 2, knownSize: 4 });
const honest = outcome(small, ctx);

test('the page that is mutated below is taken whole', () => {
  assert.match(honest, /"refused":\[\]/);
  assert.ok(small.proof !== null && small.proof.length >= 64);
});

for (const name of FRAMES) {
  for (const mask of [0x01, 0x20, 0x80]) {
    test(`${name}: no byte can be changed by 0x${mask.toString(16)} without another verdict`, () => {
      const frame = small[name] ?? Buffer.alloc(0);
      for (let at = 0; at < frame.length; at++) {
        const changed = outcome(replaced(small, name, flipped(frame, at, mask)), ctx);
        assert.ok(
          changed !== honest && !/^\{"after".*"refused":\[\]/.test(changed),
          `${name}[${at}] ^ ${mask}: ${changed.slice(0, 300)}`,
        );
      }
    });
  }

  test(`${name}: no byte can be left out, doubled or added without another verdict`, () => {
    const frame = Buffer.from(small[name] ?? '');
    for (let at = 0; at <= frame.length; at++) {
      const [before, behind] = [frame.subarray(0, at), frame.subarray(at)];
      const variants = [
        [before, behind.subarray(1)],
        [before, behind.subarray(0, 1), behind],
        [before, Buffer.from(' '), behind],
      ];
      for (const parts of variants) {
        const bytes = Buffer.concat(parts);
        if (bytes.equals(frame)) continue;
        const changed = outcome(replaced(small, name, bytes), ctx);
        assert.notEqual(changed, honest, `${name}[${at}]`);
        assert.doesNotMatch(changed, /^\{"after".*"refused":\[\]/, `${name}[${at}]`);
      }
    }
  });
}

test('note: no byte can be changed, left out or added', () => {
  const note = small.note ?? Buffer.alloc(0);
  for (let at = 0; at < note.length; at++) {
    const left = Buffer.concat([note.subarray(0, at), note.subarray(at + 1)]);
    const added = Buffer.concat([note.subarray(0, at), Buffer.from(' '), note.subarray(at)]);
    for (const changed of [flipped(note, at, 1), flipped(note, at, 0x20), left, added])
      assert.match(told({ ...small, note: changed }, ctx), /"reason":"page_malformed"/, `note[${at}]`);
  }
});

test('a byte of a frame that is not signed again is refused by the note alone', () => {
  for (const name of FRAMES) {
    const changed = flipped(small[name] ?? Buffer.alloc(0), 40, 1);
    const refused = told({ ...small, [name]: changed }, ctx);
    assert.match(refused, /"reason":"page_malformed".*"field":"note.frames"/);
  }
});

test('frames left out, put in the place of each other, or taken from another page', () => {
  const other = peer.page({ feed: 'public', after: 0, count: 3, knownSize: 4 });
  for (const name of FRAMES) {
    for (const source of FRAMES) {
      const frame = name === source ? other[source] : small[source];
      assert.notEqual(outcome({ ...small, [name]: frame }, ctx), honest);
    }
    if (name !== 'header') assert.notEqual(outcome({ ...small, [name]: null }, ctx), honest);
  }
});

const relayed = new RelayLog({ facts: 2 });
const relayPage = relayed.page({ after: 1, knownSize: 2 });
const relayCtx = relayed.context({ after: 1, known: relayed.relay.known(2), knownFeedLength: 2 });

test('a relayed page: no byte of what the origin signed can be changed or left out without another verdict', () => {
  const taken = (frames: PageFrames): boolean =>
    /^\{"after".*"refused":\[\]/.test(told(relayed.relay.signed(frames), relayCtx));
  assert.ok(taken(relayPage));
  const header = Buffer.from(relayPage.header);
  for (let at = header.indexOf('"origins":'); at < header.indexOf(',"proof_hashes"'); at++) {
    const without = Buffer.concat([header.subarray(0, at), header.subarray(at + 1)]);
    for (const bytes of [flipped(header, at, 0x01), without])
      assert.ok(!taken(replaced(relayPage, 'header', bytes)), `header[${at}]`);
  }
});

const large = new HonestPeer().appendMany(200);
const largeCtx = large.context();

for (const encoding of ['identity', 'zstd'] as const) {
  test(`random bytes of a larger page, ${encoding}: another verdict, or the same content`, () => {
    const page = large.page({ feed: 'public', after: 0, count: 150, encoding });
    const taken = outcome(page, largeCtx);
    assert.match(taken, /"refused":\[\]/);
    fc.assert(
      fc.property(fc.constantFrom(...FRAMES), fc.nat(), fc.integer({ min: 1, max: 255 }), (name, where, mask) => {
        const frame = page[name] ?? Buffer.alloc(0);
        const bytes = flipped(frame, where % frame.length, mask);
        const isSameContent = encoding === 'zstd' && name === 'entries' && decompressesTo(bytes, page.entries);
        assert.equal(outcome(replaced(page, name, bytes), largeCtx) === taken, isSameContent);
      }),
      { numRuns: 300 },
    );
  });
}

function decompressesTo(bytes: Uint8Array, honestFrame: Uint8Array | null): boolean {
  try {
    return zstdDecompressSync(bytes).equals(zstdDecompressSync(honestFrame ?? ''));
  } catch {
    return false;
  }
}
