/** Reports of the trusted execution environment, as the journal's thread serves them. */
import type { AnchorCheckpoint } from '../journal/anchor-records.ts';
import type { Journal } from '../journal/journal.ts';
import { type NewTeeReport, TEE_REPORT, TeeRecords } from '../journal/tee-records.ts';

export interface TeeMethods {
  nextTee(): AnchorCheckpoint | null;
  /** @returns the sequence of its record */
  saveTeeReport(report: NewTeeReport, nowMs: number): number;
}

export function teeMethods(journal: Journal): TeeMethods {
  let records: TeeRecords | undefined; // where nobody asks, nothing is looked up
  const opened = (): TeeRecords => (records ??= new TeeRecords(journal.db, journal.anchors));
  return {
    nextTee: () => opened().next(),
    saveTeeReport({ log, treeSize, nonce, provider, binding, evidence }, nowMs) {
      const detail = { log, tree_size: treeSize, nonce, provider, binding };
      const seq = journal.auditEvidence({ event: TEE_REPORT, detail }, evidence, nowMs);
      opened().saved(log, treeSize);
      return seq;
    },
  };
}
