import { z } from '@hono/zod-openapi';
import { encodeBase64 } from '../../merkle/base64.ts';
import { intParam, optionalInt } from './params.ts';
import { json, refused } from './responses.ts';
import { type Apparatus, addRoute } from './route.ts';

const CONSISTENCY = z
  .object({
    from: z.number().int(),
    to: z.number().int(),
    hashes: z.array(z.string()).openapi({ description: 'Base64, in the order of RFC 9162 §2.1.4.1.' }),
  })
  .openapi('ConsistencyProof');

/** Adds the proof that a larger tree of the journal extends a smaller one: readers that keep a checkpoint ask for it. */
export function addConsistency(apparatus: Apparatus): void {
  const { writer, reader } = apparatus.deps;
  const route = {
    method: 'get',
    path: '/v1/journal/consistency',
    tag: 'Journal',
    summary: 'Proof that a larger tree of the journal extends a smaller one',
    query: z.object({
      from: intParam({ min: 0, max: Number.MAX_SAFE_INTEGER, default: 0, description: 'Size of the smaller tree.' }),
      to: optionalInt({ min: 0, description: 'Size of the larger tree; the newest signed one if left out.' }),
    }),
    quota: 'fact_read',
    responses: {
      200: { description: 'the proof', content: { 'application/json': { schema: CONSISTENCY } } },
      404: { description: 'no checkpoint is as large as that' },
    },
  } as const;
  addRoute(apparatus, route, ['read', 'audit.read'], async ({ query }) => {
    const { size } = await writer.head();
    const { from, to = size } = query;
    if (to > size || from > to) {
      const message = `expected from ≤ to ≤ ${size}, the newest signed size, got from ${from} and to ${to}`;
      return refused({ status: 404, detail: { code: 'tree_size_unknown', message } });
    }
    const hashes = await reader.consistency(from, to);
    return json(200, { from, to, hashes: hashes.map(encodeBase64) });
  });
}
