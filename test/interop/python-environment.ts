/** One Python environment for all tests that run a program in it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../.cache/interop/', import.meta.url));

/** Path of a Python in which the packages can be imported; installs those that are missing. */
export function pythonWith(packages: readonly string[]): string {
  const python = join(CACHE, 'venv', 'bin', 'python');
  mkdirSync(CACHE, { recursive: true });
  if (!existsSync(python)) assert.equal(spawnSync('python3', ['-m', 'venv', join(CACHE, 'venv')]).status, 0);
  if (spawnSync(python, ['-c', `import ${packages.join(', ')}`]).status === 0) return python;
  const { status, stderr } = spawnSync(python, ['-m', 'pip', 'install', '--quiet', ...packages]);
  assert.equal(status, 0, String(stderr));
  return python;
}
