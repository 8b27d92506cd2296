import { z } from '@hono/zod-openapi';
import type { Weakening } from '../../core/weakening.ts';
import { WEAKENINGS } from '../../core/weakening.ts';
import { json } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

export interface WeakeningsAnswer {
  readonly weakenings: readonly Weakening[];
}

const WEAKENING = z
  .object({
    code: z.enum(WEAKENINGS),
    where: z.string().openapi({ description: 'A setting, a peer file, or the id of a key.' }),
    sentence: z.string().openapi({ description: 'What follows from it.' }),
  })
  .openapi('Weakening');

/** Adds what of the configuration is weaker than by default. Not for whoever reaches the port: it says where to attack. */
export function addWeakenings(apparatus: Apparatus): void {
  const { weakenings } = apparatus.deps;
  const schema = z
    .object({ weakenings: z.array(WEAKENING) })
    .openapi('Weakenings') satisfies z.ZodType<WeakeningsAnswer>;
  const route = {
    method: 'get',
    path: '/v1/configuration/weakenings',
    tag: 'Node',
    summary: 'What of the configuration is weaker than by default',
    query: NO_QUERY,
    quota: 'remedy',
    responses: { 200: { description: 'weakenings', content: { 'application/json': { schema } } } },
  } as const;
  addRoute(apparatus, route, ['federate', 'audit.read'], async () => json(200, { weakenings: [...weakenings()] }));
}
