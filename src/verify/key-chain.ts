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

/**
 * The one line of keys that follows a trusted one. Both keys of a step have signed it, and a key that was given up may be in other
 * hands: a key that has a successor in what is held takes no other one from what is shown. Pure; a loop ends it.
 *
 * @param until Unix ms; a step that takes effect later is none yet
 */
export function lineFrom(
  { held, shown }: { readonly held: readonly OpenedSuccession[]; readonly shown: readonly OpenedSuccession[] },
  use: KeyUse,
  vkey: string,
  until: number,
): readonly OpenedSuccession[] {
  const links: OpenedSuccession[] = [];
  const seen = new Set([vkey]);
  for (let at = vkey; links.length < MAX_LINKS; ) {
    const from = (all: readonly OpenedSuccession[]) => all.filter((one) => one.use === use && one.old === at);
    const known = from(held);
    const next = (known.length > 0 ? known : from(shown)).find((one) => !seen.has(one.new) && !startsAfter(one, until));
    if (next === undefined) break;
    links.push(next);
    seen.add(next.new);
    at = next.new;
  }
  return links;
}

/**
 * The keys before one, each by a statement that the key behind it has signed, with their ends in Unix ms. No key ends later than the
 * one that took its place: a stolen former key can name others before itself, and gives them nothing that it has not.
 */
export function keysBefore(
  statements: readonly OpenedSuccession[],
  use: KeyUse,
  vkey: string,
): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  const follow = (at: string, endMs: number): void => {
    for (const one of statements) {
      if (one.use !== use || one.new !== at || one.old === vkey) continue;
      const until = parseIsoInstant(one.overlap_until);
      const end = Math.min(endMs, until.ok ? Number(until.value / MICROS_PER_MS) : 0);
      if ((ends.get(one.old) ?? Number.NEGATIVE_INFINITY) >= end) continue;
      ends.set(one.old, end);
      follow(one.old, end);
    }
  };
  follow(vkey, Number.POSITIVE_INFINITY);
  return ends;
}

function startsAfter({ effective_at }: OpenedSuccession, untilMs: number): boolean {
  const start = parseIsoInstant(effective_at);
  return !start.ok || start.value > BigInt(Math.floor(untilMs)) * MICROS_PER_MS;
}
