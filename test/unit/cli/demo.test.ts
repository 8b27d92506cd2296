import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostileLog } from '../../../src/cli/demo/hostile-log.ts';
import { type Expectation, judge, type NodeFindings } from '../../../src/cli/demo/judgement.ts';
import { HOSTILE_AUTHORITY, LIES } from '../../../src/cli/demo/lies.ts';
import { clip, Live } from '../../../src/cli/demo/live.ts';
import { drawPicture, type Picture } from '../../../src/cli/demo/picture.ts';
import { type AssertBody, cldrFacts, mdnFacts } from '../../../src/cli/demo/real-facts.ts';
import type { Runtime } from '../../../src/cli/runtime.ts';
import { createScreen } from '../../../src/cli/screen.ts';
import { normalizeEntity } from '../../../src/core/entity.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import type { PageContext } from '../../../src/verify/context.ts';
import { judgePage } from '../../../src/verify/judge.ts';
import { openPage } from '../../../src/verify/page.ts';

const NOW_MS = Date.parse('2027-01-01T00:00:00Z');

function context(log: HostileLog): PageContext {
  const nodeId = `stigmem://${HOSTILE_AUTHORITY}`;
  return {
    self: 'stigmem://reader.example',
    relay: null,
    peer: {
      nodeId,
      authority: HOSTILE_AUTHORITY,
      origin: log.signer.name,
      logKey: log.signer.publicKey,
      namespaces: [HOSTILE_AUTHORITY],
      anchorKey: null,
      former: { logKeys: [], anchorKeys: [] },
    },
    feed: 'public',
    after: 0,
    known: null,
    knownFeedLength: 0,
    neighbour: null,
    accept: ['public'],
    nowMs: NOW_MS,
    maxFutureSkewMs: 300_000,
    maxPastSkewMs: 2_592_000_000,
    maxValueBytes: 65_536,
    firstPage: true,
    policy: { witnesses: null, anchors: null },
  };
}

test('each lie of the demo is refused for its own reason, and the true facts around it are taken', () => {
  const log = new HostileLog(
    createLogSigner(`${HOSTILE_AUTHORITY}/journal/0000000000000001`, new Uint8Array(32).fill(7)),
  );
  for (const lie of LIES) {
    for (let number = 0; number < 3; number++) log.append(NOW_MS);
    log.append(NOW_MS, lie.forge(NOW_MS, log.entry(0)));
  }
  log.append(NOW_MS);
  const page = openPage(log.page(0, 1_000, 0, 'stigmem://reader.example'), context(log));
  assert.ok(page.ok, page.ok ? '' : JSON.stringify(page.error));
  const judged = judgePage(page.value, new Map());
  assert.equal(judged.kind, 'verified');
  if (judged.kind !== 'verified') return;
  assert.deepEqual(
    judged.batch.refused.map(({ reason }) => reason),
    LIES.map(({ reason }) => reason),
  );
  assert.equal(judged.batch.accepted.length, LIES.length * 3 + 1);
  for (const { reason, difference } of judged.batch.refused)
    assert.ok(difference !== null && difference.claimed !== null, reason);
  const cid = judged.batch.refused[0]?.difference;
  assert.match(`${cid?.claimed} ${cid?.computed}`, /^sha256:[0-9a-f]{64} sha256:[0-9a-f]{64}$/);
});

test('there are more than 200,000 different real facts of each source, in the same order every time', () => {
  for (const facts of [cldrFacts, mdnFacts]) {
    const seen = new Set<string>();
    for (const fact of facts()) {
      const entity = normalizeEntity(fact.entity);
      assert.ok(entity.ok, fact.entity);
      seen.add(`${entity.value}\n${fact.relation}`);
      if (seen.size === 200_001) break;
    }
    assert.equal(seen.size, 200_001);
  }
  const first = (facts: Iterable<AssertBody>): AssertBody[] => [...facts].slice(0, 50);
  assert.deepEqual(first(cldrFacts(2)), first(cldrFacts(2)));
});

test('a small load has facts of every locale and of every area', () => {
  const locales = new Set([...cldrFacts(1)].map(({ entity }) => entity.split('/')[4]));
  assert.ok(locales.has('de') && locales.has('ja') && locales.has('zh') && locales.has('ar'), 'locales');
  const areas = new Set(
    [...mdnFacts(50)]
      .filter(({ relation }) => relation === 'mdn:path')
      .map(({ value }) => String(value.v).split('.')[0]),
  );
  for (const area of ['api', 'css', 'html', 'javascript', 'svg', 'webassembly']) assert.ok(areas.has(area), area);
});

const EXPECTED: readonly Expectation[] = [
  { authority: 'a', facts: { s: 2 }, refusals: {} },
  { authority: 'b', facts: { s: 2 }, refusals: { cid_mismatch: 1 } },
];
const FOUND: readonly NodeFindings[] = [
  { authority: 'a', facts: { s: { count: 2, digest: 'd' } }, refusals: {}, exitCode: 0, fsckProblems: [] },
  {
    authority: 'b',
    facts: { s: { count: 2, digest: 'd' } },
    refusals: { cid_mismatch: 1 },
    exitCode: 0,
    fsckProblems: [],
  },
];
const change = (more: Partial<NodeFindings>): NodeFindings[] =>
  FOUND.map((found) => (found.authority === 'b' ? { ...found, ...more } : found));

