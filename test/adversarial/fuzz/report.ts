/** What a fuzz run tells. */
export interface TargetReport {
  readonly target: string;
  readonly executions: number;
  /** Best of three measurements, so that a pause of the machine does not count. */
  readonly slowestMs: number;
  /** Bytes of that input, and what it takes to make it again. */
  readonly slowestBytes: number;
  readonly slowestExecution: number;
}

export interface Finding {
  readonly target: string;
  readonly execution: number;
  readonly what: string;
  /** Base64 of the input's beginning. */
  readonly input: string;
  readonly inputBytes: number;
}

export interface FuzzReport {
  readonly seed: string;
  readonly targets: readonly TargetReport[];
  readonly findings: readonly Finding[];
  /** Growth of heap and buffers after a collection, from the first look to the last, MiB. */
  readonly heapGrowthMiB: number;
  readonly peakRssMiB: number;
}
