import { parentPort, workerData } from 'node:worker_threads';
import { JournalError } from '../errors.ts';
import { checkJournal } from './run-fsck.ts';
import type { FsckMessage, FsckOrder } from './worker-run.ts';

function tell(message: FsckMessage): void {
  parentPort?.postMessage(message);
}

const { files, anchors, logKey, receiptTrust } = workerData as FsckOrder;
try {
  tell({
    kind: 'report',
    report: checkJournal(files, {
      logKey,
      receiptTrust,
      ...(anchors === undefined ? {} : { anchors }),
      onProgress: (progress) => tell({ kind: 'progress', progress }),
    }),
  });
} catch (error) {
  const code = error instanceof JournalError ? error.code : null;
  tell({ kind: 'failed', code, message: error instanceof Error ? error.message : String(error) });
}
