/** A short run of the fuzzer with a fixed seed. The long one: `node test/adversarial/fuzz/fuzz.ts --seconds 600`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportText, runFuzz } from './fuzz/run-fuzz.ts';

const RUNS = 150;

test('no input makes a decoder, a rule, the API or an answer to a peer throw, hang or keep memory', async () => {
  const report = await runFuzz({ seed: 'every day', runs: RUNS });
  assert.deepEqual(report.findings, [], reportText(report));
  assert.ok(report.targets.length >= 20, reportText(report));
  for (const { target, executions } of report.targets) assert.equal(executions, RUNS, target);
});
