/** The Sigma rules in deploy/ by pySigma: valid, and convertible for Splunk and for Elasticsearch. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pythonWithSigma } from './programs/python.ts';

const RULES = 'deploy/sigma';

function check(python: string, folder: string): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(python, ['test/interop/sigma/check.py', folder], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
    );
  });
}

test('every rule is valid and becomes a query of Splunk and of Elasticsearch', async (t) => {
  const python = await pythonWithSigma();
  const { code, output } = await check(python, RULES);
  assert.equal(code, 0, output);
  const rules = readdirSync(RULES).length;
  assert.match(output, new RegExp(`^${rules} rules$`, 'm'));
  assert.equal(output.match(/^(SplunkBackend|LuceneBackend) /gm)?.length, 2 * rules);

  const folder = mkdtempSync(join(tmpdir(), 'peerd-sigma-'));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(RULES, folder, { recursive: true });
  const one = join(folder, 'cid-mismatch.yml');
  writeFileSync(one, readFileSync(one, 'utf8').replace('condition: selection and', 'condition: selektion and'));
  assert.equal((await check(python, folder)).code, 1, 'a condition on nothing is found');
});
