import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changed, opened, seenAgain } from '../../../src/core/case-fold.ts';
import { CASE_EVENTS, sightingOf } from '../../../src/core/case-sighting.ts';
import {
  CASE_MOVE_NAMES,
  CASE_MOVES,
  CASE_STATES,
  type CaseChange,
  caseRefusalText,
  NO_CHANGE,
  nextState,
} from '../../../src/core/case-state.ts';

const NOW = { now: '2026-11-30T00:00:00.000000+00:00', latest: '2027-03-02T00:00:00.000000+00:00' };
const TOMORROW = '2026-12-01T00:00:00.000000+00:00';
/** Everything that any step needs. */
const FULL = { ...NO_CHANGE, why: 'read it', verdict: 'clock', owner: 'ann', until: TOMORROW } as const;
const held = (state: (typeof CASE_STATES)[number]) => ({ state, assignee: null, ticket: null });
const step = (move: CaseChange['move'], said: Partial<CaseChange> = {}): CaseChange => ({
  ...FULL,
  move,
  assignee: 'bob',
  ticket: 'SEC-1',
  ...said,
});

test('each step is taken in the states that it is for, and in no other', () => {
  for (const move of CASE_MOVE_NAMES)
    for (const state of CASE_STATES) {
      const to = nextState(held(state), step(move), NOW);
      const isAllowed = CASE_MOVES[move].from.includes(state);
      assert.deepEqual(
        to,
        isAllowed ? { ok: true, value: CASE_MOVES[move].to ?? state } : { ok: false, error: 'state_forbids' },
      );
    }
  // Whatever a case is in, something leads out of it, and a person can close it.
  for (const state of CASE_STATES) {
    const leaves = CASE_MOVE_NAMES.filter(
      (move) => CASE_MOVES[move].to !== null && CASE_MOVES[move].from.includes(state),
    );
    assert.ok(leaves.length > 0, state);
    assert.ok(state === 'resolved' || leaves.includes('resolve'), state);
  }
});

test('a step that says too little, or what cannot be, changes nothing', () => {
  const faults: readonly (readonly [CaseChange, string])[] = [
    [step('resolve', { verdict: null }), 'verdict_needed'],
    [step('resolve', { why: '' }), 'why_needed'],
    [step('note', { why: '   ' }), 'why_needed'],
    [step('note', { why: 'x'.repeat(501) }), 'why_needed'],
    [step('suppress', { owner: null }), 'owner_needed'],
    [step('suppress', { owner: ' ' }), 'owner_needed'],
    [step('suppress', { until: null }), 'until_invalid'],
    [step('suppress', { until: NOW.now }), 'until_invalid'],
    [step('suppress', { until: '2028-01-01T00:00:00.000000+00:00' }), 'until_invalid'],
    [step('assign', { assignee: null }), 'nothing_changes'],
    [step('ticket', { ticket: '' }), 'name_invalid'],
    [step('ticket', { ticket: '\ud800' }), 'name_invalid'],
  ];
  for (const [change, error] of faults) {
    assert.deepEqual(nextState(held('new'), change, NOW), { ok: false, error });
    assert.ok(caseRefusalText(error as 'why_needed', change, 'new').length > 10);
  }
});

const REFUSED = { event: 'rejected_fact', reason: 'source_not_owned', peer: 'stigmem://a.example', feed: 'public' };
const told = (seq: number, at = NOW.now) => ({ seq, at, hash: `sha256:${String(seq).padStart(64, '0')}` });

test('records count as many refusals as they stand for, in the case of their group', () => {
  const single = sightingOf({ ...REFUSED, detail: { key_id: '0a0b0c0d' } });
  const detail = { count: 16, exemplars: [1, 2, 3], key_id: '0a0b0c0d' };
  const summary = sightingOf({ ...REFUSED, event: 'refusals_summarized', detail });
  assert.deepEqual({ ...summary, count: 1 }, single);
  assert.equal(summary?.count, 13);
  const together = sightingOf({ ...REFUSED, detail: { feeds_together: true } });
  assert.deepEqual([together?.feed, together?.keyId], ['', '']);
  assert.equal(sightingOf({ ...REFUSED, event: 'peer_added', detail: {} }), null);
  assert.equal(
    sightingOf({ event: 'own_history_forked', reason: null, peer: null, feed: null, detail: {} })?.severity,
    'critical',
  );
  assert.equal(new Set(CASE_EVENTS).size, CASE_EVENTS.length);
});

test('a suppression ends with its time: what comes at that moment opens the case', () => {
  const sighting = sightingOf({ ...REFUSED, detail: {} });
  assert.ok(sighting !== null);
  const first = opened(sighting, told(1));
  const quiet = changed(first, { move: 'suppress', owner: 'ann', until: TOMORROW, why: 'known' }, told(2));
  const before = seenAgain(quiet, sighting, told(3, '2026-11-30T23:59:59.999999+00:00'));
  assert.deepEqual([before.state, before.absorbed, before.version], ['suppressed', 1, 2]);
  const after = seenAgain(before, sighting, told(4, TOMORROW));
  assert.deepEqual([after.state, after.absorbed, after.until, after.version], ['reopened', 1, null, 4]);
  assert.deepEqual(changed(first, { move: 'unheard of' }, told(5)).state, 'new');
});
