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

/** More are counted and not told: a file of 1 MiB can have 100,000 faults, and each is a line of a log. */
const MAX_TOLD = 50;

/** Words the first faults in the order of the file; what has no line comes first. A last problem counts those left out. */
export function explainFaults(path: string, faults: readonly Fault[], context: FaultContext): ConfigProblem[] {
  const single = faults.flatMap((fault) =>
    fault.unknownKeys.length === 0 ? [fault] : fault.unknownKeys.map((name) => ({ ...fault, unknownKeys: [name] })),
  );
  const lined = single.map((fault) => ({ fault, line: lineOf(context.whereIs(keyOf(fault))) }));
  const told = lined.sort((a, b) => a.line - b.line).slice(0, MAX_TOLD);
  const problems = told.map(({ fault }) => explainFault(fault, context));
  const left = single.length - told.length;
  if (left === 0) return problems;
  const message = `${left} more problems, of ${single.length} in this file`;
  return [...problems, { where: path, key: null, message, fix: 'Mend those above first.' }];
}

function lineOf(where: string): number {
  return Number(/:(\d+)$/.exec(where)?.[1] ?? 0);
}

/** With the unknown key, if it is about one. Places in a list are left out. */
function keyOf({ path, unknownKeys }: Fault): string {
  return [...path.filter((part) => typeof part === 'string'), ...unknownKeys].join('.');
}

function explainFault(fault: Fault, context: FaultContext): ConfigProblem {
  const key = keyOf(fault);
  const [unknown] = fault.unknownKeys;
  if (unknown !== undefined) return unknownKey(key, unknown, context);

  const got = fault.path.reduce<unknown>(member, context.tree);
  const reason = fault.reason === null ? '' : ` (${fault.reason})`;
  const message = `${key}: expected ${context.expected(key)}, got ${shown(got)}${reason}`;
  const fix = got === undefined ? 'Add it.' : 'Correct the value.';
  return { where: context.whereIs(key), key, message, fix };
}

function unknownKey(key: string, name: string, context: FaultContext): ConfigProblem {
  // A known name under another section is a likelier mistake than a typing error.
  const sameName = context.knownKeys.find((known) => known.split('.').at(-1) === name);
  const near = sameName ?? nearest(key, context.knownKeys);
  const fix =
    near === null ? `Remove it; ${context.reference} lists all keys.` : `Did you mean ${JSON.stringify(near)}?`;
  return { where: context.whereIs(key), key: shownName(key), message: `unknown key ${shown(key)}`, fix };
}

function member(value: unknown, part: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, part) ? (value as Readonly<Record<string | number, unknown>>)[part] : undefined;
}
