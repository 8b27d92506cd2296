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
import { mutantOf, shownCase } from './offline/mutants.ts';
import { originals } from './offline/originals.ts';
import { pythonWithPackages } from './programs/python.ts';

const SEED = String(process.env['OFFLINE_SEED'] ?? '20261130');
const MUTANTS = Number(process.env['OFFLINE_MUTANTS'] ?? 6_000);
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
  cases.forEach((one, i) => compare(one, there[i]));
  const taken = cases.filter((_, i) => there[i]?.ok).length;
  t.diagnostic(`seed ${SEED}: ${taken} of ${cases.length} are still valid`);
  assert.ok(taken > MUTANTS / 100 && taken < MUTANTS / 2, `${taken} of ${MUTANTS}`);
});
