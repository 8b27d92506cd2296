import { z } from '@hono/zod-openapi';
import { intParam, optionalInt, textParam } from './params.ts';
import { json, refused } from './responses.ts';
import { type Apparatus, addRoute } from './route.ts';

const QUERY = z.object({
  feed: textParam('Receipts for pages of this feed alone.'),
  cursor: optionalInt({ min: 0, description: 'Id of a receipt, exclusive: those that came after it.' }),
  limit: intParam({ min: 1, max: 500, default: 50, description: 'Receipts per page.' }),
});

const RECEIPTS = z
  .object({
    acknowledged: z.array(z.object({ feed: z.string(), to: z.number().int() })),
    receipts: z.array(
      z.object({
        id: z.number().int(),
        feed: z.string(),
        after: z.number().int(),
        to: z.number().int(),
        received_at: z.string(),
        note: z.string().openapi({ description: 'As the peer signed it.' }),
      }),
    ),
    cursor: z.string().nullable(),
    has_more: z.boolean(),
  })
  .openapi('Receipts');

/** Adds what a peer has signed to have received. */
export function addReceipts(apparatus: Apparatus): void {
  const { peers, receipts } = apparatus.deps;
  const route = {
    method: 'get',
    path: '/v1/federation/peers/{name}/receipts',
    tag: 'Federation',
    summary: 'Signed receipts of a peer for pages that it pulled, by file name; oldest first',
    params: z.object({ name: z.string() }),
    query: QUERY,
    responses: {
      200: { description: 'receipts', content: { 'application/json': { schema: RECEIPTS } } },
      404: { description: 'peer not found' },
    },
  } as const;
  addRoute(apparatus, route, ['federate'], async ({ param, query }) => {
    const peer = peers.get(param('name'));
    if (peer === undefined) return refused({ status: 404, detail: 'peer not found' });
    const { feed = null, cursor = 0, limit } = query;
    const found = await receipts({ peer: peer.node_id, feed, cursor, limit: limit + 1 });
    const page = found.slice(0, limit);
    const last = page.at(-1)?.id;
    return json(200, {
      acknowledged: peer.acknowledged,
      receipts: page,
      cursor: last === undefined ? null : String(last),
      has_more: found.length > limit,
    });
  });
}
