/** Copies a journal in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { copyJournal } from './copy-journal.ts';
import type { CopyOrder, CopyResult } from './copy-run.ts';

const { from, to } = workerData as CopyOrder;
let result: CopyResult;
try {
  copyJournal(from, to);
  result = { error: null };
} catch (thrown) {
  result = { error: thrown instanceof Error ? thrown.message : String(thrown) };
}
parentPort?.postMessage(result);
