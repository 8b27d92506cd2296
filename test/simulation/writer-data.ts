/** What the writer of a simulated node is opened with. */
import { join } from 'node:path';
import { NO_FOUR_EYES } from '../../src/journal/approvals.ts';
import { SIGNED_HEADS_FILE } from '../../src/journal/files.ts';
import type { OwnKey, OwnKeys } from '../../src/node/own-keys.ts';
import type { WriterData } from '../../src/threads/writer.ts';

/** Windows that come to their end within a run. */
export const ERASURES = { undoWindowMs: 15_000, receivedWindowMs: 10_000, maxPerHour: 1_000 };

export function writerData(folder: string, { log, witness, anchor }: OwnKeys): WriterData {
  const seedsOf = ({ former }: OwnKey): Uint8Array[] => former.map(({ seed }) => seed);
  return {
    folder,
    logSeed: log.seed,
    formerLogSeeds: seedsOf(log),
    restoreSeed: new Uint8Array(32),
    witnessSeed: witness.seed,
    formerWitnessSeeds: seedsOf(witness),
    anchorSeed: anchor.seed,
    witnessPolicy: null,
    cacheMiB: 1,
    signedHeadsFile: join(folder, SIGNED_HEADS_FILE),
    guarded: false,
    erasures: ERASURES,
    fourEyes: NO_FOUR_EYES,
  };
}
