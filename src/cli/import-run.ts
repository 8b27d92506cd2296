/** The way of a file into the journal: lines, batches, counts. Knows no files and no terminal. */
import { isJsonObject, parseJson } from '../core/json.ts';
import type { Api } from './api-client.ts';
import { type BadLine, type BatchHooks, type BatchLine, sendBatch } from './import-batch.ts';
import type { ImportCounts } from './import-state.ts';
import { type Line, readLines } from './line-reader.ts';

export const BATCH_LINES = 500;
/** Under the API's body limit with room for the brackets. */
const BATCH_BYTES = 2_097_152;

export interface ImportHooks extends BatchHooks {
  /** After every batch, when its outcome is durable in the journal. */
  acknowledged(counts: ImportCounts, bytes: number): void;
  badLine(bad: BadLine): void;
}

/**
 * Imports what is behind line `from.line`. A bad line is reported and passed; the rest goes in.
 *
 * @returns the counts, with those of `from`, and whether the end was reached
 */
export async function importLines(
  api: Api,
  chunks: AsyncIterable<Uint8Array>,
  from: ImportCounts,
  hooks: ImportHooks,
): Promise<{ readonly counts: ImportCounts; readonly complete: boolean }> {
  let counts = from;
  let bytes = 0;
  let batch = emptyBatch();
  const flush = async (): Promise<boolean> => {
    const { lines, bad, last } = batch;
    const sent = lines.length === 0 ? { stored: 0, repeated: 0, bad: [] } : await sendBatch(api, lines, hooks);
    if (sent === null) return false;
    const all = [...bad, ...sent.bad].sort((a, b) => a.line - b.line);
    for (const one of all) hooks.badLine(one);
    counts = {
      line: Math.max(counts.line, last),
      stored: counts.stored + sent.stored,
      repeated: counts.repeated + sent.repeated,
      bad: counts.bad + all.length,
    };
    batch = emptyBatch();
    hooks.acknowledged(counts, bytes);
    return true;
  };
  const take = async (line: Line): Promise<boolean> => {
    bytes += line.bytes;
    if (line.number <= from.line) return true;
    const fault = 'fault' in line ? line.fault : lineFault(line.text);
    if (fault !== null) batch.bad.push({ line: line.number, reason: fault });
    else if ('text' in line && line.text.trim() !== '') batch.lines.push({ number: line.number, text: line.text });
    batch.last = line.number;
    batch.bytes += line.bytes;
    if (batch.lines.length < BATCH_LINES && batch.bytes < BATCH_BYTES) return true;
    return (await flush()) && !hooks.stop.aborted;
  };
  try {
    for await (const line of readLines(untilAborted(chunks, hooks.stop)))
      if (!(await take(line))) return { counts, complete: false };
  } catch (thrown) {
    if (!hooks.stop.aborted || thrown !== hooks.stop.reason) throw thrown;
    // What was read of standard input is nowhere else any more.
    await flush();
    return { counts, complete: false };
  }
  const complete = await flush();
  return { counts, complete };
}

/** @throws the reason of the signal, at once, whatever the next chunk waits for */
async function* untilAborted(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  let stop = (): void => {};
  const onAbort = (): void => stop();
  signal.addEventListener('abort', onAbort);
  try {
    for (;;) {
      signal.throwIfAborted();
      const next = await new Promise<IteratorResult<Uint8Array> | null>((resolve, reject) => {
        stop = () => resolve(null);
        iterator.next().then(resolve, reject);
      });
      if (next?.done === true) return;
      if (next !== null) yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

interface Batch {
  readonly lines: BatchLine[];
  readonly bad: BadLine[];
  last: number;
  bytes: number;
}

function emptyBatch(): Batch {
  return { lines: [], bad: [], last: 0, bytes: 0 };
}

/** Why a line cannot be part of a batch: one that is no JSON would spoil the whole batch. Empty lines are none. */
function lineFault(text: string): string | null {
  if (text.trim() === '') return null;
  const parsed = parseJson(text);
  if (!parsed.ok) return `expected ${parsed.error.expected}, got ${parsed.error.got} (column ${parsed.error.column})`;
  return isJsonObject(parsed.value) ? null : 'expected a JSON object, one assert request per line';
}
