/** Each reason for which a node is not ready, and that it is named. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksOnce, readinessOf } from '../../../src/node/readiness.ts';

const NOW = 1_800_000_000_000;
const STATS = { entries: 1, auditRecords: 1, projectionLag: 0, recallLag: 0, clockMs: NOW };
const WRITER = { isAlive: true, pending: 0, writeFault: null, derivedFault: null, stats: async () => STATS };
const WELL = {
  config: { dir: '/', federation: { maxFutureSkewMs: 300_000 } },
  health: { corrupt: null },
  nowMs: () => NOW,
  writer: WRITER,
};
const CLEAR = { state: 'clear', disputed: false, detail: null };
type Base = Parameters<typeof readinessOf>[0];
type Guard = Parameters<typeof readinessOf>[1];

async function failing(
  base: object,
  guard: object = CLEAR,
  addresses: readonly string[] = ['/ip4/1'],
): Promise<string[]> {
  const { ready, checks } = await readinessOf({ ...WELL, ...base } as unknown as Base, guard as Guard, addresses, []);
  const bad = checks.filter(({ ok }) => !ok);
  assert.equal(ready, bad.length === 0);
  return bad.map(({ name, detail }) => `${name}: ${detail}`);
}
const writer = (change: object): object => ({ writer: { ...WRITER, ...change } });

test('a node that can append, sign and serve is ready', async () => assert.deepEqual(await failing({}), []));

const CASES: readonly (readonly [
  what: string,
  base: object,
  says: RegExp,
  guard?: object,
  addresses?: readonly string[],
])[] = [
  ['held by the guard', {}, /^guard: asking/, { state: 'asking', disputed: false, detail: 'asking peers' }],
  ['disputed history', {}, /^guard: others/, { state: 'clear', disputed: true, detail: 'others hold more' }],
  ['a damaged row', { health: { corrupt: { chainSeq: 7 } } }, /^journal: entry 7 is damaged/],
  ['the disk', writer({ writeFault: 'SQLITE_FULL' }), /^disk: SQLITE_FULL$/],
  ['look-ups that cannot be filled', writer({ derivedFault: 'disk I/O' }), /^queries: .*disk I\/O/],
  [
    'queries far behind',
    writer({ stats: async () => ({ ...STATS, projectionLag: 100_001 }) }),
    /^queries: 100001 entries behind/,
  ],
  [
    'a clock that was set back',
    writer({ stats: async () => ({ ...STATS, clockMs: NOW + 360_000 }) }),
    /^clock: this machine’s clock is 360 s behind the newest entry of the journal: set it/,
  ],
  ['nobody can connect', {}, /^federation: listens nowhere/, CLEAR, []],
];
for (const [what, base, says, guard, addresses] of CASES) {
  test(`not ready: ${what}`, async () => {
    const bad = await failing(base, guard, addresses);
    assert.equal(bad.length, 1, bad.join('\n'));
    assert.match(bad[0] ?? '', says);
  });
}

test('not ready: the journal’s thread has ended, and what only it knows is not known', async () => {
  const bad = await failing(writer({ isAlive: false, stats: async () => Promise.reject(new Error('closed')) }));
  assert.match(bad.join('\n'), /^writer: the journal thread has ended\nqueries: .* not known\nclock: /);
});

test('not ready: the journal’s thread hangs', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const asked = failing(writer({ pending: 9, stats: () => new Promise(() => {}) }));
  t.mock.timers.tick(3_000);
  assert.match((await asked)[0] ?? '', /^writer: the journal thread has not answered for 3 s; 9 calls under way/);
});

test('facts of a peer that are ahead as far as they may be do not make a node unready', async () => {
  assert.deepEqual(await failing(writer({ stats: async () => ({ ...STATS, clockMs: NOW + 300_000 }) })), []);
});

test('a crowd that asks at once is one question; who asks afterwards gets a new answer', async () => {
  let asked = 0;
  const ask = asksOnce(async () => ++asked);
  assert.deepEqual(new Set(await Promise.all(Array.from({ length: 1_000 }, ask))), new Set([1]));
  assert.equal(await ask(), 2);
});
