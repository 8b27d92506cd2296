/** What a peer states on a watch: hints about what it was asked, and no more of it in memory than that. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PullDeps } from '../../../src/pull/deps.ts';
import { lostWith } from '../../../src/pull/session-state.ts';
import { type FeedLengths, watchPeer } from '../../../src/pull/watch-peer.ts';
import { encodeWatchUpdate } from '../../../src/wire/watch.ts';

const ASKED = ['public', 'company'];

test('a peer that states ever other feeds, and takes them back, fills no memory', async () => {
  const update = (feeds: readonly string[]) =>
    encodeWatchUpdate({ feeds: feeds.map((feed) => ({ feed, length: 1 })), size: 1 });
  const request = async function* () {
    for (let i = 0; i < 20; i++) yield update([`company/garden-${i}`, ...(i % 2 === 0 ? ASKED : [])]);
  };
  const deps = { transport: { request } } as unknown as PullDeps;
  let state: { stated: FeedLengths; lost: readonly string[] } = { stated: new Map(), lost: [] };
  let woken = 0;
  const onUpdate = (stated: FeedLengths): void => {
    const { gone, lost } = lostWith(state, stated);
    if (gone.length > 0) woken++;
    state = { stated, lost };
  };
  await watchPeer('a peer', ASKED, deps, onUpdate, AbortSignal.timeout(10_000));
  assert.deepEqual(state, { stated: new Map(), lost: ASKED });
  assert.equal(woken, 10);
});
