/** What followers are told of facts that a node shows no more. */
import { factDigest } from '../core/tombstone.ts';
import type { ProvenTombstone } from '../verify/erasure-verdict.ts';
import { ApiError } from './errors.ts';
import { type Fact, factOfProven } from './facts.ts';

/** What the tombstone of a fact says. The fact's id and value are gone; who has kept them should let them go, too. */
export interface ErasedFact {
  /** Place of the fact in the journal, from 1: the `position` that it had, or would have had, in `changes`. */
  readonly position: number;
  /** Scope, or scope and garden. */
  readonly feed: string;
  /** Place of the fact in the feed, from 1. */
  readonly feedSeq: number;
  /** `sha256:…`, of the fact in the tree. */
  readonly leafHash: string;
  /** What {@link factIdDigest} makes of the fact's id. */
  readonly factDigest: string;
  /** The entry of the node's log that says so. */
  readonly tombstone: Fact;
}

/** The fact that was asked for is erased, and that is proven. */
export class FactErasedError extends ApiError {
  readonly erased: ErasedFact;

  constructor(erased: ErasedFact, { status, code, message }: ApiError) {
    super(status, code, message);
    this.erased = erased;
  }
}

/** By what a tombstone names a fact whose id may be known no more. */
export function factIdDigest(factId: string): string {
  return `sha256:${factDigest(factId).toString('hex')}`;
}

export function erasedFactOf({ said, feed, tombstone }: ProvenTombstone): ErasedFact {
  return {
    position: said.leaf_index + 1,
    feed,
    feedSeq: said.feed_seq,
    leafHash: said.leaf_hash,
    factDigest: said.fact,
    tombstone: factOfProven(tombstone),
  };
}
