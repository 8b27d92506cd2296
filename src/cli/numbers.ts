import { InvalidArgumentError, Option } from 'commander';

const MOST = 1_000_000;

/** `--limit`, a number from 1 to a million. */
export function limitOption(fallback: number, description: string): Option {
  return new Option('--limit <number>', description).argParser((text) => wholeNumber(text, 1, MOST)).default(fallback);
}

/** Reads a whole number. @throws InvalidArgumentError in commander's form */
export function wholeNumber(text: string, min: number, max: number): number {
  const value = /^(0|[1-9][0-9]*)$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
}
