import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScreen } from '../../../src/cli/screen.ts';
import { type Sample, topFrame } from '../../../src/cli/top/frame.ts';
import { STATS } from '../../support/api-fixture.ts';
import { createCliFixture } from '../../support/cli-fixture.ts';

const SCREEN = createScreen({ write: () => undefined, isTTY: true, columns: 80, rows: 24 }, { NO_COLOR: '1' });
const PEER = {
  name: 'globex',
  state: 'current',
  waiting_on: null,
  lag_entries: 0,
  accepted: 100,
  refused: 1,
  clock_skew_ms: 1_500,
} as unknown as Sample['peers'][number];
const FIRST: Sample = {
  atMs: Date.parse('2026-11-30T00:00:00Z'),
  nodeId: 'stigmem://acme.example',
  stats: STATS,
  readiness: { status: 'ready', checks: [], notices: [] },
  peers: [PEER],
  freeBytes: 2 ** 30,
};
const SECOND: Sample = {
  ...FIRST,
  atMs: FIRST.atMs + 2_000,
  stats: {
    ...STATS,
    uptime_s: STATS.uptime_s + 2,
    facts_asserted: 5,
    facts_taken: 1_000,
    facts_refused: 1,
    facts_given: 300,
  },
  peers: [
    { ...PEER, accepted: 1_100, refused: 2, lag_entries: 12_345, state: 'catching_up', waiting_on: 'catching up' },
  ],
};
const SIZE = { columns: 80, rows: 24 };

test('rates are those between two pictures, and none are made up for one', () => {
  const [, first = ''] = topFrame(FIRST, null, SIZE, SCREEN);
  assert.match(first, /asserted – {2}taken – {3}out: given – {3}refused –/);
  const frame = topFrame(SECOND, FIRST, SIZE, SCREEN);
  assert.match(frame[1] ?? '', /asserted 2\.5 {2}taken 500 {3}out: given 150 {3}refused 0\.5/);
  assert.match(frame.join('\n'), /^globex {2}catching_up {2}12,345 +500 +0\.5 +1\.5s {2}catching up$/m);
});

test('a node that was started anew between two pictures has no rates', () => {
  const anew = { ...SECOND, stats: { ...SECOND.stats, uptime_s: 1 } };
  assert.match(topFrame(anew, FIRST, SIZE, SCREEN)[1] ?? '', /asserted – /);
});

test('nothing is wider or longer than the terminal, whatever it is', () => {
  const peers = Array.from({ length: 60 }, (_, i) => ({ ...PEER, name: `peer-${i}`, waiting_on: 'x'.repeat(500) }));
  const bad = {
    status: 'not_ready' as const,
    checks: [{ name: 'guard', ok: false, detail: 'y'.repeat(500) }],
    notices: [],
  };
  for (const [columns, rows] of [
    [80, 24],
    [40, 10],
    [20, 3],
    [200, 100],
  ] as const) {
    const frame = topFrame({ ...SECOND, peers, readiness: bad }, FIRST, { columns, rows }, SCREEN);
    assert.ok(frame.length <= rows, `${frame.length} of ${rows}`);
    for (const line of frame) assert.ok(line.length <= columns, line);
  }
  const frame = topFrame({ ...SECOND, peers, readiness: bad }, FIRST, SIZE, SCREEN);
  assert.match(frame.join('\n'), /not ready: guard: y/);
  assert.match(frame.at(-1) ?? '', /^\d+ more lines; q to quit$/);
});

test('what needs somebody stands first', () => {
  const peers = [
    PEER,
    { ...PEER, name: 'umbrella', state: 'suspended' as const },
    { ...PEER, name: 'initech', lag_entries: 9 },
  ];
  const lines = topFrame({ ...SECOND, peers }, FIRST, SIZE, SCREEN).filter((line) =>
    /^(globex|umbrella|initech)/.test(line),
  );
  assert.deepEqual(
    lines.map((line) => line.split(' ')[0]),
    ['umbrella', 'initech', 'globex'],
  );
});

test('what a peer wrote never steers the terminal', () => {
  const hostile = { ...PEER, waiting_on: '\u001b[2J\u001b]0;owned\u0007\u009b31m\nnext\u202e' };
  const text = topFrame({ ...SECOND, peers: [hostile] }, FIRST, { columns: 200, rows: 24 }, SCREEN).join('');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
  assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u202e]/);
});

test('without a running node: exit 5, and how to start one', async (t) => {
  const cli = await createCliFixture();
  t.after(() => cli.close());
  const { code, stderr } = await cli.run('top');
  assert.equal(code, 5);
  assert.match(stderr, /expected a running node.*\nStart it: stigmem-peerd run/);
});
