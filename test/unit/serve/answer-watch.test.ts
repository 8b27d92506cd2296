import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerWatch, WATCH_HEARTBEAT_MS } from '../../../src/serve/answer-watch.ts';
import type { ServeDeps } from '../../../src/serve/deps.ts';
import { GrowthBell } from '../../../src/serve/growth-bell.ts';
import { encodeWatchRequest } from '../../../src/wire/watch.ts';

const TEN_YEARS_MS = 10 * 365.25 * 86_400_000;

test('a clock that is put back by years does not make a watch wait longer than a heartbeat, or not at all', async () => {
  const gone = new AbortController();
  const waits: number[] = [];
  const growth = new (class extends GrowthBell {
    override async wait(timeoutMs: number): Promise<'aborted'> {
      waits.push(timeoutMs);
      gone.abort();
      return 'aborted';
    }
  })({ size: 1, feeds: [{ feed: 'public', length: 1 }] });
  let nowMs = 1_767_225_600_000;
  const share = [{ feed: 'public', notBeforeMs: null, notAfterMs: null }];
  const deps = { peerOf: () => ({ share }), nowMs: () => nowMs, growth } as unknown as ServeDeps & {
    growth: GrowthBell;
  };

  const context = { peerId: 'p', signal: gone.signal };
  const frames = answerWatch(encodeWatchRequest({ feeds: ['public'] }), context, deps);
  assert.equal((await frames.next()).done, false);
  nowMs -= TEN_YEARS_MS;
  assert.equal((await frames.next()).done, true);
  const [waitMs = 0] = waits;
  assert.ok(waitMs > 0 && waitMs <= WATCH_HEARTBEAT_MS, `${waitMs} ms`);
});
