/** Sets of positions, written as runs: `[[first,last],…]`, in order, apart from each other. */

export type Run = readonly [first: number, last: number];

/** @param positions in ascending order, each once */
export function runsOf(positions: readonly number[]): Run[] {
  const runs: [number, number][] = [];
  for (const position of positions) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === position - 1) last[1] = position;
    else runs.push([position, position]);
  }
  return runs;
}

/** Every position of the runs, in order. */
export function positionsOf(runs: readonly Run[]): number[] {
  return runs.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}

/** Reads what a stored row says. Null unless it is runs within `first` to `last`, written as {@link runsOf} gives them. */
export function readRuns(value: unknown, first: number, last: number): readonly Run[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  let free = first;
  for (const run of value as readonly unknown[]) {
    const [from, to, ...more] = Array.isArray(run) ? (run as readonly unknown[]) : [];
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || more.length > 0) return null;
    if (Number(from) < free || Number(to) < Number(from) || Number(to) > last) return null;
    free = Number(to) + 2;
  }
  return value as readonly Run[];
}
