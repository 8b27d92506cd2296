/** A peer that was put back from a copy is left its notes again; one that asks for it without end is, now and then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeftNotes } from '../../../src/node/kept-notes.ts';

const MINUTE_MS = 60_000;
const [PEER, OTHER] = ['stigmem://acme.example', 'stigmem://hooli.example'];

test('who asks from the beginning again and again is left the notes again a few times, and nothing is forgotten', async () => {
  const left: [string, number][] = [];
  let nowMs = Date.parse('2026-11-30T12:00:00Z');
  const journal = {
    lastPageWithin: async (_: string, treeSize: number) => treeSize,
    leaveNotesAgain: async (peer: string, pageId: number) => void left.push([peer, pageId]),
    pendingNotes: async () => ({ notes: [], pageIds: [], upTo: null }),
  };
  const notes = new LeftNotes(journal, () => nowMs);
  await notes.onLost(PEER, 1_000);
  assert.deepEqual(left, [[PEER, 744]], 'at once');

  for (let i = 0; i < 100; i++) await notes.onLost(PEER, i === 50 ? 300 : 1_000);
  assert.equal(left.length, 4);
  await notes.onLost(OTHER, 256);
  assert.deepEqual(left.at(-1), [OTHER, 0], 'another peer has its own');

  nowMs += 9 * MINUTE_MS;
  await notes.pending(PEER);
  assert.equal(left.length, 5);
  nowMs += MINUTE_MS;
  await notes.pending(PEER);
  assert.deepEqual(left.at(-1), [PEER, 44], 'from the smallest that it had asked from');
  nowMs += 365 * 24 * 60 * MINUTE_MS;
  await notes.pending(PEER);
  assert.equal(left.length, 6, 'what nobody has lost is not left again');
  await notes.onLost(PEER, 500);
  nowMs -= 365 * 24 * 60 * MINUTE_MS;
  await notes.onLost(PEER, 600);
  assert.deepEqual(
    left.slice(6),
    [
      [PEER, 244],
      [PEER, 344],
    ],
    'a clock that was ahead puts nobody off',
  );
});
