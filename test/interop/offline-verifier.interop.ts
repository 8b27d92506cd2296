/**
 * What a third party holds in its hands, judged without a node by two verifiers that share no code: ours, and one in Python that was written from
 * docs/PROTOCOL.md and docs/journal-format.md. Each takes what the product has made; neither takes what the other refuses.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Random } from '../adversarial/fuzz/random.ts';
import { type Case, comparable, judgeHere, type Verdict } from './offline/cases.ts';
import { erasedCases, LIES } from './offline/erased.ts';
import { mutantOf, shownCase } from './offline/mutants.ts';
import { originals } from './offline/originals.ts';
import { pulledPage } from './offline/pulled.ts';
import {
  harmed,
  isWormSound,
  relayedCases,
  SNAPSHOT_HARMS,
  snapshotFolder,
  wormCase,
  wormFolder,
} from './offline/stores.ts';
import { pythonWithPackages } from './programs/python.ts';

const SEED = String(process.env['OFFLINE_SEED'] ?? '20261130');
const MUTANTS = Number(process.env['OFFLINE_MUTANTS'] ?? 3_000);
const PAGES = Number(process.env['OFFLINE_PAGES'] ?? 800);
const JUDGE = fileURLToPath(new URL('./second-verifier/offline.py', import.meta.url));
const DEADLINE_MS = 120_000;

let python: string;
let all: readonly Case[];
before(async () => {
  [python, all] = await Promise.all([pythonWithPackages(), originals()]);
});

async function judgeThere(cases: readonly object[]): Promise<readonly Verdict[]> {
  const child = spawn(python, ['-B', JUDGE], { stdio: ['pipe', 'pipe', 'inherit'], timeout: DEADLINE_MS });
  const ended = once(child, 'close');
  child.stdin.end(cases.map((one, id) => JSON.stringify({ ...one, id })).join('\n'));
  const said = await text(child.stdout);
  assert.deepEqual(await ended, [0, null], said.slice(-2_000));
  return said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Verdict);
}

function compare(one: Case, there: Verdict | undefined): void {
  const here = judgeHere(one);
  const shown = `ours: ${JSON.stringify(here)}, theirs: ${JSON.stringify(there)}\n${shownCase(one)}`;
  assert.equal(here.ok, there?.ok, shown);
  if (here.ok) assert.equal(comparable(here.said), comparable(there?.said), shown);
  // An entry's refusal is a verdict, and has a reason that both give.
  else if (one.kind === 'entry') assert.equal(here.said, there?.said, shown);
}

test('both take what the product makes, and read the same in it', async () => {
  const there = await judgeThere(all);
  all.forEach((one, i) => {
    assert.ok(judgeHere(one).ok, `ours refuses ${JSON.stringify(judgeHere(one))} ${shownCase(one)}`);
    compare(one, there[i]);
  });
});

test(`${MUTANTS} mutants, signed again: none is taken by one and refused by the other, or read in two ways`, async (t) => {
  const random = new Random(SEED);
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  const cases = Array.from({ length: MUTANTS }, (_, i) => {
    const kind = kinds[i % kinds.length];
    return mutantOf(random.pick(all.filter((one) => one.kind === kind)), random);
  });
  const there = await judgeThere(cases);
  for (const [i, one] of cases.entries()) compare(one, there[i]);
  const taken = cases.filter((_, i) => there[i]?.ok).length;
  t.diagnostic(`seed ${SEED}: ${taken} of ${cases.length} are still valid`);
  assert.ok(taken > MUTANTS / 100 && taken < MUTANTS / 2, `${taken} of ${MUTANTS}`);
});

/** Found in the code, or between two readers: each is refused by both, whoever has signed it. */
const ODD: readonly (readonly [what: string, kind: Case['kind'], change: (text: string) => string])[] = [
  ['a time with a character of two bytes before its offset', 'time', () => '2026-01-01T10:20é+00:00'],
  ['a number that is no decimal', 'entry', (text) => text.replace('"chain_seq":1,', '"chain_seq":-0,')],
  [
    'members out of order where anything may stand',
    'evidence',
    (text) => text.replace('"known":null', '"known":{"b":1,"a":1}'),
  ],
  [
    'a number that not every reader holds',
    'tombstone',
    (text) => text.replace('"leaf_index":0', `"leaf_index":${2 ** 53}`),
  ],
];

