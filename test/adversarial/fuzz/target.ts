/** One decoder or entry point under fuzz. */
export interface Target {
  readonly name: string;
  /** Right inputs, made by the real encoders. */
  readonly corpus: readonly Buffer[];
  /** Longest time that one input may take by the clock, ms. Without it the target does no I/O and its own work counts. */
  readonly limitMs?: number;
  /** Throws when the input broke something: an exception of the code itself, or a rule of the oracle that does not hold. */
  run(input: Buffer): void | Promise<void>;
}

/** Fails the oracle. */
export function expect(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`oracle: ${rule}`);
}
