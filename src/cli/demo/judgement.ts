/** Whether the demo ended as it should. Pure: what was expected against what was found. */

export interface NodeFindings {
  readonly authority: string;
  /** Facts by whom they are from: authority of the source -> how many a query finds. */
  readonly facts: Readonly<Record<string, number>>;
  readonly refusals: Readonly<Record<string, number>>;
  readonly exitCode: number | null;
  readonly fsckProblems: readonly string[];
}

export interface Expectation {
  readonly authority: string;
  readonly facts: Readonly<Record<string, number>>;
  /** Reason -> how often. */
  readonly refusals: Readonly<Record<string, number>>;
}

/** Everything that is not as it should be, in sentences; empty when all is well. */
export function judge(expected: readonly Expectation[], found: readonly NodeFindings[]): string[] {
  return expected.flatMap((expectation) => {
    const findings = found.find(({ authority }) => authority === expectation.authority);
    return findings === undefined
      ? [`${expectation.authority}: nothing was found out about it`]
      : judgeNode(expectation, findings);
  });
}

function judgeNode(expected: Expectation, found: NodeFindings): string[] {
  const { authority } = expected;
  const faults = [
    ...differences(expected.facts, found.facts).map(
      ([from, want, got]) => `${authority}: expected ${want} facts of ${from}, each once, got ${got}`,
    ),
    ...differences(expected.refusals, found.refusals).map(
      ([reason, want, got]) => `${authority}: expected ${want} refusals for ${reason}, got ${got}`,
    ),
    ...found.fsckProblems.map((problem) => `${authority}: fsck: ${problem}`),
  ];
  if (found.exitCode !== 0)
    faults.push(`${authority}: expected to stop with exit code 0, got ${found.exitCode ?? 'a kill'}`);
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
