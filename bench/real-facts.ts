import { cldrFacts, mdnFacts } from '../src/cli/demo/real-facts.ts';
import type { SourceFact } from './nodes.ts';

/**
 * Real facts, CLDR names first, then browser support from MDN; each once. `authority` makes other facts of them, for a
 * journal that is not empty.
 */
export function* realFacts(count: number, authority?: string): Generator<SourceFact> {
  let left = count;
  for (const round of [0, 1, 2, 3, 4]) {
    for (const facts of [cldrFacts(), mdnFacts()]) {
      for (const fact of facts as Iterable<SourceFact>) {
        if (left-- <= 0) return;
        const source = authority === undefined ? fact.source : `stigmem://${authority}/import/bench`;
        yield round === 0 ? { ...fact, source } : { ...fact, source, entity: `${fact.entity}/copy-${round}` };
      }
    }
  }
}
