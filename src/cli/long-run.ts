/** What takes long shows a line of progress, and ends when somebody stops it. */
import type { Context } from './cli.ts';
import { CliError } from './exit.ts';
import { createProgress } from './progress.ts';

export interface LongRun {
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  readonly onProgress: (phase: string, done: number, total: number) => void;
}

/** @param stopped what stands when it was stopped, in a sentence @throws CliError `interrupted` */
export async function longRun<T>(
  { runtime }: Context,
  stopped: string,
  work: (run: LongRun) => Promise<T>,
): Promise<T> {
  const progress = createProgress(runtime.stderr, runtime.nowMs);
  const stop = new AbortController();
  const ignore = runtime.onStop(() => stop.abort());
  try {
    return await work({
      nowMs: runtime.nowMs,
      signal: stop.signal,
      onProgress: (phase, done, total) => progress.show(() => `${phase}: ${done} of ${total}`),
    });
  } catch (thrown) {
    if (!stop.signal.aborted) throw thrown;
    throw new CliError({ exit: 'interrupted', message: stopped });
  } finally {
    progress.clear();
    ignore();
  }
}
