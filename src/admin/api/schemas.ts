/** Shapes of requests and answers. The OpenAPI document is made of these; requests are checked with them. */
import { z } from '@hono/zod-openapi';
import type { JsonValue } from '../../core/json.ts';
import { MAX_DERIVED_FROM } from '../../core/limits.ts';
import { SCOPES } from '../../core/scope.ts';
import { isValueType, VALUE_TYPES } from '../../core/value.ts';
import { VALUE_ERROR } from './field-errors.ts';
import { listed } from './params.ts';

export interface BatchAnswer {
  readonly results: readonly { readonly index: number; readonly status: number; readonly detail?: unknown }[];
  readonly stored: number;
  readonly repeated: number;
  readonly refused: number;
}

export const WRITE_MODES = ['assert', 'summarize_with_provenance'] as const;
const INTERPRETATIONS = ['content', 'instruction'] as const;

const FIELD_ERROR = z
  .object({
    type: z.string(),
    loc: z.array(z.union([z.string(), z.number()])),
    msg: z.string(),
    input: z.unknown(),
    ctx: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('FieldError');

export const ERROR_SCHEMA: z.ZodType = z
  .object({
    detail: z
      .union([z.string(), z.looseObject({ code: z.string(), message: z.string() }), z.array(FIELD_ERROR)])
      .openapi({
        description: 'A sentence; or an object with `code` and `message`; or the list of problems with the input.',
      }),
    request_id: z.string().optional().openapi({
      description: 'Of an error 5xx: `trace_id` of the log lines about it. Every answer has it as header X-Request-Id.',
    }),
  })
  .openapi('Error');

export const QUOTA_SCHEMA: z.ZodType = z
  .object({
    error: z.literal('quota_exceeded'),
    dimension: z.string(),
    principal: z.string(),
    retry_after: z.number().openapi({ description: 'Seconds.' }),
  })
  .openapi('QuotaExceeded');

function oneOf(words: readonly string[], name: string): z.ZodType<string> {
  return z
    .string()
    .refine((word) => words.includes(word), { message: `${name} must be one of ${listed(words)}`, ...VALUE_ERROR })
    .openapi({ type: 'string', enum: [...words] });
}

/** The value as it was read, number literals kept; any JSON. */
const ANY_JSON = (z.unknown() as z.ZodType<JsonValue | undefined>).optional().openapi({
  description:
    'Text, number, boolean or null. Numbers keep the text they are written in: `5` and `5.0` are different facts. `NaN` and `Infinity` are refused.',
});

const CONFIDENCE = z.number().min(0).max(1);

const DERIVED_FROM = z
  .object({ fact_id: z.string().nullish(), hash: z.string().nullish() })
  .refine((entry) => entry.fact_id != null || entry.hash != null, {
    message: 'an entry of derived_from names a fact by fact_id, or by its CID in hash',
    ...VALUE_ERROR,
  })
  .openapi({ description: 'A fact that this one was made from, by id or by CID (`hash`).' });

/** A fact to assert, as a request gives it. */
export interface AssertBody {
  readonly entity: string;
  readonly relation: string;
  readonly value: {
    readonly type: string;
    readonly v?: JsonValue | undefined;
    readonly interpret_as?: string | undefined;
  };
  readonly source: string;
  readonly confidence?: number | undefined;
  readonly scope?: string | undefined;
  readonly valid_until?: string | null | undefined;
  readonly garden_id?: string | null | undefined;
  readonly write_mode?: string | undefined;
  readonly derived_from?:
    | readonly { readonly fact_id?: string | null | undefined; readonly hash?: string | null | undefined }[]
    | undefined;
  readonly attestation?: { readonly key_id: string; readonly signature: string } | null | undefined;
}

export const ASSERT_BODY: z.ZodType<AssertBody> = z
  .object({
    entity: z.string().openapi({ example: 'stigmem://acme.example/service/billing' }),
    relation: z.string().openapi({ example: 'ops:owner' }),
    value: z.object({
      type: z
        .string()
        .refine(isValueType, { message: `type must be one of ${listed(VALUE_TYPES)}`, ...VALUE_ERROR })
        .openapi({ type: 'string', enum: [...VALUE_TYPES] }),
      v: ANY_JSON,
      interpret_as: oneOf(INTERPRETATIONS, 'interpret_as').optional().openapi({ default: 'content' }),
    }),
    source: z.string().openapi({ example: 'stigmem://acme.example/agent/inventory' }),
    confidence: CONFIDENCE.optional().openapi({
      default: 1,
      description: '0 retracts: a fact of its own that withdraws the earlier one.',
    }),
    scope: oneOf(SCOPES, 'scope').optional().openapi({ default: 'local' }),
    valid_until: z.string().nullish().openapi({ format: 'date-time' }),
    garden_id: z.string().nullish(),
    write_mode: z
      .string()
      .refine((mode) => (WRITE_MODES as readonly string[]).includes(mode), {
        message: `write_mode must be one of [${WRITE_MODES.map((mode) => `'${mode}'`).join(', ')}]`,
        ...VALUE_ERROR,
      })
      .optional()
      .openapi({ type: 'string', enum: [...WRITE_MODES], default: 'assert' }),
    derived_from: z.array(DERIVED_FROM).max(MAX_DERIVED_FROM).optional().openapi({ default: [] }),
    attestation: z.object({ key_id: z.string(), signature: z.string() }).nullish(),
  })
  .openapi('AssertFact');

const FACT_VALUE = z.object({
  type: z.string(),
  v: z.unknown().openapi({
    description:
      'A number where JSON can carry its stored text, otherwise that text as a string. Asserting it again gives the same fact.',
  }),
  interpret_as: z.string(),
});

const NULLABLE_TEXT = z.string().nullable();

export const FACT_RECORD: z.ZodType = z
  .object({
    id: z.string(),
    entity: z.string(),
    relation: z.string(),
    value: FACT_VALUE,
    source: z.string(),
    timestamp: z.string(),
    hlc: NULLABLE_TEXT,
    received_from: NULLABLE_TEXT.openapi({ description: 'Node id of the peer it was pulled from.' }),
    valid_until: NULLABLE_TEXT,
    confidence: z.number(),
    scope: z.string(),
    attested_key_id: NULLABLE_TEXT.openapi({ description: 'Key named by the attestation that came with the fact.' }),
    origin_node_id: NULLABLE_TEXT,
    origin_allowed_scopes: z.array(z.string()).nullable(),
    garden_id: NULLABLE_TEXT,
    attested: z.boolean().nullable().openapi({ description: 'Null: this node does not judge attestations.' }),
    contradicted: z.boolean().openapi({
      description: 'Another fact with the same entity, relation and scope and a confidence above 0 exists.',
    }),
    warnings: z.array(z.string()),
    source_trust: z.number().nullable(),
    quarantine_status: NULLABLE_TEXT,
    quarantine_garden_id: NULLABLE_TEXT,
    effective_confidence: z.number().nullable(),
    sanitizer_warnings: z.array(z.string()),
    sanitizer_redacted: z.boolean(),
    cid: NULLABLE_TEXT,
    derived_from: z.array(z.looseObject({})),
  })
  .openapi('FactRecord');

export const BATCH_RESULT: z.ZodType<BatchAnswer> = z
  .object({
    results: z
      .array(
        z.union([
          z.object({ index: z.number().int(), status: z.literal(201), repeated: z.boolean(), fact: FACT_RECORD }),
          z.object({ index: z.number().int(), status: z.number().int(), detail: z.unknown() }),
        ]),
      )
      .openapi({
        description: 'One per fact, in order: the status and body that the fact alone would have been answered with.',
      }),
    stored: z.number().int().openapi({ description: 'Facts that are new.' }),
    repeated: z.number().int().openapi({ description: 'Facts that existed already; nothing was written for them.' }),
    refused: z.number().int(),
  })
  .openapi('BatchResult');
