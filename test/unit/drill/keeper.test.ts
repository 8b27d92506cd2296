import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Case } from '../../../src/core/case-fold.ts';
import { DRILLS, type DrillKind, type DrillKindStatus } from '../../../src/core/drill.ts';
import { DrillKeeper, type KeeperDeps } from '../../../src/drill/keeper.ts';
import { createAuditBell } from '../../../src/observe/audit-bell.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-11-30T12:00:00Z');

function caseOf(peer: string, state: Case['state'], first_at: string): Case {
  return { peer, state, first_at } as Case;
}

interface Kept {
  readonly keeper: DrillKeeper;
  readonly resolved: string[];
  readonly made: string[];
  readonly started: string[];
  nowMs: number;
  cases: Case[];
  kinds: DrillKindStatus[];
}

function keep(more: Partial<KeeperDeps> = {}): Kept {
  const kept: Omit<Kept, 'keeper'> = { resolved: [], made: [], started: [], nowMs: START, cases: [], kinds: [] };
  const keeper = new DrillKeeper({
    runner: {
      running: null,
      isBusy: false,
      done: Promise.resolve(),
      start: async (kind) => {
        kept.started.push(kind);
        return { kind: 'started', run: {} as never };
      },
    },
    kinds: async () => kept.kinds,
    cases: async () => ({ cases: kept.cases, cursor: null, more: false }),
    resolveDrillCases: async (peer, why) => {
      kept.resolved.push(`${peer}: ${why}`);
      kept.cases = kept.cases.filter((one) => one.peer !== peer);
      return [];
    },
    endCutOff: async () => undefined,
    report: {
      begunAt: async () => '2026-10-05T00:00:00.000000+00:00',
      isMade: (month) => kept.made.includes(month),
      make: async (month) => void kept.made.push(month),
    },
    schedule: null,
    acknowledgeMs: 24 * HOUR,
    isReady: () => true,
    audits: createAuditBell(),
    nowMs: () => kept.nowMs,
    onError: (error) => assert.fail(String(error)),
    ...more,
  });
  return Object.assign(kept, { keeper });
}

const iso = (ms: number): string => new Date(ms).toISOString().replace('Z', '000+00:00');

test('a case that somebody has taken up is resolved at once, one that waits only when its time is over', async () => {
  const kept = keep();
  kept.cases = [
    caseOf('a', 'acknowledged', iso(START)),
    caseOf('b', 'investigating', iso(START)),
    caseOf('c', 'new', iso(START)),
    caseOf('d', 'new', iso(START - 24 * HOUR)),
  ];
  await kept.keeper.sweepCases();
  assert.deepEqual(kept.resolved, [
    'a: a drill, which somebody has acknowledged',
    'b: a drill, which somebody has acknowledged',
    'd: a drill, which nobody has acknowledged in 24 hours',
  ]);
  kept.nowMs += 24 * HOUR;
  await kept.keeper.sweepCases();
  assert.equal(kept.resolved.length, 4);
});

test('the case of the drill that runs is left alone', async () => {
  const running = { node_id: 'a' } as never;
  const kept = keep({
    runner: { running, isBusy: true, done: Promise.resolve(), start: async () => ({ kind: 'held' }) },
  });
  kept.cases = [caseOf('a', 'acknowledged', iso(START))];
  await kept.keeper.sweepCases();
  assert.deepEqual(kept.resolved, []);
});

test('the report of a month is made once, when it is over and no case of its drills waits', async () => {
  const kept = keep();
  await kept.keeper.look();
  assert.deepEqual(kept.made, ['2026-10']);
  kept.nowMs = Date.parse('2026-12-01T00:00:01Z');
  kept.cases = [caseOf('late', 'new', '2026-11-30T20:00:00.000000+00:00')];
  await kept.keeper.look();
  assert.deepEqual(kept.made, ['2026-10'], 'somebody may still acknowledge it');
  kept.nowMs = Date.parse('2026-12-01T20:00:01Z');
  await kept.keeper.look();
  assert.deepEqual(kept.made, ['2026-10', '2026-11']);
  await kept.keeper.look();
  assert.equal(kept.made.length, 2);
});

test('no report is made of a month from before the audit log', async () => {
  const kept = keep({
    report: {
      begunAt: async () => '2026-11-05T00:00:00.000000+00:00',
      isMade: () => false,
      make: async () => assert.fail('there was no node'),
    },
  });
  await kept.keeper.makeReport();
});

test('by the clock each kind is made when its newest is old enough, and nothing while the guard holds', async () => {
  const kinds: readonly DrillKind[] = ['rollback', 'split-view', 'cid-missing'];
  const status = (kind: DrillKind, last_run_at: string | null): DrillKindStatus => ({
    kind,
    ...DRILLS[kind],
    last_run_at,
    last_state: null,
    last_passed_at: null,
  });
  const kept = keep({ schedule: { everyMs: 168 * HOUR, kinds } });
  kept.kinds = [
    status('rollback', iso(START - 168 * HOUR)),
    status('split-view', iso(START - HOUR)),
    status('cid-missing', null),
  ];
  await kept.keeper.look();
  assert.deepEqual(kept.started, ['rollback', 'cid-missing']);
  const ahead = keep({ schedule: { everyMs: 168 * HOUR, kinds: ['rollback'] } });
  ahead.kinds = [status('rollback', iso(START + 8_760 * HOUR))];
  await ahead.keeper.look();
  assert.deepEqual(ahead.started, ['rollback'], 'a clock that was wrong then does not put drills off for a year');
  const held = keep({ schedule: { everyMs: HOUR, kinds }, isReady: () => false });
  await held.keeper.look();
  assert.deepEqual(held.started, []);
});

test('drills without an end are ended at a look, at most twice a minute, and never while one runs', async () => {
  const asked: string[] = [];
  const runner = {
    running: null,
    isBusy: true,
    done: Promise.resolve(),
    start: async () => ({ kind: 'held' }) as const,
  };
  const kept = keep({ runner, endCutOff: async (before) => void asked.push(before) });
  await kept.keeper.look();
  runner.isBusy = false;
  for (const passed of [0, 29_999, 1]) {
    kept.nowMs += passed;
    await kept.keeper.look();
  }
  assert.deepEqual(asked, ['2026-11-30T12:00:00.000000+00:00', '2026-11-30T12:00:30.000000+00:00']);
});

test('a step that fails holds up no other', async () => {
  const errors: string[] = [];
  const fail = (what: string) => () => Promise.reject(new Error(what));
  const kept = keep({
    cases: fail('cases'),
    endCutOff: fail('ends'),
    schedule: { everyMs: HOUR, kinds: ['rollback'] },
    onError: (error) => void errors.push((error as Error).message),
  });
  await kept.keeper.look();
  assert.deepEqual([errors, kept.started], [['cases', 'ends', 'cases'], ['rollback']]);
});
