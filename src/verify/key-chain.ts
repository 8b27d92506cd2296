/** From one key of a node to another, by the statements that both keys of each step have signed. */
import { parseIsoInstant } from '../core/time.ts';
import { type KeyUse, type OpenedSuccession, openSuccession } from '../wire/succession.ts';

/** Key changes of one node that are followed: one a month for five years. */
const MAX_LINKS = 64;
const MICROS_PER_MS = 1000n;

/** The statements among these that are the node's own and verify. Pure and total. */
export function openStatements(notes: readonly string[], nodeId: string): readonly OpenedSuccession[] {
  return notes.flatMap((note) => {
    const opened = openSuccession(note, nodeId);
    return opened.ok ? [opened.value] : [];
  });
}

/**
 * The statements that lead from a key that is trusted to another one; empty if they are the same, null if none do.
 * Pure; a loop of statements leads nowhere.
 *
 * @param until Unix time in milliseconds; a statement that takes effect later leads nowhere yet
 */
export function chainBetween(
  statements: readonly OpenedSuccession[],
  use: KeyUse,
  keys: { readonly from: string; readonly to: string },
  until: number,
): readonly OpenedSuccession[] | null {
  const inForce = statements.filter((one) => one.use === use && !startsAfter(one, until));
  const seen = new Set([keys.from]);
  let ways: { readonly at: string; readonly links: readonly OpenedSuccession[] }[] = [{ at: keys.from, links: [] }];
  for (let length = 0; length <= MAX_LINKS && ways.length > 0; length++) {
    const found = ways.find(({ at }) => at === keys.to);
    if (found !== undefined) return found.links;
    ways = ways.flatMap(({ at, links }) =>
      inForce
        .filter((one) => one.old === at && !seen.has(one.new))
        .map((one) => {
          seen.add(one.new);
          return { at: one.new, links: [...links, one] };
        }),
    );
  }
  return null;
}

/**
 * The keys that a key stands for in stored material: itself, those before it and those after it.
 *
 * @param vkey verifier key
 */
export function keysOfChain(statements: readonly OpenedSuccession[], use: KeyUse, vkey: string): readonly string[] {
  const found = new Set([vkey]);
  const links = statements.filter((one) => one.use === use);
  for (let grown = true; grown; ) {
    const before = found.size;
    for (const one of links) {
      if (found.has(one.new)) found.add(one.old);
      if (found.has(one.old)) found.add(one.new);
    }
    grown = found.size > before;
  }
  return [...found];
}

/** The keys that take the place of one, directly or by others, in the order of succession. */
export function successorsOf(
  statements: readonly OpenedSuccession[],
  use: KeyUse,
  vkey: string,
  until: number,
): readonly OpenedSuccession[] {
  const links: OpenedSuccession[] = [];
  const seen = new Set([vkey]);
  const follow = (at: string): void => {
    for (const one of statements) {
      if (one.use !== use || one.old !== at || seen.has(one.new) || startsAfter(one, until)) continue;
      seen.add(one.new);
      links.push(one);
      follow(one.new);
    }
  };
  follow(vkey);
  return links;
}

function startsAfter({ effective_at }: OpenedSuccession, untilMs: number): boolean {
  const start = parseIsoInstant(effective_at);
  return !start.ok || start.value > BigInt(Math.floor(untilMs)) * MICROS_PER_MS;
}
