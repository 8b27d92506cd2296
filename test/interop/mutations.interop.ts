/**
 * Two verifiers that share no code judge the same mutants: ours, and one in Python that was written from the
 * specifications. Neither may accept what the other refuses.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mutantsOf, type Original } from './mutations/mutate.ts';
import { originals } from './mutations/originals.ts';
import { type Case, judgeHere } from './mutations/verdicts.ts';
import { pythonWithPackages } from './programs/python.ts';

const SEED = Number(process.env['MUTATION_SEED'] ?? 20_261_124);
const MUTANTS = 12_000;
/**
 * Lines of keys that the reader does not know may come, go and change, and all lines stand in any order. A path says how the tree is shaped only as far as
 * it goes: some other sizes have paths of the same shape. In use, the size is that of a signed checkpoint.
 */
const MAY_STAY_VALID =
  /^(parse: parse only|\w+: signature lines|(inclusion|page): size changed|consistency: (old|new) changed)$/;
const JUDGE = fileURLToPath(new URL('./second-verifier/judge.py', import.meta.url));

interface Verdict {
  readonly id: number;
  readonly ok: boolean;
  readonly code: string | null;
}

let python: string;
before(async () => {
  python = await pythonWithPackages();
});

function judgeThere(cases: readonly Case[]): readonly Verdict[] {
  const input = cases.map((one, id) => JSON.stringify({ ...one, id })).join('\n');
  const { status, stdout, stderr } = spawnSync(python, ['-B', JUDGE], {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    timeout: 300_000,
  });
  assert.equal(status, 0, stderr.slice(-2_000));
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('both verifiers take every original', () => {
  const cases = originals().map(({ case: one }) => one);
  const there = judgeThere(cases);
  cases.forEach((one, i) => {
    assert.equal(judgeHere(one), null, `ours refuses ${JSON.stringify(one)}`);
    assert.equal(there[i]?.ok, true, `theirs refuses ${JSON.stringify(one)}: ${there[i]?.code}`);
  });
});

test(`${MUTANTS} mutants: none is taken by one verifier and refused by the other`, (t) => {
  const all: readonly Original[] = originals();
  const cases = mutantsOf(all, MUTANTS, SEED);
  assert.ok(cases.length >= MUTANTS);
  const there = judgeThere(cases.map(({ case: one }) => one));
  const taken = new Map<string, number>();
  cases.forEach(({ case: one, mutation }, i) => {
    const here = judgeHere(one);
    const ok = there[i]?.ok;
    const said = `ours: ${here ?? 'ok'}, theirs: ${there[i]?.code ?? 'ok'}`;
    assert.equal(here === null, ok, `seed ${SEED}, ${mutation}: ${said}\n${JSON.stringify(one, null, 1)}`);
    if (ok) taken.set(`${one.kind}: ${mutation}`, (taken.get(`${one.kind}: ${mutation}`) ?? 0) + 1);
  });
  for (const [what] of taken) assert.match(what, MAY_STAY_VALID, what);
  t.diagnostic(
    `${cases.length} mutants of ${all.length} originals, seed ${SEED}, left valid: ${JSON.stringify([...taken])}`,
  );
});
