// `npm test [-- folder…]`: every *.test.ts below test/, or below the folders named. `adversarial/long` is for .ci/run.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, globSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { availableParallelism, constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Half of what a test of whole nodes takes it spends waiting: for processes, back-offs, deadlines. */
const FILES_PER_CORE = 2;
/** Whatever takes long is begun first, so that no core waits for it at the end. */
const LONG = ['adversarial', 'e2e', 'integration', 'simulation'];
/** Of one test: it hangs, and is told by its name. */
const TEST_LIMIT_MS = 15 * 60_000;
/** Of all: the runner waits for good where a file's tests are over and its process is not; it names the files that it was in. */
const RUN_LIMIT_MS = 35 * 60_000;
const MEMORY = '/dev/shm';
/** Some containers give 64 MiB. */
const MEMORY_NEEDED_BYTES = 4 * 2 ** 30;

const folders = process.argv.slice(2);
const chosen = folders.length > 0 ? folders : ['test'];
const files = chosen
  .flatMap((folder) => globSync(folder.endsWith('.ts') ? folder : `${folder}/**/*.test.ts`))
  .sort(longFirst);
if (files.length === 0) {
  console.error(`no test files below ${chosen.join(', ')}`);
  process.exit(1);
}
// Nodes that tests start run what ships, and start in a third of the time.
const built = spawnSync(process.execPath, ['.ci/build.mjs'], { stdio: 'inherit' });
if (built.status !== 0) process.exit(built.status ?? 1);
const scratch = mkdtempSync(join(scratchRoot(), 'peerd-tests-'));
// One test reads a file as another user.
chmodSync(scratch, 0o711);
const env = {
  STIGMEM_TEST_MAIN: resolve('dist/main.js'),
  // Types are stripped and code is compiled once, not once in each of some hundred processes.
  NODE_COMPILE_CACHE: join(scratch, 'compiled'),
  // A kill -9 asks nothing of the disk: what a power cut leaves is tested where writes are torn on purpose.
  TMPDIR: scratch,
  ...process.env,
};
const concurrency = availableParallelism() * FILES_PER_CORE;
const limits = [`--test-concurrency=${concurrency}`, `--test-timeout=${TEST_LIMIT_MS}`];
const child = spawn(process.execPath, ['--test', ...limits, ...files], { stdio: 'inherit', env });
// They reach the runner too, which ends its tests; what is left of them is removed behind it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
const limit = setTimeout(() => child.kill('SIGTERM'), RUN_LIMIT_MS);
const [code, signal] = await once(child, 'exit');
clearTimeout(limit);
rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);

function scratchRoot() {
  if (!existsSync(MEMORY)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize >= MEMORY_NEEDED_BYTES ? MEMORY : tmpdir();
}

/** @type {(a: string, b: string) => number} */
function longFirst(a, b) {
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}

/** @type {(file: string) => number} */
function rank(file) {
  const at = LONG.indexOf(file.split('/')[1] ?? '');
  return at < 0 ? LONG.length : at;
}
