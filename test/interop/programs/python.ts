/** A Python with packages from PyPI: the Stigmem reference and its SDK, what our own Python peer stands on, and pySigma. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installed } from './cache.ts';

const SIGMA = ['pysigma==1.5.1', 'pysigma-backend-splunk==2.1.0', 'pysigma-backend-elasticsearch==2.1.1'];
const REQUIREMENTS = [
  'stigmem-node==0.9.0a12',
  'stigmem-py==0.9.0a12',
  'cryptography==50.0.2',
  'zstandard==0.25.0',
  ...SIGMA,
];
const INSTALL_MS = 600_000;
const run = promisify(execFile);

/** Installs them once. @returns the interpreter that has them */
export async function pythonWithPackages(): Promise<string> {
  const started = performance.now();
  const name = `python-${REQUIREMENTS.join('-')}`.replaceAll(/[^a-z0-9.]+/g, '-');
  const folder = await installed(name, async (empty) => {
    await run('python3', ['-m', 'venv', empty]);
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...REQUIREMENTS];
    await run(join(empty, 'bin', 'python'), install, { timeout: INSTALL_MS });
    console.log(`Python packages installed in ${Math.round((performance.now() - started) / 1_000)} s`);
  });
  console.log(REQUIREMENTS.join(' '));
  return join(folder, 'bin', 'python');
}
