/** One batch of lines through `POST /v1/facts`. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BatchAnswer } from '../admin/api/schemas.ts';
import type { Answer, Api } from './api-client.ts';
import { apiFailure, detailText } from './api-failure.ts';
import { CliError } from './exit.ts';

export interface BatchLine {
  readonly number: number;
  /** JSON text of one assert request. */
  readonly text: string;
}

export interface BadLine {
  readonly line: number;
  readonly reason: string;
}

export interface BatchOutcome {
  readonly stored: number;
  readonly repeated: number;
  readonly bad: readonly BadLine[];
}

export interface BatchHooks {
  /** Ends the waiting. */
  readonly stop: AbortSignal;
  /** Told once why the node is asked again. */
  waiting(why: string): void;
}

/** A node that is busy for longer than this is not going to take the file today. */
const MAX_WAIT_MS = 60_000;

/**
 * Sends a batch; waits and tries again while the node asks for it. The line's own text goes out, so that a number is
 * what was written in the file.
 *
 * @returns null when it was stopped while it waited: the node has not taken the batch
 * @throws CliError when the batch as a whole is refused
 */
export async function sendBatch(
  api: Api,
  lines: readonly BatchLine[],
  { stop, waiting }: BatchHooks,
): Promise<BatchOutcome | null> {
  const body = `{"facts":[${lines.map(({ text }) => text).join(',')}]}`;
  let waitedMs = 0;
  for (;;) {
    const answer = await api.post('/v1/facts', body);
    if (answer.status === 201 || answer.status === 207) return outcomeOf(answer, lines);
    if (!isBusy(answer) || waitedMs >= MAX_WAIT_MS) throw batchFailure(answer, lines);
    if (waitedMs === 0) waiting(batchRefusal(answer, lines));
    const waitMs = retryAfterMs(answer);
    waitedMs += waitMs;
    await delay(waitMs, undefined, { signal: stop }).catch(() => {});
    if (stop.aborted) return null;
  }
}

function outcomeOf(answer: Answer, lines: readonly BatchLine[]): BatchOutcome {
  const { results, stored, repeated } = JSON.parse(answer.text) as BatchAnswer;
  const bad = results
    .filter(({ status }) => status !== 201)
    .map(({ index, status, detail }) => ({
      line: lines[index]?.number ?? 0,
      reason: detailText(detail, `status ${status}`),
    }));
  return { stored, repeated, bad };
}

function isBusy({ status }: Answer): boolean {
  return status === 429 || status === 503;
}

function retryAfterMs({ headers }: Answer): number {
  const seconds = Number(headers.get('retry-after') ?? '1');
  return Number.isFinite(seconds) ? Math.min(10_000, Math.max(100, seconds * 1_000)) : 1_000;
}

function batchFailure(answer: Answer, lines: readonly BatchLine[]): CliError {
  const { exit, code } = apiFailure(answer);
  const fix = 'Every line before is stored. Run the same command again to go on.';
  return new CliError({ exit, code, message: batchRefusal(answer, lines), fix });
}

function batchRefusal(answer: Answer, lines: readonly BatchLine[]): string {
  const first = lines[0]?.number ?? 0;
  const last = lines.at(-1)?.number ?? 0;
  return `lines ${first} to ${last} were refused as a whole: ${apiFailure(answer).message}`;
}
