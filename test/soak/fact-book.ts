/** Who asserted what and when, and who has seen it: the soak's own account of what has to be true at its end. */

export interface Told {
  readonly entity: string;
  readonly value: string;
}

interface Asserted {
  readonly value: string;
  readonly by: number;
  /** When the first request was sent; milliseconds. */
  readonly atMs: number;
  /** Nodes that have shown it. */
  readonly seenBy: Set<number>;
  isStored: boolean;
}

/** From the request to assert a fact at one node until it is read at another. */
export interface Lag {
  readonly ms: number;
  /** Both nodes ran all the time in between. */
  readonly undisturbed: boolean;
}

export class FactBook {
  readonly problems: string[] = [];
  readonly #facts = new Map<string, Asserted>();
  /** Lags since the last look. */
  #lags: Lag[] = [];
  readonly #isDisturbed: (node: number, sinceMs: number) => boolean;

  /** @param isDisturbed whether a node was down, or started, at any time since */
  constructor(isDisturbed: (node: number, sinceMs: number) => boolean) {
    this.#isDisturbed = isDisturbed;
  }

  get asserted(): number {
    return this.#facts.size;
  }

  /** Before the request is sent: a reader may be faster than the answer. */
  asserting(by: number, facts: readonly Told[], atMs: number): void {
    for (const { entity, value } of facts)
      this.#facts.set(entity, { value, by, atMs, seenBy: new Set(), isStored: false });
  }

  stored(facts: readonly Told[]): void {
    for (const { entity } of facts) {
      const fact = this.#facts.get(entity);
      if (fact !== undefined) fact.isStored = true;
    }
  }

  /** A node has shown a fact. Those that nobody here asserted are the hostile peer's, and counted elsewhere. */
  seen(node: number, { entity, value }: Told, atMs: number): void {
    const fact = this.#facts.get(entity);
    if (fact === undefined) return;
    if (fact.seenBy.has(node)) this.problems.push(`node ${node} shows ${entity} twice`);
    if (fact.value !== value) this.problems.push(`node ${node} shows ${entity} changed: ${value}`);
    fact.seenBy.add(node);
    if (node === fact.by) return;
    const undisturbed = !this.#isDisturbed(node, fact.atMs) && !this.#isDisturbed(fact.by, fact.atMs);
    this.#lags.push({ ms: atMs - fact.atMs, undisturbed });
  }

  /** Lags of what was seen since the last call. */
  takeLags(): readonly Lag[] {
    const taken = this.#lags;
    this.#lags = [];
    return taken;
  }

  /** Facts that were acknowledged and are not at each of the nodes yet. */
  missing(nodes: number): readonly string[] {
    return [...this.#facts].flatMap(([entity, { isStored, seenBy }]) => {
      const lacking = Array.from({ length: nodes }, (_, i) => i).filter((node) => !seenBy.has(node));
      return isStored && lacking.length > 0 ? [`${entity} is not at ${lacking.join(', ')}`] : [];
    });
  }
}
