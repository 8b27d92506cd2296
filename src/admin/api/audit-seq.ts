import { z } from '@hono/zod-openapi';
import type { Result } from '../../core/result.ts';
import { invalid, type Refusal } from './responses.ts';

/** Path parameter: the place of one audit record. */
export const AUDIT_SEQ: z.ZodObject = z.object({ seq: z.string().openapi({ type: 'integer', minimum: 1 }) });

export function auditSeqIn(given: string): Result<number, Refusal> {
  if (/^[0-9]{1,15}$/.test(given)) return { ok: true, value: Number(given) };
  const msg = 'Input should be a valid integer, unable to parse string as an integer';
  const error = invalid({ type: 'int_parsing', loc: ['path', 'seq'], msg, input: given.slice(0, 64) });
  return { ok: false, error };
}
