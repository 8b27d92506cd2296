/** Anchors, as the journal's thread serves them. */

import { agoMs } from '../core/time.ts';
import type {
  AnchorCheckpoint,
  Anchored,
  AnchorFailure,
  BackendStatus,
  NewAnchorReceipt,
} from '../journal/anchor-records.ts';
import type { Journal } from '../journal/journal.ts';
import type { LogName } from '../journal/tables.ts';
import { createAnchorSigner } from '../merkle/ecdsa.ts';
import { type TeeMethods, teeMethods } from './tee-methods.ts';

/** When a checkpoint is made: so many entries, or so much time, behind the one before. */
export interface Cadence {
  readonly interval: number;
  readonly maxAgeMs: number;
}

export interface AnchorMethods extends TeeMethods {
  /** Makes the checkpoints that are due, at most one for each log. @returns how many */
  makeDueAnchors(cadence: Cadence, nowMs: number): number;
  nextAnchor(backend: string, nowMs: number): AnchorCheckpoint | null;
  saveAnchorReceipt(id: number, receipt: NewAnchorReceipt, nowMs: number): void;
  failAnchor(id: number, backend: string, failure: AnchorFailure): void;
  retryAnchors(): void;
  anchorStatus(backends: readonly string[]): BackendStatus[];
  anchors(before: number, limit: number, pending: boolean): Anchored[];
}

export function anchorMethods(journal: Journal, anchorSeed: Uint8Array): AnchorMethods {
  const { anchors, identity } = journal;
  const signers = {
    journal: createAnchorSigner(identity.journalOrigin, anchorSeed),
    audit: createAnchorSigner(identity.auditOrigin, anchorSeed),
  };
  const make = (log: LogName, cadence: Cadence, nowMs: number): number => {
    const size = log === 'journal' ? journal.size : journal.auditSize;
    const last = anchors.latest(log);
    const grown = size - (last?.treeSize ?? 0);
    const isDue = grown >= cadence.interval || agoMs((last?.createdUs ?? 0) / 1000, nowMs) >= cadence.maxAgeMs;
    return grown > 0 && isDue && journal.makeAnchor(log, signers[log], nowMs) !== null ? 1 : 0;
  };
  return {
    ...teeMethods(journal),
    makeDueAnchors: (cadence, nowMs) => make('journal', cadence, nowMs) + make('audit', cadence, nowMs),
    nextAnchor: (backend, nowMs) => anchors.next(backend, nowMs * 1000),
    saveAnchorReceipt: (id, receipt, nowMs) => journal.saveAnchorReceipt(id, receipt, nowMs),
    failAnchor: (id, backend, failure) => anchors.fail(id, backend, failure),
    retryAnchors: () => anchors.retryNow(),
    anchorStatus: (backends) => backends.map((backend) => anchors.status(backend)),
    anchors: (before, limit, pending) => anchors.page(before, limit, pending),
  };
}
