import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

export interface CopyOrder {
  readonly from: string;
  readonly to: string;
}

export interface CopyResult {
  readonly error: string | null;
}

const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './copy-worker.ts' : './copy-worker.js', import.meta.url);
const LOOK_EVERY_MS = 500;

/**
 * `copyJournal` in a thread of its own: the caller's loop stays free.
 *
 * @param onProgress bytes written so far, of about so many
 * @throws the error of SQLite as text; the signal's reason if aborted, with a part of the file left behind
 */
export async function copyJournalInWorker(
  order: CopyOrder,
  {
    signal,
    onProgress,
  }: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number) => void },
): Promise<void> {
  signal?.throwIfAborted();
  const worker = new Worker(ENTRY, { workerData: order, name: 'journal-copy' });
  const done = Promise.withResolvers<void>();
  const abort = (): void => done.reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  worker.on('message', ({ error }: CopyResult) => (error === null ? done.resolve() : done.reject(new Error(error))));
  worker.on('error', done.reject);
  worker.on('exit', (code) => done.reject(new Error(`the copy ended with ${code} before it was whole`)));
  const total = sizeOf(order.from);
  const looking = setInterval(() => onProgress?.(Math.min(total, sizeOf(order.to)), total), LOOK_EVERY_MS);
  try {
    await done.promise;
  } finally {
    clearInterval(looking);
    signal?.removeEventListener('abort', abort);
    await worker.terminate();
  }
}

/** 0 where it cannot be looked at: what is wrong with it, the copy itself says. */
function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
