/** Bodies that were erased, or are to be. */

export interface ErasureStepRow {
  step_id: number;
  /** Digest of the fact's id, 32 bytes. */
  fact: Uint8Array;
  /** The fact's author. */
  node_id: string;
  step: string;
  /** Place of the fact in its author's feed. */
  feed: string;
  feed_seq: number;
  /** `chain_seq` here of the fact; null: it is not held. */
  target_seq: number | null;
  /** `chain_seq` here of the tombstone; null: there is none yet. */
  tombstone_seq: number | null;
  /** The stored page that the fact came in. */
  page_id: number | null;
  /** From when on the next step is taken; null: by an operator only, or never. */
  due_us: number | null;
  at_us: number;
  actor: string | null;
  reason: string | null;
  sum1: number;
  sum2: number;
}

export interface ErasureTables {
  erasure_steps: ErasureStepRow;
  erasure_acks: {
    ack_id: number;
    peer: string;
    tombstone_seq: number;
    note: string;
    received_us: number;
    sum1: number;
    sum2: number;
  };
  /** `tombstone_seq` is null while the body stands in the page; `target_seq` is null if no entry was ever made of it. */
  body_copies: {
    copy_id: number;
    page_id: number;
    place: number;
    target_seq: number | null;
    tombstone_seq: number | null;
    sum1: number;
    sum2: number;
  };
  /** `relay`: who brought it; null at the relay, to which its signer gave it. */
  relayed_acks: {
    ack_id: number;
    peer: string;
    relay: string | null;
    tombstone_seq: number;
    note: string;
    declaration: string;
    received_us: number;
    sum1: number;
    sum2: number;
  };
}
