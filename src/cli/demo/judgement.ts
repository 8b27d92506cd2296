/** Whether the demo ended as it should. Pure: what was expected against what was found. */

/** The facts of one source at one node. */
export interface FactSum {
  readonly count: number;
  /** Sum over the CIDs, in any order: equal for two nodes when they hold the same facts, each as often. */
  readonly digest: string;
}

export interface NodeFindings {
  readonly authority: string;
  /** By source. */
  readonly facts: Readonly<Record<string, FactSum>>;
  /** Reason -> how often. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly exitCode: number | null;
  readonly fsckProblems: readonly string[];
}

export interface Expectation {
  readonly authority: string;
  /** Source -> how many of its facts. */
  readonly facts: Readonly<Record<string, number>>;
  /** Reason -> how often. */
  readonly refusals: Readonly<Record<string, number>>;
}

/** Everything that is not as it should be, in sentences; empty when all is well. */
export function judge(expected: readonly Expectation[], found: readonly NodeFindings[]): string[] {
  const faults = expected.flatMap((expectation) => {
    const findings = found.find(({ authority }) => authority === expectation.authority);
    return findings === undefined
      ? [`${expectation.authority}: nothing was found out about it`]
      : judgeNode(expectation, findings);
  });
  return [...faults, ...disagreements(found)];
}

function judgeNode(expected: Expectation, found: NodeFindings): string[] {
  const { authority } = expected;
  const counts = Object.fromEntries(Object.entries(found.facts).map(([source, { count }]) => [source, count]));
  const faults = [
    ...differences(expected.facts, counts).map(
      ([source, want, got]) => `${authority}: expected ${want} facts of ${source}, each once, got ${got}`,
    ),
    ...differences(expected.refusals, found.refusals).map(
      ([reason, want, got]) => `${authority}: expected ${want} refusals for ${reason}, got ${got}`,
    ),
    ...found.fsckProblems.map((problem) => `${authority}: fsck: ${problem}`),
  ];
  if (found.exitCode !== 0) {
    faults.push(`${authority}: expected to stop with exit code 0, got ${found.exitCode ?? 'a kill'}`);
  }
  return faults;
}

/** As many facts need not be the same facts. */
function disagreements(found: readonly NodeFindings[]): string[] {
  const first = new Map<string, { readonly authority: string; readonly sum: FactSum }>();
  const faults: string[] = [];
  for (const { authority, facts } of found) {
    for (const [source, sum] of Object.entries(facts)) {
      const other = first.get(source);
      if (other === undefined && sum.count > 0) first.set(source, { authority, sum });
      if (other === undefined || other.sum.count !== sum.count || other.sum.digest === sum.digest) continue;
      faults.push(
        `${authority} and ${other.authority} hold ${sum.count} facts of ${source} each, but not the same ones`,
      );
    }
  }
  return faults;
}

function differences(
  expected: Readonly<Record<string, number>>,
  found: Readonly<Record<string, number>>,
): (readonly [name: string, want: number, got: number])[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort();
  return names
    .map((name) => [name, expected[name] ?? 0, found[name] ?? 0] as const)
    .filter(([, want, got]) => want !== got);
}
