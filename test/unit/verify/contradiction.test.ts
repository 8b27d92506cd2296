/** Two heads of one log: contradiction, one history, or no proof of either. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBase64 } from '../../../src/merkle/base64.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { formatSignatureLine, signEd25519 } from '../../../src/merkle/note.ts';
import { type HeadPair, judgePair, pairEvidence } from '../../../src/verify/contradiction.ts';
import { ownLines } from '../../../src/verify/own-lines.ts';
import {
  decodeWitnessAnswer,
  decodeWitnessRequest,
  encodeWitnessAnswer,
  encodeWitnessRequest,
} from '../../../src/wire/witness.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { judge } from '../../support/judging.ts';

const honest = new HonestPeer().appendMany(20);
const stranger = new HonestPeer({ authority: 'stranger.example' }).appendMany(20);
const log = { nodeId: honest.nodeId, origin: honest.origin, key: honest.signer.publicKey };

function path(peer: HonestPeer, from: number, to: number): Uint8Array[] {
  return peer.consistency(from, to).map((hash) => decodeBase64(hash) ?? new Uint8Array(0));
}

/** A note with many lines under the log's own name before the one that counts. */
function padded(note: string): string {
  const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
  const keys = Array.from({ length: 60 }, (_, i) => createHash('sha256').update(`${i}`).digest());
  const junk = keys.map((seed) => formatSignatureLine(signEd25519(text, createLogSigner(honest.origin, seed))));
  return `${text}\n${junk.join('')}${note.slice(text.length + 1)}`;
}

test('any two sizes of one history are consistent, and of two histories a contradiction that the path shows', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 19 }), fc.integer({ min: 1, max: 20 }), fc.nat({ max: 18 }), (a, b, at) => {
      const [small, large] = a <= b ? [a, b] : [b, a];
      const notes = (peer: HonestPeer): HeadPair['notes'] => [honest.checkpoint(small), peer.checkpoint(large)];
      const shown = small === large ? null : path(honest, small, large);
      assert.deepEqual(judgePair({ notes: notes(honest), path: shown }, log), { kind: 'consistent' });
      if (at >= small) return;

      const fork = honest.fork(at).appendMany(20 - at);
      if (small === large) {
        const verdict = judgePair({ notes: notes(fork), path: null }, log);
        assert.deepEqual(verdict, { kind: 'contradiction', reason: 'checkpoint_split_view' });
        return;
      }
      const plain = path(fork, small, large);
      const isPower = Number.isInteger(Math.log2(small));
      const verdict = judgePair({ notes: notes(fork), path: plain }, log);
      if (!isPower) assert.deepEqual(verdict, { kind: 'contradiction', reason: 'consistency_proof_invalid' });
      else {
        assert.deepEqual(verdict, { kind: 'no_proof' }, 'the path of another tree leads nowhere');
        const explicit = judgePair({ notes: notes(fork), path: [fork.root(small), ...plain] }, log);
        assert.deepEqual(explicit, { kind: 'contradiction', reason: 'consistency_proof_invalid' });
      }
    }),
  );
});

test('a garbled path convicts nobody: no change of one hash makes a contradiction of one history', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 18 }),
      fc.boolean(),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (small, isExplicit, at, bit) => {
        const whole = path(honest, small, 19);
        const shown = isExplicit && Number.isInteger(Math.log2(small)) ? [honest.root(small), ...whole] : whole;
        const changed = shown.map((hash) => Buffer.from(hash));
        const hash = changed[at % changed.length];
        assert.ok(hash !== undefined);
        hash[at % 32] = (hash[at % 32] ?? 0) ^ bit;
        const pair = { notes: [honest.checkpoint(small), honest.checkpoint(19)] as const, path: changed };
        assert.notEqual(judgePair(pair, log).kind, 'contradiction');
      },
    ),
  );
});

test('what the log has not signed is no proof, nor are notes in the wrong order', () => {
  const shown = path(honest, 5, 9);
  const pairs: readonly HeadPair['notes'][] = [
    [honest.checkpoint(5), stranger.checkpoint(9)],
    [stranger.checkpoint(5), honest.checkpoint(9)],
    [honest.checkpoint(9), honest.checkpoint(5)],
    ['x', honest.checkpoint(9)],
    [honest.checkpoint(5), ''],
  ];
  for (const notes of pairs) assert.deepEqual(judgePair({ notes, path: shown }, log), { kind: 'no_proof' });
  assert.deepEqual(judgePair({ notes: [honest.checkpoint(5), honest.checkpoint(9)], path: null }, log), {
    kind: 'no_proof',
  });
});

test('a log that signs its heads with line upon line is shown to others all the same, by the line that counts', () => {
  const fork = honest.fork(2).appendMany(3);
  const notes = [ownLines(padded(honest.checkpoint(5)), log), ownLines(padded(fork.checkpoint(5)), log)] as const;
  assert.equal(judgePair({ notes, path: null }, log).kind, 'contradiction');
  const request = { kind: 'evidence', notes: [...notes], path: null, v: 1 } as const;
  assert.ok(decodeWitnessRequest(encodeWitnessRequest(request)).ok);
  // One head that is too long would keep those of all other logs from being shown.
  const answer = encodeWitnessAnswer({ heads: [notes[0], honest.checkpoint(4)], kind: 'heads', v: 1 });
  assert.ok(decodeWitnessAnswer(answer).ok);
});

test('a page under such a checkpoint is not taken; a contradiction in it is one all the same', () => {
  const refused = (peer: HonestPeer, known: HonestPeer | null): string => {
    const frames = peer.page(
      { feed: 'public', after: 0, knownSize: known === null ? 0 : 5, size: 5 },
      {
        content: (page) => ({ ...page, checkpoint: padded(page.checkpoint) }),
      },
    );
    const verdict = judge(frames, honest.context({ known: known?.known(5) ?? null }));
    return verdict.kind === 'refused' ? `${verdict.reason} ${verdict.evidence.class}` : verdict.kind;
  };
  assert.equal(refused(honest, null), 'checkpoint_malformed accusation');
  assert.equal(refused(honest.fork(2).appendMany(3), honest), 'checkpoint_split_view contradiction');
});

test('total: any texts and hashes', () => {
  const note = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.integer({ min: 0, max: 20 }).map((n) => honest.checkpoint(n)),
  );
  const hashes = fc.option(fc.array(fc.uint8Array({ maxLength: 33 }), { maxLength: 70 }));
  fc.assert(
    fc.property(note, note, hashes, (one, two, given) => {
      assert.notEqual(judgePair({ notes: [one, two], path: given }, log).kind, 'contradiction');
      ownLines(one, log);
    }),
  );
});

test('evidence is one canonical text', () => {
  const fork = honest.fork(2).appendMany(3);
  const pair: HeadPair = { notes: [honest.checkpoint(5), fork.checkpoint(5)], path: null };
  const text = pairEvidence(pair, log, 'checkpoint_split_view', 'stigmem://b.example');
  assert.equal(text, JSON.stringify(JSON.parse(text)));
  assert.deepEqual(Object.keys(JSON.parse(text)), [
    'class',
    'event',
    'kind',
    'notes',
    'path',
    'peer',
    'reason',
    'seen_from',
    'v',
  ]);
});
