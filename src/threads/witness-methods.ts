/** The witness's calls into the journal's thread. */
import { witnessName } from '../core/node-id.ts';
import type { PolicyState, WitnessState } from '../core/witness-report.ts';
import { AuditReader } from '../journal/audit-reader.ts';
import type { Journal } from '../journal/journal.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import type { WitnessPolicy } from '../merkle/tlog-policy.ts';
import type { AddCheckpoint } from '../merkle/witness-body.ts';
import type { HeadPair } from '../verify/contradiction.ts';
import { Cosigner, type CosignOutcome, type WitnessedLog } from '../witness/cosigner.ts';
import { OwnHeads, type ServedHead, type TrustedWitness } from '../witness/own-heads.ts';
import { type OpenPair, type Resolved, SeenHeads, type Shown } from '../witness/seen-heads.ts';
import { witnessState } from '../witness/state.ts';

export interface WitnessMethods {
  cosign(request: AddCheckpoint, log: WitnessedLog, nowMs: number): CosignOutcome;
  monitored(log: WitnessedLog, nowMs: number): string | null;
  showHead(log: WitnessedLog, note: string, seenFrom: string, nowMs: number): Shown;
  headToShow(log: WitnessedLog): string | null;
  conviction(log: WitnessedLog): HeadPair | null;
  openPairs(log: WitnessedLog): readonly OpenPair[];
  resolvePair(log: WitnessedLog, pair: OpenPair, path: readonly Uint8Array[] | null, nowMs: number): Resolved;
  judgeHeads(
    log: WitnessedLog,
    notes: readonly string[],
    path: readonly Uint8Array[] | null,
    seenFrom: string,
    nowMs: number,
  ): Resolved;
  collectCosignatures(size: number, lines: string, trusted: readonly TrustedWitness[], nowMs: number): number;
  servedHead(knownSize: number): ServedHead;
  policyState(): PolicyState | null;
  witnessState(logs: readonly WitnessedLog[]): WitnessState;
  /** Signed declarations that are pinned, in the same order; null for a peer that was never greeted. */
  declarations(peers: readonly string[]): readonly (string | null)[];
}

/** @param seeds of the witness key, and of those before it that still sign */
export function witnessMethods(
  journal: Journal,
  [seed, ...former]: readonly [Uint8Array, ...Uint8Array[]],
  policy: WitnessPolicy | null,
): WitnessMethods {
  const signer = createLogSigner(witnessName(journal.identity.nodeId), seed, former);
  const audit = new AuditReader(journal.db);
  const seen = new SeenHeads(journal, audit);
  const cosigner = new Cosigner(journal, audit, signer, seen);
  const own = new OwnHeads(journal, policy);
  return {
    cosign: (request, log, nowMs) => {
      journal.guard.assertOpen(); // an old copy does not remember what it has cosigned
      return cosigner.cosign(request, log, nowMs);
    },
    monitored: (log, nowMs) => cosigner.monitored(log, nowMs),
    showHead: (log, note, seenFrom, nowMs) => seen.show(log, { note }, seenFrom, nowMs),
    headToShow: (log) => seen.toShow(log),
    conviction: (log) => seen.conviction(log),
    openPairs: (log) => seen.openPairs(log),
    resolvePair: (log, pair, path, nowMs) => seen.resolve(log, pair, path, nowMs),
    judgeHeads: (log, notes, path, seenFrom, nowMs) => seen.judge(log, notes, path, seenFrom, nowMs),
    collectCosignatures: (size, lines, trusted, nowMs) => own.collect(size, lines, trusted, nowMs),
    servedHead: (knownSize) => own.served(knownSize),
    policyState: () => own.policyState(),
    witnessState: (logs) => witnessState(journal, own, logs),
    declarations: (peers) => peers.map((peer) => journal.peers.declaration(peer)),
  };
}
