// `npm test [-- folder…]`: every *.test.ts below test/, or below the folders named. `adversarial/long` is for .ci/run.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

const folders = process.argv.slice(2);
const chosen = folders.length > 0 ? folders : ['test'];
const files = chosen.flatMap((folder) => globSync(folder.endsWith('.ts') ? folder : `${folder}/**/*.test.ts`)).sort();
if (files.length === 0) {
  console.error(`no test files below ${chosen.join(', ')}`);
  process.exit(1);
}
const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=2', ...files], { stdio: 'inherit' });
process.exit(status ?? 1);
