import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANCHOR_WAITS_MS, AnchorAlarm } from '../../../src/anchor/alarm.ts';
import { AnchorError } from '../../../src/anchor/errors.ts';
import type { AnchorCheckpoint } from '../../../src/journal/anchor-records.ts';

const CHECKPOINT = { log: 'journal', treeSize: 4, createdUs: 0 } as AnchorCheckpoint;
const DOWN = new AnchorError('unreachable', 'it hangs up');
const REFUSED = new AnchorError('refused', 'never');

test('a log that is down is recorded once a checkpoint has waited too long, one that refuses at once', () => {
  const told: string[] = [];
  let nowMs = ANCHOR_WAITS_MS - 1;
  const record = ({ event, reason }: { readonly event: string; readonly reason?: string | null }): void => {
    told.push(`${event} ${reason}`);
  };
  const alarm = new AnchorAlarm({ afterMs: ANCHOR_WAITS_MS, nowMs: () => nowMs, record });
  alarm.failed('rekor', CHECKPOINT, DOWN);
  assert.deepEqual(told, []);
  nowMs += 1;
  alarm.failed('rekor', CHECKPOINT, DOWN);
  alarm.failed('rekor', CHECKPOINT, DOWN);
  assert.deepEqual(told, ['anchor_waits unreachable']);
  alarm.failed('rekor', CHECKPOINT, REFUSED);
  alarm.failed('local', CHECKPOINT, DOWN);
  assert.deepEqual(told.slice(1), ['anchor_refused refused', 'anchor_waits unreachable']);
  alarm.taken('rekor');
  alarm.failed('rekor', CHECKPOINT, DOWN);
  assert.equal(told.length, 4, 'it took something meanwhile: this is news');
});
