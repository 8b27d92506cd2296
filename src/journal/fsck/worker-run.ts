import { Worker } from 'node:worker_threads';
import type { AnchorRequirement } from '../../verify/reader-trust.ts';
import { JournalError, type JournalErrorCode } from '../errors.ts';
import type { AnchorClaim } from './anchor-check.ts';
import type { FsckProgress } from './context.ts';
import type { FsckReport } from './report.ts';
import type { FsckOptions, JournalFiles } from './run-fsck.ts';

export interface FsckOrder {
  readonly files: JournalFiles;
  readonly anchors: readonly AnchorClaim[] | undefined;
  readonly logKey: Uint8Array | null;
  readonly receiptTrust: AnchorRequirement | undefined;
}

export type FsckMessage =
  | { readonly kind: 'progress'; readonly progress: FsckProgress }
  | { readonly kind: 'report'; readonly report: FsckReport }
  | { readonly kind: 'failed'; readonly code: JournalErrorCode | null; readonly message: string };

const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './fsck-worker.ts' : './fsck-worker.js', import.meta.url);

/**
 * {@link checkJournal} in a thread of its own: the caller's loop stays free.
 *
 * @throws what `checkJournal` throws; the signal's reason if aborted
 */
export async function runFsckInWorker(files: JournalFiles, options: FsckOptions): Promise<FsckReport> {
  const { signal, onProgress, logKey, anchors, receiptTrust } = options;
  signal?.throwIfAborted();
  const order: FsckOrder = { files, anchors, logKey, receiptTrust };
  const worker = new Worker(ENTRY, { workerData: order, name: 'fsck' });
  const done = Promise.withResolvers<FsckReport>();
  const abort = (): void => done.reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  worker.on('message', (message: FsckMessage) => {
    if (message.kind === 'progress') onProgress?.(message.progress);
    else if (message.kind === 'report') done.resolve(message.report);
    else done.reject(errorOf(message));
  });
  worker.on('error', done.reject);
  worker.on('exit', (code) => done.reject(new Error(`the check ended with ${code} before it had a result`)));
  try {
    return await done.promise;
  } finally {
    signal?.removeEventListener('abort', abort);
    await worker.terminate();
  }
}

function errorOf({ code, message }: Extract<FsckMessage, { kind: 'failed' }>): Error {
  return code === null ? new Error(message) : new JournalError(code, message);
}
