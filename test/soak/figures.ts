/** Figures out of samples. Pure. */

/** One look at one process. */
export interface Sample {
  /** Seconds since the soak began. */
  readonly atS: number;
  /** Which process it was: a node that was started again is another one. */
  readonly life: string;
  /** Seconds since that process was started. */
  readonly ageS: number;
  readonly value: number;
}

/** The value that the given share of all values does not exceed (nearest rank); NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/**
 * Growth per hour by least squares, one slope for all processes and a level of its own for each: a node that starts anew
 * starts anew in memory too. Samples of a process that is younger than the warm-up are left out. NaN when nothing is left.
 */
export function slopePerHour(samples: readonly Sample[], warmUpS: number): number {
  let above = 0;
  let below = 0;
  const lives = Map.groupBy(
    samples.filter(({ ageS }) => ageS >= warmUpS),
    ({ life }) => life,
  );
  for (const life of lives.values()) {
    const atMean = mean(life.map(({ atS }) => atS));
    const valueMean = mean(life.map(({ value }) => value));
    for (const { atS, value } of life) {
      above += (atS - atMean) * (value - valueMean);
      below += (atS - atMean) ** 2;
    }
  }
  return below === 0 ? Number.NaN : (above / below) * 3600;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
