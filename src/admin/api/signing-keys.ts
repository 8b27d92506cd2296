import { z } from '@hono/zod-openapi';
import type { KeyStatus } from '../../core/key-status.ts';
import { json } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

export interface SigningKeysAnswer {
  readonly keys: readonly KeyStatus[];
}

const KEY = z
  .object({
    node_id: z.string(),
    peer: z.string().nullable().openapi({ description: 'Name of the peer’s file; null: a key of our own.' }),
    use: z.enum(['log', 'witness', 'anchor']),
    name: z.string().openapi({ description: 'The log’s origin, or the name of the witness.' }),
    key_id: z.string().nullable(),
    vkey: z.string().openapi({ description: 'C2SP verifier key.' }),
    state: z.enum(['valid', 'not_yet', 'expired', 'replaced', 'unreadable']).openapi({
      description:
        '`replaced`: another key of the same use and name goes on after its end. `unreadable`: its times are no times.',
    }),
    not_before: z.string(),
    not_after: z.string().nullable().openapi({ description: 'null: until further notice.' }),
    seconds_left: z.number().int().nullable().openapi({ description: 'Below 0 once it has ended.' }),
    days_left: z.number().int().nullable(),
    warning: z
      .object({
        step: z
          .number()
          .int()
          .nullable()
          .openapi({ description: '30, 14, 7 or 1 days, the last one passed; 0: ended.' }),
        sentence: z.string(),
      })
      .nullable(),
  })
  .openapi('SigningKey');

/** Adds what is declared of the keys that sign logs, cosignatures and anchors. */
export function addSigningKeys(apparatus: Apparatus): void {
  const { signingKeys } = apparatus.deps;
  const schema = z.object({ keys: z.array(KEY) }).openapi('SigningKeys') satisfies z.ZodType<SigningKeysAnswer>;
  const route = {
    method: 'get',
    path: '/v1/keys',
    tag: 'Federation',
    summary: 'Signing keys of this node and of its peers, how long they are good, and who has to act',
    query: NO_QUERY,
    quota: 'remedy',
    responses: { 200: { description: 'keys', content: { 'application/json': { schema } } } },
  } as const;
  addRoute(apparatus, route, ['read', 'federate', 'audit.read'], async () => {
    return json(200, { keys: await signingKeys() });
  });
}
