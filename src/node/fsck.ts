import { dataPaths } from '../config/data-dir.ts';
import { readSeedFile } from '../config/secret-file.ts';
import type { FsckReport } from '../journal/fsck/report.ts';
import { type FsckOptions, filesOf } from '../journal/fsck/run-fsck.ts';
import { runFsckInWorker } from '../journal/fsck/worker-run.ts';
import { createLogSigner } from '../merkle/ed25519.ts';

/** Checks the journal of a data folder in a thread of its own. Without its key file, signatures stay unchecked, and the report says so. */
export function runFsck(dir: string, options: Pick<FsckOptions, 'onProgress' | 'signal'>): Promise<FsckReport> {
  const seed = readSeedFile(dataPaths(dir).logKey, 'log');
  // The name a signer carries is not part of its key.
  const logKey = seed.ok ? createLogSigner('fsck', seed.value).publicKey : null;
  return runFsckInWorker(filesOf(dir), { ...options, logKey });
}
