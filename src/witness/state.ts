/** What operators are told about witnessing: collected in the journal's thread. */
import type { Journal } from '../journal/journal.ts';
import { cosignatureTime } from '../merkle/cosignature.ts';
import { parseSignatureLine } from '../merkle/note.ts';
import type { WitnessedLog } from './cosigner.ts';
import type { OwnHeads, PolicyState } from './own-heads.ts';

/** What is held of one log. */
export interface LogState {
  readonly origin: string;
  readonly nodeId: string | null;
  readonly cosignedSize: number | null;
  readonly verifiedSize: number | null;
  /** The largest head that a third node has shown. */
  readonly seenSize: number | null;
  readonly seenFrom: string | null;
  /** Heads of which it is not known that they belong to one history with ours. */
  readonly unreconciled: number;
}

/** What `GET /v1/witness` shows. */
export interface WitnessState {
  readonly size: number;
  /** Of the newest checkpoint. */
  readonly cosignatures: readonly { readonly witness: string; readonly timeSeconds: number | null }[];
  readonly policy: PolicyState | null;
  readonly logs: readonly LogState[];
}

export function witnessState(journal: Journal, own: OwnHeads, logs: readonly WitnessedLog[]): WitnessState {
  const { size } = journal.head(0);
  const cosignatures = journal.witness.cosignatures('journal', size).map(({ witness, line }) => {
    const signature = parseSignatureLine(line.trimEnd())?.signature;
    return { witness, timeSeconds: signature === undefined ? null : (cosignatureTime(signature) ?? null) };
  });
  return { size, cosignatures, policy: own.policyState(), logs: logs.map((log) => logState(journal, log)) };
}

function logState({ witness, peers }: Journal, { origin, nodeId }: WitnessedLog): LogState {
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
