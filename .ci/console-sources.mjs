// The console as it is run from the sources: Node strips types and leaves JSX, and a browser takes neither. Loaded by
// src/admin/console/load.ts before it loads the first page; what ships is bundled by build.mjs and needs none of it.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build, transformSync } from 'esbuild';
import { browserBuild, consoleBuild } from './browser-build.mjs';

let isRegistered = false;

/** Lets `import` read .tsx files from now on. */
export function registerJsx() {
  if (isRegistered) return;
  isRegistered = true;
  registerHooks({
    load(url, context, next) {
      if (!url.endsWith('.tsx')) return next(url, context);
      const { code } = transformSync(readFileSync(fileURLToPath(url), 'utf8'), {
        loader: 'tsx',
        format: 'esm',
        jsx: 'automatic',
        jsxImportSource: 'hono/jsx',
        sourcemap: 'inline',
        sourcefile: fileURLToPath(url),
      });
      return { format: 'module', source: code, shortCircuit: true };
    },
  });
}

/** The scripts for browsers, as build.mjs would write them. */
export async function browserScripts() {
  const [script, verifier] = await Promise.all([
    bundled(consoleBuild('console.js')),
    bundled(browserBuild('verify.js')),
  ]);
  return { script, verifier };
}

async function bundled(options) {
  const { outputFiles } = await build({ ...options, write: false, legalComments: 'none' });
  return outputFiles[0].text;
}
