import assert from 'node:assert/strict';
import { test } from 'node:test';
import PQueue from 'p-queue';
import { PullError } from '../../../src/pull/errors.ts';
import { takeTurn } from '../../../src/pull/take-turn.ts';

const never = new AbortController().signal;

/** Ends only when it is told to. */
function endless(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}

test('who has had its time makes room for who waits', async () => {
  const lane = new PQueue({ concurrency: 1 });
  const first = takeTurn(lane, 0, never, endless);
  const second = takeTurn(lane, 0, never, async () => 'served');
  await assert.rejects(first, (error) => error instanceof PullError && error.code === 'gave_way');
  assert.equal(await second, 'served');
});

test('who has had its time goes on while nobody waits', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const lane = new PQueue({ concurrency: 1 });
  const done = Promise.withResolvers<string>();
  let told = false;
  const first = takeTurn(lane, 0, never, async (signal) => {
    signal.addEventListener('abort', () => {
      told = true;
    });
    return done.promise;
  });
  t.mock.timers.tick(60_000);
  done.resolve('all of it');
  assert.deepEqual([await first, told], ['all of it', false]);
});

test('the caller’s own signal reaches the work, with its reason', async () => {
  const stopping = new AbortController();
  const turn = takeTurn(new PQueue({ concurrency: 1 }), 60_000, stopping.signal, endless);
  stopping.abort(new Error('the node is stopping'));
  await assert.rejects(turn, /the node is stopping/);
});
