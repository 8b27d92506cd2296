/** The Sigma rules in deploy/ by pySigma: valid, and convertible for Splunk, Elasticsearch and Kusto; the queries for Kusto by its own language service. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { kustoFaults } from './programs/kusto.ts';
import { pythonWithSigma } from './programs/python.ts';

const RULES = 'deploy/sigma';

function check(python: string, folder: string): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(python, ['test/interop/sigma/check.py', folder], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
    );
  });
}

test('every rule is valid and becomes a query of Splunk, Elasticsearch and Kusto', async (t) => {
  const python = await pythonWithSigma();
  const { code, output } = await check(python, RULES);
  assert.equal(code, 0, output);
  const rules = readdirSync(RULES).length;
  const read = new RegExp(`^${rules} rules, (\\d+) correlations$`, 'm').exec(output);
  const alone = rules - Number(read?.[1]);
  const queries = (backend: string): number => output.match(new RegExp(`^${backend} `, 'gm'))?.length ?? 0;
  // Of `bad-fact` only what is counted is of interest.
  assert.equal(queries('SplunkBackend'), rules - 1, output);
  assert.equal(queries('ESQLBackend'), rules - 1, output);
  assert.deepEqual([queries('LuceneBackend'), queries('KustoBackend')], [alone, alone], output);

  const folder = mkdtempSync(join(tmpdir(), 'peerd-sigma-'));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(RULES, folder, { recursive: true });
  const one = join(folder, 'cid-mismatch.yml');
  writeFileSync(one, readFileSync(one, 'utf8').replace('condition: selection and', 'condition: selektion and'));
  assert.equal((await check(python, folder)).code, 1, 'a condition on nothing is found');
});

test('every query for Kusto is one: names, functions and columns are there', async () => {
  const faults = await kustoFaults();
  const files = readdirSync('deploy/kql');
  assert.ok(files.length > 15);
  for (const file of files) assert.deepEqual(faults(readFileSync(`deploy/kql/${file}`, 'utf8')), [], file);
  const [fault] = faults('OTELLogs | where Bodyy == 1');
  assert.match(fault ?? '', /'Bodyy' does not refer to any known column/);
});
