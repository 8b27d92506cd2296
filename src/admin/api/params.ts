/** Query parameters: text in, typed values out, documented from the same definition. */
import { z } from '@hono/zod-openapi';
import { isoOfInstant, parseIsoInstant } from '../../core/time.ts';
import { pydantic, VALUE_ERROR } from './field-errors.ts';

const INTEGER = /^\s*[-+]?[0-9]+(?:\.0*)?\s*$/;
const FLOAT = /^\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*$/;
const TRUE = /^(?:1|t|true|y|yes|on)$/i;
const FALSE = /^(?:0|f|false|n|no|off)$/i;

type Refining = z.core.$RefinementCtx<string>;

/** A whole number within bounds; the default stands when it is absent. */
export function intParam(options: {
  min: number;
  max: number;
  default: number;
  description: string;
}): z.ZodType<number> {
  return optionalInt(options).transform((value) => value ?? options.default);
}

/** A whole number within bounds, or undefined. */
export function optionalInt(options: {
  min: number;
  max?: number;
  default?: number;
  description: string;
}): z.ZodType<number | undefined> {
  const { min, max = Number.MAX_SAFE_INTEGER } = options;
  return z
    .string()
    .transform((text, context) => (INTEGER.test(text) ? Number(text) : unparsable(context, 'int_parsing', INT_MESSAGE)))
    .pipe(z.number().min(min).max(max))
    .optional()
    .openapi({
      type: 'integer',
      minimum: min,
      ...(options.max === undefined ? {} : { maximum: max }),
      ...(options.default === undefined ? {} : { default: options.default }),
      description: options.description,
    });
}

/** A number within bounds; the default stands when it is absent. */
export function floatParam(options: {
  min: number;
  max: number;
  default: number;
  description: string;
}): z.ZodType<number> {
  return z
    .string()
    .transform((text, context) =>
      FLOAT.test(text) ? Number(text) : unparsable(context, 'float_parsing', FLOAT_MESSAGE),
    )
    .pipe(z.number().min(options.min).max(options.max))
    .optional()
    .transform((value) => value ?? options.default)
    .openapi({
      type: 'number',
      minimum: options.min,
      maximum: options.max,
      default: options.default,
      description: options.description,
    });
}

/** `true`, `1`, `yes`, `on` … as pydantic reads them; absent is false. */
export function flagParam(description: string): z.ZodType<boolean> {
  return z
    .string()
    .transform((text, context) => {
      if (TRUE.test(text)) return true;
      return FALSE.test(text) ? false : unparsable(context, 'bool_parsing', BOOL_MESSAGE);
    })
    .optional()
    .transform((value) => value ?? false)
    .openapi({ type: 'boolean', default: false, description });
}

/** One of a closed list of words; the default stands when it is absent. */
export function choiceParam<const W extends string>(
  words: readonly W[],
  fallback: W,
  description: string,
): z.ZodType<W> {
  return z
    .string()
    .transform((text, context) => {
      const word = words.find((known) => known === text);
      if (word !== undefined) return word;
      context.addIssue({ code: 'custom', message: `must be one of ${listed(words)}`, ...VALUE_ERROR });
      return z.NEVER;
    })
    .optional()
    .transform((value) => value ?? fallback)
    .openapi({ type: 'string', enum: [...words], default: fallback, description });
}

/** Free text of bounded length, or undefined. */
export function textParam(description: string, maxChars = 2_048): z.ZodType<string | undefined> {
  return z.string().max(maxChars).optional().openapi({ description });
}

/** A moment, given as ISO 8601 (UTC unless it has an offset), as the text that the journal sorts by. */
export function instantParam(description: string): z.ZodType<string | undefined> {
  return z
    .string()
    .max(64)
    .transform((text, context) => normalizedInstant(text) ?? unparsableInstant(context))
    .optional()
    .openapi({ type: 'string', format: 'date-time', description });
}

/** ISO text with microseconds in UTC, or null. A `+` that a client forgot to escape arrives as a space. */
export function normalizedInstant(text: string): string | null {
  const parsed = parseIsoInstant(
    text.replace(/ (?=[0-9]{2}:?[0-9]{2}$)/, (space, at: number) => (at > 10 ? '+' : space)),
  );
  if (!parsed.ok || parsed.value < 0n || parsed.value >= 253_402_300_800_000_000n) return null;
  return isoOfInstant(parsed.value);
}

/** Words as pydantic's messages list them. */
export function listed(words: readonly string[]): string {
  return `{${words.map((word) => `'${word}'`).join(', ')}}`;
}

const INT_MESSAGE = 'Input should be a valid integer, unable to parse string as an integer';
const FLOAT_MESSAGE = 'Input should be a valid number, unable to parse string as a number';
const BOOL_MESSAGE = 'Input should be a valid boolean, unable to interpret input';

function unparsable(context: Refining, type: string, message: string): never {
  context.addIssue({ code: 'custom', message, params: pydantic(type) });
  return z.NEVER;
}

function unparsableInstant(context: Refining): never {
  const message = 'Input should be a valid datetime in ISO 8601, such as 2026-01-31T12:00:00Z, from 1970 on';
  return unparsable(context, 'datetime_from_date_parsing', message);
}
