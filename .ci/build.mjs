// Compiles src/ to dist/, afresh: a file that is gone from src/ must not stay in the package.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
const tsc = 'node_modules/typescript7/bin/tsc';
if (!existsSync(tsc)) {
  console.error('typescript is not installed: run npm ci without --omit=dev');
  process.exit(1);
}
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
if (status === 0) chmodSync('dist/main.js', 0o755);
process.exit(status ?? 1);
