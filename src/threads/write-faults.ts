/** Whether the disk takes what is written: known from how the last write went. */
import type { WriterMethods } from './writer.ts';

/** When one of these goes through, the disk takes what is written. Any call may show that it does not. */
const WRITES: ReadonlySet<string> = new Set<keyof WriterMethods>([
  'assert',
  'ingestPage',
  'audit',
  'pinDeclaration',
  'followDeclaration',
  'renewDeclaration',
  'keyWaits',
  'head',
  'takeReceipts',
  'takeNotices',
  'disclose',
  'keepNotes',
  'cosign',
  'makeDueAnchors',
  'resumePeer',
  'trustKeys',
  'endProposal',
  'reviewFact',
  'retryPage',
  'recordRetry',
]);
const DISK_FAULTS: ReadonlySet<string> = new Set([
  'SQLITE_FULL',
  'SQLITE_IOERR',
  'SQLITE_IOERR_WRITE',
  'SQLITE_READONLY',
  'ENOSPC',
  'EIO',
  'EROFS',
]);

export function isDiskFault(code: string | null | undefined): boolean {
  return DISK_FAULTS.has(code ?? '');
}

export class WriteFaults {
  #fault: string | null = null;

  /** What the last write failed with, in words; null when it went through. */
  get fault(): string | null {
    return this.#fault;
  }

  watch(method: string, call: Promise<unknown>): void {
    call.then(
      () => {
        if (WRITES.has(method)) this.#fault = null;
      },
      (error: Error & { code?: string }) => {
        if (isDiskFault(error.code)) this.#fault = error.message;
      },
    );
  }
}
