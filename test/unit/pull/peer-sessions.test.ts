import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerFile } from '../../../src/config/peer-file.ts';
import type { PullDeps } from '../../../src/pull/deps.ts';
import { PeerSessions } from '../../../src/pull/peer-sessions.ts';

test('a change of the folder that is still under way when the node stops begins nothing', async () => {
  const deps = { settings: { maxParallelPulls: 1, refusedPerSecond: 1, peerBytesPerDay: 1 }, onPage: () => {} };
  const sessions = new PeerSessions(deps as unknown as PullDeps);
  await sessions.stop();
  sessions.add({ name: 'globex', disabled: false } as PeerFile);
  await sessions.change({ name: 'globex', disabled: false } as PeerFile);
  assert.deepEqual(sessions.list(), []);
});
