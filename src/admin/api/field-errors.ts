import type { z } from '@hono/zod-openapi';
import type { FieldError } from './responses.ts';

/** Longest echo of a bad input, as JSON text: an answer is not an amplifier. */
const MAX_ECHO_CHARS = 1_024;

/** What a schema's own check carries to say which pydantic error it is. */
interface PydanticParams {
  readonly type: string;
  readonly ctx?: Readonly<Record<string, unknown>>;
}

type Loc = readonly (string | number)[];

/** Parameters of a `refine` or custom issue whose message is a `ValueError` in the reference. */
export const VALUE_ERROR: { params: { pydantic: PydanticParams } } = {
  params: { pydantic: { type: 'value_error', ctx: { error: {} } } },
};

/** Parameters of a custom issue of any pydantic type. */
export function pydantic(type: string, ctx?: Readonly<Record<string, unknown>>): { pydantic: PydanticParams } {
  return { pydantic: ctx === undefined ? { type } : { type, ctx } };
}

/** One `value_error`, as a validator of the reference raises it. */
export function valueError(loc: Loc, message: string, input: unknown): FieldError {
  return { type: 'value_error', loc, msg: `Value error, ${message}`, input: echo(input), ctx: { error: {} } };
}

/**
 * A schema's complaints in pydantic's form.
 * @param prefix where the input stands: `body`, `query`, `path`, and the index inside a batch
 */
export function fieldErrors(error: z.ZodError, input: unknown, prefix: Loc): readonly FieldError[] {
  return error.issues.map((issue) => fieldError(issue, input, prefix));
}

function fieldError(issue: z.core.$ZodIssue, root: unknown, prefix: Loc): FieldError {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  const loc = [...prefix, ...path];
  const input = valueAt(root, path);
  if (input === undefined && issue.code !== 'custom') {
    return { type: 'missing', loc, msg: 'Field required', input: echo(valueAt(root, path.slice(0, -1))) };
  }
  const { type, msg, ctx } = describe(issue, input);
  return { type, loc, msg, input: echo(input), ...(ctx === undefined ? {} : { ctx }) };
}

interface Described {
  readonly type: string;
  readonly msg: string;
  readonly ctx?: Readonly<Record<string, unknown>>;
}

function describe(issue: z.core.$ZodIssue, input: unknown): Described {
  switch (issue.code) {
    case 'invalid_type':
      return describeType(issue.expected);
    case 'too_small':
      return tooSmall(issue, input);
    case 'too_big':
      return tooBig(issue, input);
    case 'custom':
      return describeCustom(issue);
    default:
      return { type: 'value_error', msg: `Value error, ${issue.message}`, ctx: { error: {} } };
  }
}

const TYPE_ERRORS: Readonly<Record<string, Described>> = {
  string: { type: 'string_type', msg: 'Input should be a valid string' },
  number: { type: 'float_type', msg: 'Input should be a valid number' },
  boolean: { type: 'bool_type', msg: 'Input should be a valid boolean' },
  array: { type: 'list_type', msg: 'Input should be a valid list' },
  object: { type: 'model_attributes_type', msg: 'Input should be a valid dictionary or object to extract fields from' },
};

function describeType(expected: string): Described {
  return TYPE_ERRORS[expected] ?? { type: 'value_error', msg: `Value error, expected ${expected}`, ctx: { error: {} } };
}

function tooSmall(issue: z.core.$ZodIssueTooSmall, input: unknown): Described {
  const least = Number(issue.minimum);
  if (issue.origin === 'array') {
    const length = (input as readonly unknown[]).length;
    const msg = `List should have at least ${least} item${least === 1 ? '' : 's'} after validation, not ${length}`;
    return { type: 'too_short', msg, ctx: { field_type: 'List', min_length: least, actual_length: length } };
  }
  if (issue.origin === 'string') {
    const msg = `String should have at least ${least} character${least === 1 ? '' : 's'}`;
    return { type: 'string_too_short', msg, ctx: { min_length: least } };
  }
  return { type: 'greater_than_equal', msg: `Input should be greater than or equal to ${least}`, ctx: { ge: least } };
}

function tooBig(issue: z.core.$ZodIssueTooBig, input: unknown): Described {
  const most = Number(issue.maximum);
  if (issue.origin === 'array') {
    const length = (input as readonly unknown[]).length;
    const msg = `List should have at most ${most} items after validation, not ${length}`;
    return { type: 'too_long', msg, ctx: { field_type: 'List', max_length: most, actual_length: length } };
  }
  if (issue.origin === 'string') {
    return { type: 'string_too_long', msg: `String should have at most ${most} characters`, ctx: { max_length: most } };
  }
  return { type: 'less_than_equal', msg: `Input should be less than or equal to ${most}`, ctx: { le: most } };
}

function describeCustom(issue: z.core.$ZodIssueCustom): Described {
  const params = (issue.params as { pydantic?: PydanticParams } | undefined)?.pydantic;
  if (params === undefined) return { type: 'value_error', msg: `Value error, ${issue.message}`, ctx: { error: {} } };
  const msg = params.type === 'value_error' ? `Value error, ${issue.message}` : issue.message;
  return { type: params.type, msg, ...(params.ctx === undefined ? {} : { ctx: params.ctx }) };
}

function valueAt(root: unknown, path: Loc): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.hasOwn(value, part) ? (value as Record<string | number, unknown>)[part] : undefined;
  }
  return value;
}

/** The input as it is shown back: JSON, bounded. */
export function echo(input: unknown): unknown {
  if (input === undefined) return null;
  if (typeof input === 'string') return input.length > MAX_ECHO_CHARS ? `${input.slice(0, MAX_ECHO_CHARS)}…` : input;
  if (typeof input === 'number') return Number.isFinite(input) ? input : String(input);
  if (typeof input !== 'object' || input === null) return input;
  const text = JSON.stringify(input);
  return text.length > MAX_ECHO_CHARS ? `${text.slice(0, MAX_ECHO_CHARS)}…` : input;
}
