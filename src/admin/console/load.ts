/**
 * The way into the console. Loaded at the first request for it: a node whose console nobody opens holds none of its pages in memory.
 * Run from the sources, this is also where Node learns to read JSX, which stripping types leaves in place.
 */
import { readFileSync } from 'node:fs';
import type { Hono } from 'hono';
import type { ApiEnv } from '../api/route.ts';
import { type Assets, assetsOf } from './assets.ts';
import type { ConsoleDeps } from './deps.ts';
import { CONSOLE_STYLE } from './style.ts';

/** What builds the sources stands beside the programs that build what ships; its path is not known to the bundler. */
const FROM_SOURCES = new URL('../../../.ci/console-sources.mjs', import.meta.url).href;

type FromSources = typeof import('../../../.ci/console-sources.mjs');

export async function loadConsole(deps: ConsoleDeps): Promise<Hono<ApiEnv>> {
  const assets = await loadAssets();
  const { buildConsole } = await import('./app.tsx');
  return buildConsole(deps, assets);
}

async function loadAssets(): Promise<Assets> {
  if (!import.meta.url.endsWith('.ts')) {
    const beside = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
    return assetsOf({ style: CONSOLE_STYLE, script: beside('./console.js'), verifier: beside('./client.browser.js') });
  }
  const sources = (await import(FROM_SOURCES)) as FromSources;
  sources.registerJsx();
  return assetsOf({ style: CONSOLE_STYLE, ...(await sources.browserScripts()) });
}
