/** What a follower is owed: within a time that the first telling fixes, in numbers that are bounded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VerificationError } from '../../../src/client/errors.ts';
import { type HiddenPlace, Owed } from '../../../src/client/owed.ts';
import { MemoryPositions, readOwed } from '../../../src/client/stores.ts';

const HOUR_MS = 3_600_000;
const START_MS = 1_767_225_600_000;

function hidden(position: number, dueSeconds: number | null = 60): HiddenPlace {
  return { position, feed: 'public', feedSeq: position, dueSeconds };
}

function open(positions = new MemoryPositions(), longestSeconds = 86_400): Promise<Owed> {
  return Owed.load({ positions, name: 'a', longestSeconds });
}

test('the time of the first telling holds, also for who comes back', async () => {
  const positions = new MemoryPositions();
  const owed = await open(positions);
  await owed.tell([hidden(3), hidden(4, null), hidden(5, 1e12)], START_MS);
  await owed.tell([hidden(3, 999)], START_MS + 50_000);
  for (const one of [owed, await open(positions)]) {
    assert.equal(one.untilMs(3), START_MS + 60_000 + HOUR_MS);
    assert.equal(one.untilMs(4), START_MS + 86_400_000 + HOUR_MS, 'no time: the longest');
    assert.equal(one.untilMs(5), START_MS + 86_400_000 + HOUR_MS, 'no longer than that');
  }
  owed.given(5, 1);
  owed.given(3, 2);
  await owed.acknowledged(0);
  assert.equal((await positions.loadOwed('a')).length, 3, 'what was given is not worked off yet');
  await owed.acknowledged(2);
  assert.deepEqual(
    (await positions.loadOwed('a')).map(({ position }) => position),
    [4],
  );
  assert.deepEqual(await positions.loadOwed('b'), []);
});

test('it is asked for when it is due, every minute behind that, and each hour before; sixteen at once', async () => {
  const owed = await open();
  await owed.tell([hidden(3, 60), hidden(9, 7_200)], START_MS);
  const asked = (ms: number, after = 99): number[] => owed.due(after, START_MS + ms).map(({ position }) => position);
  assert.deepEqual([asked(59_999), asked(60_000), asked(60_000, 2)], [[], [3], []]);
  const [three] = owed.due(99, START_MS + 60_000);
  assert.ok(three !== undefined);
  await owed.stillHidden(three, START_MS + 60_000);
  assert.deepEqual([asked(119_999), asked(120_000), asked(HOUR_MS)], [[], [3], [3, 9]]);
  owed.given(three.position, 1);
  assert.deepEqual(asked(HOUR_MS), [9]);
  owed.askNow(3);
  assert.deepEqual(asked(0), [3], 'its tombstone has come');
  await owed.tell(
    Array.from({ length: 40 }, (_, i) => hidden(20 + i, 0)),
    START_MS,
  );
  assert.equal(asked(60_000).length, 16);
});

test('too many are a gap', async () => {
  const owed = await open();
  const many = Array.from({ length: 10_000 }, (_, i) => hidden(i + 1));
  await owed.tell(many, START_MS);
  await owed.tell(many, START_MS);
  await assert.rejects(owed.tell([hidden(10_001)], START_MS), (error) => {
    assert.ok(error instanceof VerificationError && error.code === 'feed_gap');
    return true;
  });
});

test('what was kept is read back, or refused', () => {
  const kept = [{ position: 3, feed: 'public', feedSeq: 3, untilMs: START_MS }];
  assert.deepEqual(readOwed(JSON.stringify(kept)), kept);
  for (const name of ['position', 'feed', 'feedSeq', 'untilMs']) {
    assert.throws(() => readOwed(JSON.stringify([{ ...kept[0], [name]: null }])), TypeError, name);
  }
  for (const text of ['{}', '[1]', '[null]', '3']) assert.throws(() => readOwed(text), TypeError, text);
});
