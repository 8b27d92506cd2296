/**
 * Two verifiers that share no code judge the same mutants: ours, and one in Python that was written from the
 * specifications. Neither may accept what the other refuses.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Mutant, mutantsOf } from './mutations/mutate.ts';
import { originals } from './mutations/originals.ts';
import { evidenceClass } from './mutations/readers.ts';
import { type Case, judgeHere } from './mutations/verdicts.ts';
import { pythonWithPackages } from './programs/python.ts';

const SEED = Number(process.env['MUTATION_SEED'] ?? 20_261_124);
const MUTANTS = Number(process.env['MUTATIONS'] ?? 21_000);
/** Of each kind of them at least that part: notes, proofs and heads share the rest. */
const SHARES: readonly (readonly [kinds: RegExp, part: number])[] = [
  [/^bundle$/, 0.2],
  [/^anchor$/, 0.2],
  [/^policy$/, 0.1],
  [/^evidence$/, 0.1],
  [/^(parse|note|checkpoint|feed_head|tlog_proof|inclusion|consistency|page)$/, 0.4],
];
/**
 * Lines of keys that the reader does not know may come, go and change, and all lines stand in any order. A path says how the tree is shaped only as far as
 * it goes: some other sizes have paths of the same shape. In use, the size is that of a signed checkpoint. A policy is the
 * reader's own. In JSON: what a trust does not ask for, and what no signature covers.
 */
const MAY_STAY_VALID =
  /^(parse: parse only|\w+: signature lines|(inclusion|page): size changed|consistency: (old|new) changed|policy: another policy|(bundle|anchor|evidence): what nothing signed covers)$/;
const JUDGE = fileURLToPath(new URL('./second-verifier/judge.py', import.meta.url));
const PROCESSES = 2;
const DEADLINE_MS = 600_000;

interface Verdict {
  readonly id: number;
  readonly ok: boolean;
  readonly code: string | null;
}

let python: string;
before(async () => {
  python = await pythonWithPackages();
});

async function judgePart(cases: readonly Case[]): Promise<Verdict[]> {
  const child = spawn(python, ['-B', JUDGE], { stdio: ['pipe', 'pipe', 'inherit'], timeout: DEADLINE_MS });
  const ended = once(child, 'close');
  child.stdin.end(cases.map((one, id) => JSON.stringify({ ...one, id })).join('\n'));
  const said = await text(child.stdout);
  assert.deepEqual(await ended, [0, null], said.slice(-2_000));
  const lines = said.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Verdict);
}

async function judgeThere(cases: readonly Case[]): Promise<readonly Verdict[]> {
  const share = Math.ceil(cases.length / PROCESSES);
  const parts = Array.from({ length: PROCESSES }, (_, i) => cases.slice(i * share, (i + 1) * share));
  return (await Promise.all(parts.map(judgePart))).flat();
}

function mutantsByShare(): Mutant[] {
  return SHARES.flatMap(([kinds, part], i) => {
    const of = originals().filter(({ case: { kind } }) => kinds.test(kind));
    return mutantsOf(of, Math.ceil(MUTANTS * part), SEED + i);
  });
}

test('both verifiers take every original', async () => {
  const cases = originals().map(({ case: one }) => one);
  const there = await judgeThere(cases);
  cases.forEach((one, i) => {
    assert.equal(judgeHere(one), null, `ours refuses ${JSON.stringify(one)}`);
    assert.equal(there[i]?.ok, true, `theirs refuses ${JSON.stringify(one)}: ${there[i]?.code}`);
  });
});

test(`${MUTANTS} mutants: none is taken by one verifier and refused by the other`, async (t) => {
  const cases = mutantsByShare();
  assert.ok(cases.length >= MUTANTS);
  const there = await judgeThere(cases.map(({ case: one }) => one));
  const taken = new Map<string, number>();
  const judged = new Map<string, number>();
  cases.forEach(({ case: one, mutation }, i) => {
    judged.set(one.kind, (judged.get(one.kind) ?? 0) + 1);
    const here = judgeHere(one);
    const { ok, code } = there[i] ?? {};
    const said = `ours: ${here ?? 'ok'}, theirs: ${code ?? 'ok'}`;
    const shown = `seed ${SEED}, ${mutation}: ${said}\n${JSON.stringify(one, null, 1)}`;
    assert.equal(here === null, ok, shown);
    if (!ok) return;
    if (one.kind === 'evidence') assert.equal(evidenceClass(one), code, shown);
    const what = `${one.kind}: ${mutation}`;
    taken.set(what, (taken.get(what) ?? 0) + 1);
    assert.match(what, MAY_STAY_VALID, shown);
  });
  t.diagnostic(`seed ${SEED}, mutants ${JSON.stringify(Object.fromEntries(judged))}`);
  t.diagnostic(`left valid: ${JSON.stringify(Object.fromEntries(taken))}`);
});
