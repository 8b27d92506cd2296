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
  /** As the node named it when it stored it. */
  factId: string | null;
  /** What became of its operators' word that it has to go; null: nobody said so. `unsure`: the answer did not come. */
  erasure: 'asked' | 'undone' | 'unsure' | null;
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
  /** Facts of others that a node's operators keep from being erased: node and entity. */
  readonly heldBack: Set<string> = new Set();
  /** Who read the facts of whom by a wrong peer file for a while, and has to judge them again. */
  readonly misfiled: Set<string> = new Set();
  /** Nodes whose program gave a partner what it had made for another. */
  readonly misdirected: Set<string> = new Set();
  /** What a partner got that asks for everything. */
  readonly got: Got[] = [];
  /** The relay signed something else about what it passes on: some of it is refused, or withheld. */
  hasRelayLied = false;
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
