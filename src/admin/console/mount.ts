import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Hono } from 'hono';
import type { ApiEnv } from '../api/route.ts';
import type { ConsoleDeps } from './deps.ts';
import { loadConsole } from './load.ts';

/** Puts the console under `/console` of the API's own server. */
export function mountConsole(api: OpenAPIHono<ApiEnv>, deps: Omit<ConsoleDeps, 'api'>): OpenAPIHono<ApiEnv> {
  let loading: Promise<Hono<ApiEnv>> | null = null;
  const load = (): Promise<Hono<ApiEnv>> => {
    // One that failed is tried again: a page that could not be read once is no reason to refuse for good.
    loading ??= loadConsole({ ...deps, api }).catch((error: unknown) => {
      loading = null;
      throw error;
    });
    return loading;
  };
  // Who opens the address that `run` prints is a person: programs ask for what they were told to ask for.
  api.get('/', (c) => c.redirect('/console', 303));
  for (const path of ['/console', '/console/*']) api.all(path, async (c) => (await load()).fetch(c.req.raw, c.env));
  return api;
}
