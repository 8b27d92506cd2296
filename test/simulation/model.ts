/**
 * What should become of each fact, by rules that are far simpler than the product's: a fact that an honest node has
 * acknowledged is a fact; of a liar's log, what it tells as a lie is none.
 */
import { Grants } from './grants.ts';
import type { Got } from './greedy.ts';

/** A fact that a client gave to an honest node. */
export interface AssertedFact {
  readonly node: string;
  readonly entity: string;
  readonly value: string;
  readonly scope: 'public' | 'company';
  /** Virtual ms at which it was given first. */
  readonly atMs: number;
  /** The node said that it is stored; otherwise the client does not know. */
  acknowledged: boolean;
}

/** A fact in the log of a liar. */
export interface ToldFact {
  readonly factId: string;
  /** Why it has to be refused; null: it is an honest fact. */
  readonly lie: string | null;
  readonly feedSeq: number;
}

export class Model {
  readonly asserted: Map<string, AssertedFact> = new Map();
  readonly told: ToldFact[] = [];
  readonly grants: Grants;
  /** Nodes that went on from an old copy: what nobody had seen of them may be gone. */
  readonly restored: Set<string> = new Set();
  /** Nodes whose program lied for a while: what they sent may have been held against them. */
  readonly meddled: Set<string> = new Set();
  /** What a partner got that asks for everything. */
  readonly got: Got[] = [];
  /** When a liar began to show two histories. */
  equivocatedAt: number | null = null;

  /** @param startMs Unix ms at which the run begins */
  constructor(startMs: number) {
    this.grants = new Grants(startMs);
  }

  assert(fact: AssertedFact): AssertedFact {
    this.asserted.set(fact.entity, fact);
    return fact;
  }
}
