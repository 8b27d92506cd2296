/** Collects what operators are told about witnessing, in the journal's thread. */
import type { WitnessLogState, WitnessState } from '../core/witness-report.ts';
import type { Journal } from '../journal/journal.ts';
import { cosignatureTime } from '../merkle/cosignature.ts';
import { parseSignatureLine } from '../merkle/note.ts';
import type { WitnessedLog } from './cosigner.ts';
import type { OwnHeads } from './own-heads.ts';

export function witnessState(journal: Journal, own: OwnHeads, logs: readonly WitnessedLog[]): WitnessState {
  const { size } = journal.head(0);
  const cosignatures = journal.witness.cosignatures('journal', size).map(({ witness, line }) => {
    const signature = parseSignatureLine(line.trimEnd())?.signature;
    return { witness, timeSeconds: signature === undefined ? null : (cosignatureTime(signature) ?? null) };
  });
  return { size, cosignatures, policy: own.policyState(), logs: logs.map((log) => logState(journal, log)) };
}

function logState({ witness, peers }: Journal, { origin, nodeId }: WitnessedLog): WitnessLogState {
  const seen = witness.largestSeen(origin);
  return {
    origin,
    nodeId,
    cosignedSize: witness.cosigned(origin)?.size ?? null,
    verifiedSize: nodeId === null ? null : (peers.checkpoint(nodeId)?.size ?? null),
    seenSize: seen?.size ?? null,
    seenFrom: seen?.seenFrom ?? null,
    unreconciled: witness.unreconciled(origin).length,
  };
}