test('what readers have seen in two ways is refused by both', async () => {
  const cases = ODD.map(([what, kind, change]): Case => {
    const original = all.find((one) => one.kind === kind);
    const text = Buffer.from(original?.note ?? '', 'base64').toString('utf8');
    assert.notEqual(change(text), text, what);
    return { kind, note: Buffer.from(change(text)).toString('base64') };
  });
  const there = await judgeThere(cases);
  cases.forEach((one, i) => {
    assert.equal(judgeHere(one).ok, false, ODD[i]?.[0]);
    compare(one, there[i]);
  });
});

test('a WORM store and a snapshot: both take them, and find each harm', async (t) => {
  const [worm, snapshot] = await Promise.all([wormFolder(t), snapshotFolder(t)]);
  const copies = harmed(worm.folder, worm.harms);
  const snapshots = harmed(snapshot.folder, SNAPSHOT_HARMS);
  const there = await judgeThere([
    wormCase(worm.folder),
    snapshot,
    ...copies.map(wormCase),
    ...snapshots.map((folder) => ({ ...snapshot, folder })),
  ]);
  const [first, second, ...harms] = there;
  assert.ok(first?.ok && second?.ok, JSON.stringify([first, second]));
  assert.ok(await isWormSound(worm.folder));
  for (const [i, folder] of copies.entries()) assert.equal(await isWormSound(folder), false, worm.harms[i]?.[0]);
  const names = [...worm.harms, ...SNAPSHOT_HARMS].map(([name]) => name);
  for (const [i, { ok, said }] of harms.entries()) assert.equal(ok, false, `${names[i]}: ${JSON.stringify(said)}`);
});

test('a relay’s page: both see alike which facts its origin has signed', async () => {
  const cases = relayedCases();
  const there = await judgeThere(cases.map((one) => one.case));
  for (const [i, { here }] of cases.entries()) assert.deepEqual(there[i]?.said, here, `page ${i}`);
  const seen = new Set(cases.flatMap(({ here }) => here));
  assert.deepEqual([...seen].sort(), ['origin_proof_invalid', 'taken', 'unreadable', 'withheld']);
});

test('proofs that a fact was erased: both take the true one, and see each lie, wherever it stands', async () => {
  const cases = erasedCases(new Random(`erased ${SEED}`), 400);
  const there = await judgeThere(cases.map((one) => one.case));
  assert.ok(cases[0]?.here.ok);
  const lies = cases.slice(1, LIES.length + 1);
  assert.deepEqual(
    lies.filter(({ here }) => here.ok),
    [],
  );
  for (const [i, { case: one, here }] of cases.entries()) {
    const shown = `case ${i}: ${JSON.stringify([here, there[i], one])}`;
    assert.equal(there[i]?.ok, here.ok, shown);
    if (here.ok) assert.deepEqual(there[i]?.said, here.said, shown);
  }
});

test(`${PAGES} pages with lies inside of the signed log: both peers give the same verdict on page and facts`, async (t) => {
  const random = new Random(`pages ${SEED}`);
  const pages = Array.from({ length: PAGES }, () => pulledPage(random));
  const there = await judgeThere(pages.map((one) => one.case));
  for (const [i, { here }] of pages.entries())
    assert.deepEqual(there[i]?.said, here, `seed ${SEED}, page ${i}: ${JSON.stringify(pages[i]?.case)}`);
  const reasons = new Set(pages.flatMap(({ here }) => (typeof here === 'string' ? [here] : reasonsIn(here))));
  t.diagnostic(`reasons: ${[...reasons].sort().join(' ')}`);
  assert.ok(reasons.size > 12, [...reasons].join());
});

function reasonsIn(here: unknown): readonly string[] {
  const [refused = []] = here as readonly (readonly (readonly [number, string])[])[];
  return refused.map(([, reason]) => reason);
}
