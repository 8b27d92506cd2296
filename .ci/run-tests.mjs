// `npm test [-- folder…]`: every *.test.ts below test/, or below the folders named. `adversarial/long` is for .ci/run.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { resolve } from 'node:path';

const folders = process.argv.slice(2);
const chosen = folders.length > 0 ? folders : ['test'];
const files = chosen.flatMap((folder) => globSync(folder.endsWith('.ts') ? folder : `${folder}/**/*.test.ts`)).sort();
if (files.length === 0) {
  console.error(`no test files below ${chosen.join(', ')}`);
  process.exit(1);
}
// Nodes that tests start run what ships, and start in a third of the time.
const built = spawnSync(process.execPath, ['.ci/build.mjs'], { stdio: 'inherit' });
if (built.status !== 0) process.exit(built.status ?? 1);
const env = { STIGMEM_TEST_MAIN: resolve('dist/main.js'), ...process.env };
const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=2', ...files], { stdio: 'inherit', env });
process.exit(status ?? 1);
