// Builds dist/, afresh: the programs as a few bundled files, the declarations of the public entry, and the manual page.
// Bundled, because a node of some 1,000 separate modules takes half as much memory again before it has done anything.
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from 'esbuild';
import { browserBuild, consoleBuild } from './browser-build.mjs';

// Entries lie side by side: a thread's module is found beside the module that starts it.
const ENTRIES = {
  main: 'src/main.ts',
  writer: 'src/threads/writer.ts',
  reader: 'src/threads/reader.ts',
  'fsck-worker': 'src/journal/fsck/fsck-worker.ts',
  'copy-worker': 'src/journal/copy-worker.ts',
  core: 'src/client/core.ts',
  client: 'src/client/node.ts',
};
// Native code, and data that only the demo of a checkout reads.
const EXTERNAL = ['better-sqlite3', 'cldr-localenames-full', '@mdn/browser-compat-data'];
// Some packages of CommonJS call require() for Node's own modules.
const REQUIRE =
  "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);";

/** @param {import('esbuild').PluginBuild} build */
function portableZstd({ onResolve }) {
  onResolve({ filter: /\/zstd-frame\.ts$/ }, () => ({ path: resolve('src/client/zstd-portable.ts') }));
}

rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: ENTRIES,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  external: EXTERNAL.flatMap((name) => [name, `${name}/*`]),
  banner: { js: REQUIRE },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'linked',
  logLevel: 'warning',
});
chmodSync('dist/main.js', 0o755);
await build(browserBuild('dist/client.browser.js'));
await build(consoleBuild('dist/console.js'));
await build({
  entryPoints: ['src/client/verify-main.ts'],
  outfile: 'dist/verify.mjs',
  bundle: true,
  format: 'esm',
  platform: 'node',
  // Who is handed evidence has some Node; before 22.15 it has no zstd.
  target: 'node20',
  plugins: [{ name: 'zstd', setup: portableZstd }],
  minifyWhitespace: true,
  legalComments: 'inline',
  logLevel: 'warning',
});

const { status } = spawnSync(process.execPath, ['node_modules/typescript7/bin/tsc', '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
});
const page = spawnSync(process.execPath, ['dist/main.js', 'man'], { encoding: 'utf8' });
if (page.status !== 0) throw new Error(page.stderr);
writeFileSync('dist/stigmem-peerd.1', page.stdout);
process.exit(status ?? 1);
