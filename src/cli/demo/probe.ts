import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expectOk } from '../api-failure.ts';
import { readFactPage } from '../fact-view.ts';
import type { Org } from './org.ts';

export const PROBE_SOURCE = 'stigmem://cldr.example/demo/probe';
const ASK_MS = 5;
const PATIENCE_MS = 30_000;

/**
 * Asserts one fact at one node and asks another until it has it.
 *
 * @returns milliseconds in between; null when it did not arrive in half a minute
 */
export async function probe(from: Org, to: Org, signal: AbortSignal): Promise<number | null> {
  const entity = `${PROBE_SOURCE}-${randomUUID()}`;
  const value = { type: 'text', v: 'a fact on its way' };
  const startedMs = performance.now();
  expectOk(
    await from.api.post(
      '/v1/facts',
      JSON.stringify({ entity, relation: 'demo:probe', value, source: PROBE_SOURCE, scope: 'public' }),
    ),
  );
  while (performance.now() - startedMs < PATIENCE_MS && !signal.aborted) {
    const page = readFactPage(expectOk(await to.api.get('/v1/facts', { entity, limit: 1 })));
    if (page.total === 1) return Math.round(performance.now() - startedMs);
    await delay(ASK_MS);
  }
  return null;
}
