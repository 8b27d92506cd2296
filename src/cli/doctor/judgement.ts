import type { Facts, NodeFacts } from './facts.ts';

/** `skipped`: there is nothing to judge, and `seen` says why. */
export type Result = 'pass' | 'warn' | 'fail' | 'skipped';

export interface Judgement {
  readonly result: Result;
  /** What was found, as a sentence. */
  readonly seen: string;
  /** A command, a setting or an instruction; null where there is nothing to do. */
  readonly fix: string | null;
}

export interface Check {
  /** `area.what`: a public contract, like reason codes. */
  readonly id: string;
  /** What has to hold. */
  readonly title: string;
  readonly judge: (facts: Facts) => Judgement;
}

export function pass(seen: string): Judgement {
  return { result: 'pass', seen, fix: null };
}

export function warn(seen: string, fix: string): Judgement {
  return { result: 'warn', seen, fix };
}

export function fail(seen: string, fix: string): Judgement {
  return { result: 'fail', seen, fix };
}

export function skipped(why: string): Judgement {
  return { result: 'skipped', seen: why, fix: null };
}

/** Judges what only the node knows; skipped where it could not be asked. */
export function ofNode(judge: (node: NodeFacts, facts: Facts) => Judgement): Check['judge'] {
  return (facts) => (facts.node === null ? skipped('the node could not be asked') : judge(facts.node, facts));
}

/** Judges what only the running daemon knows. */
export function ofDaemon(judge: (node: NodeFacts, facts: Facts) => Judgement): Check['judge'] {
  return ofNode((node, facts) => (facts.process === null ? skipped('the node is not running') : judge(node, facts)));
}