test('the demo is judged: all well', () => assert.deepEqual(judge(EXPECTED, FOUND), []));

const FAULTS: readonly [name: string, found: readonly NodeFindings[], says: string][] = [
  [
    'a fact is missing',
    change({ facts: { s: { count: 1, digest: 'e' } } }),
    'b: expected 2 facts of s, each once, got 1',
  ],
  [
    'a fact is there twice',
    change({ facts: { s: { count: 3, digest: 'e' } } }),
    'b: expected 2 facts of s, each once, got 3',
  ],
  [
    'another fact is there instead',
    change({ facts: { s: { count: 2, digest: 'e' } } }),
    'b and a hold 2 facts of s each, but not the same ones',
  ],
  [
    'facts of nobody',
    change({ facts: { s: { count: 2, digest: 'd' }, t: { count: 1, digest: 'x' } } }),
    'b: expected 0 facts of t, each once, got 1',
  ],
  ['a lie was believed', change({ refusals: {} }), 'b: expected 1 refusals for cid_mismatch, got 0'],
  [
    'a true fact was refused',
    change({ refusals: { cid_mismatch: 1, hlc_future: 1 } }),
    'b: expected 0 refusals for hlc_future, got 1',
  ],
  ['a journal is damaged', change({ fsckProblems: ['entries 1 value_v: x'] }), 'b: fsck: entries 1 value_v: x'],
  ['a node failed when it stopped', change({ exitCode: 1 }), 'b: expected to stop with exit code 0, got 1'],
  ['a node had to be killed', change({ exitCode: null }), 'b: expected to stop with exit code 0, got a kill'],
  ['a node is missing', FOUND.slice(0, 1), 'b: nothing was found out about it'],
];
for (const [name, found, says] of FAULTS) {
  test(`the demo is judged: ${name}`, () => assert.deepEqual(judge(EXPECTED, found), [says]));
}

const PICTURE: Picture = {
  elapsedMs: 65_000,
  phase: 'loading',
  nodes: [
    { authority: 'reader.example', facts: 12_345, own: 45, rate: 678.4, lag: 9, refused: 1, doing: 'cldr: is behind' },
  ],
  hostile: { authority: 'mallory.example', trueFacts: 40, lies: 5 },
  refusals: [
    {
      reason: 'cid_mismatch',
      count: 2,
      attempt: 'lies',
      field: 'cid',
      claimed: 'sha256:aa',
      computed: 'sha256:bb',
      seq: 7,
    },
  ],
  propagationMs: 42,
  lookAround: ['look here'],
};

test('the picture shows rates, lag, and each refusal with what was claimed and computed', () => {
  const lines = drawPicture(
    PICTURE,
    createScreen({ write: () => undefined, isTTY: false, columns: 120, rows: 40 }, {}),
  );
  const text = lines.join('\n');
  assert.match(text, /01:05 {2}loading/);
  assert.match(text, /reader\.example {2}12,345 {2}45 {3}12,300 {4}678 {6}9 {7}1 {8}cldr: is behind/);
  assert.match(
    text,
    /refused cid_mismatch ×2 {2}mallory lies {2}audit 7\n {2}claimed {2}cid sha256:aa\n {2}computed cid sha256:bb/,
  );
  assert.match(text, /42 ms/);
  assert.match(text, /look here/);
});

function live(isTTY: boolean, rows: number): { readonly shown: Live; readonly text: () => string } {
  const written: string[] = [];
  const output = { write: (text: string) => void written.push(text), isTTY, columns: 60, rows };
  let nowMs = 0;
  const runtime = { env: { NO_COLOR: '1' }, nowMs: () => (nowMs += 3_000) } as unknown as Runtime;
  return { shown: new Live(output, runtime), text: () => written.join('') };
}

test('on a terminal pictures are drawn over each other and never wider or longer than it', () => {
  const { shown, text } = live(true, 8);
  shown.show(PICTURE);
  shown.show(PICTURE);
  const [first = '', second = ''] = text().split('\u001b[7A\u001b[J');
  assert.equal(first, second);
  assert.equal(first.split('\n').length - 1, 7);
  for (const line of first.split('\n')) assert.ok(line.length <= 60, line);
});

test('elsewhere there are lines: each refusal once, and no control characters', () => {
  const { shown, text } = live(false, 8);
  shown.show(PICTURE);
  shown.show(PICTURE);
  assert.equal(text().match(/refused cid_mismatch/g)?.length, 1);
  assert.equal(text().match(/look here/g)?.length, 1);
  assert.equal(text().match(/01:05 loading/g)?.length, 2);
  assert.ok(!text().includes('\u001b'));
});

test('clipping counts what is seen and keeps every colour code', () => {
  assert.equal(clip('abcdef', 3), 'abc');
  assert.equal(clip('\u001b[31mabc\u001b[39mdef', 4), '\u001b[31mabc\u001b[39md');
  assert.equal(clip('\u001b[31mabc\u001b[39m', 2), '\u001b[31mab\u001b[39m');
});
