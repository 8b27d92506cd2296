/** From what a schema found to what an operator reads: where, expected, got, what to do. */
import { z } from 'zod';
import { nearest } from './nearest.ts';
import { type ConfigProblem, shown, shownName } from './problem.ts';

/** One thing that is wrong. `path` may go on into a list: `['listen', 'p2p', 1]`. */
export interface Fault {
  readonly path: readonly (string | number)[];
  readonly unknownKeys: readonly string[];
  /** More than "not what was expected", when the check knows more. */
  readonly reason: string | null;
}

/** What is needed to explain a fault of one file. */
export interface FaultContext {
  /** What was checked, with environment and flags put over it. */
  readonly tree: unknown;
  readonly whereIs: (key: string) => string;
  /** Completes "expected …" for a key. */
  readonly expected: (key: string) => string;
  /** All keys, with their sections. */
  readonly knownKeys: readonly string[];
  /** Where somebody finds all keys. */
  readonly reference: string;
}

/** A text that a check accepts. The check's reason goes into the issue, so that the error can say more than "invalid". */
export function text(fault: (value: string) => string | null): z.ZodString {
  return z.string().check((ctx) => {
    const message = fault(ctx.value);
    if (message !== null) ctx.issues.push({ code: 'custom', message, input: ctx.value });
  });
}

/** Reads an issue of a schema. */
export function toFault(issue: z.core.$ZodIssue): Fault {
  return {
    path: issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part)),
    unknownKeys: issue.code === 'unrecognized_keys' ? issue.keys : [],
    reason: issue.code === 'custom' || issue.code === 'invalid_format' ? issue.message : null,
  };
}

/** Words one fault; several when it names several unknown keys. */
export function explainFault(fault: Fault, context: FaultContext): ConfigProblem[] {
  const names = fault.path.filter((part) => typeof part === 'string');
  if (fault.unknownKeys.length > 0) return fault.unknownKeys.map((name) => unknownKey(names, name, context));

  const key = names.join('.');
  const got = fault.path.reduce<unknown>((value, part) => member(value, part), context.tree);
  const reason = fault.reason === null ? '' : ` (${fault.reason})`;
  const message = `${key}: expected ${context.expected(key)}, got ${shown(got)}${reason}`;
  const fix = got === undefined ? 'Add it.' : 'Correct the value.';
  return [{ where: context.whereIs(key), key, message, fix }];
}

function unknownKey(section: readonly string[], name: string, context: FaultContext): ConfigProblem {
  const key = [...section, name].join('.');
  // A known name under another section is a likelier mistake than a typing error.
  const sameName = context.knownKeys.find((known) => known.split('.').at(-1) === name);
  const near = sameName ?? nearest(key, context.knownKeys);
  const fix =
    near === null ? `Remove it; ${context.reference} lists all keys.` : `Did you mean ${JSON.stringify(near)}?`;
  return { where: context.whereIs(key), key: shownName(key), message: `unknown key ${shown(key)}`, fix };
}

function member(value: unknown, part: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([name]) => name === String(part))?.[1];
}
