import { setTimeout as delay } from 'node:timers/promises';
import type { BatchAnswer } from '../../admin/api/schemas.ts';
import type { Api } from '../api-client.ts';
import { apiFailure } from '../api-failure.ts';
import type { AssertBody } from './real-facts.ts';

const BATCH = 500;
const BUSY_MS = 250;

export interface LoadCounts {
  asserted: number;
  /** Refused by our own node: a fault of the demo. */
  refused: number;
}

/** Asserts facts through the API in batches. `counts` is kept up to date for who watches. */
export async function loadFacts(
  api: Api,
  facts: Iterable<AssertBody>,
  limit: number,
  counts: LoadCounts,
  signal: AbortSignal,
): Promise<void> {
  let batch: AssertBody[] = [];
  let taken = 0;
  for (const fact of facts) {
    if (taken === limit || signal.aborted) break;
    batch.push(fact);
    taken += 1;
    if (batch.length < BATCH) continue;
    await send(api, batch, counts, signal);
    batch = [];
  }
  if (batch.length > 0 && !signal.aborted) await send(api, batch, counts, signal);
}

async function send(api: Api, facts: readonly AssertBody[], counts: LoadCounts, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify({ facts });
  for (;;) {
    const answer = await api.post('/v1/facts', body);
    if (answer.status === 201 || answer.status === 207) {
      const { stored, repeated, refused } = JSON.parse(answer.text) as BatchAnswer;
      counts.asserted += stored + repeated;
      counts.refused += refused;
      return;
    }
    if (answer.status !== 503 && answer.status !== 429) throw apiFailure(answer);
    await delay(BUSY_MS, undefined, { signal });
  }
}
