/** What operators are told about witnessing. */

/** How the node's own policy stands. */
export interface PolicyState {
  /** The newest signed checkpoint. */
  readonly size: number;
  /** Size of the newest checkpoint that meets the policy; null: none does. */
  readonly metSize: number | null;
  /** The newest checkpoint meets it. */
  readonly isMet: boolean;
  /** Names in the policy, of the newest checkpoint. */
  readonly satisfied: readonly string[];
  readonly missing: readonly string[];
}

/** What is held of one log whose checkpoints this node judges. */
export interface WitnessLogState {
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

export interface WitnessState {
  readonly size: number;
  /** Of the newest checkpoint. */
  readonly cosignatures: readonly { readonly witness: string; readonly timeSeconds: number | null }[];
  readonly policy: PolicyState | null;
  readonly logs: readonly WitnessLogState[];
}
