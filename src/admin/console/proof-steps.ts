/** The steps from a leaf to the root, as positions. Pure, and without Node's modules: the page's script walks them too. */

export interface ProofStep {
  /** Height of the two nodes that are hashed together, leaves at 0. */
  readonly level: number;
  /** Position of the node on the path among its level. */
  readonly index: number;
  /** Base64; given by the proof. */
  readonly sibling: string;
  /** The node on the path is the right one of the two. */
  readonly isRight: boolean;
}

/** @see RFC 9162 §2.1.3.2: a node without a sibling goes up as it is */
export function proofSteps(index: number, size: number, path: readonly string[]): readonly ProofStep[] {
  const steps: ProofStep[] = [];
  let at = index;
  let last = size - 1;
  let level = 0;
  const up = (): void => {
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
    level++;
  };
  for (const sibling of path) {
    while (last > 0 && at % 2 === 0 && at === last) up();
    steps.push({ level, index: at, sibling, isRight: at % 2 === 1 });
    up();
  }
  return steps;
}
