import { z } from '@hono/zod-openapi';
import type { Difference } from '../../core/verdict.ts';
import { intParam, textParam } from './params.ts';
import { json, refused } from './responses.ts';
import { type Apparatus, addRoute } from './route.ts';

export interface NoticesAnswer {
  readonly notices: readonly {
    readonly peer: string | null;
    readonly node_id: string;
    readonly feed: string;
    readonly reason: string;
    readonly refused: number;
    readonly resolved: number;
    readonly at: string;
    readonly entries: readonly {
      readonly cid: string | null;
      readonly difference: Difference | null;
      readonly evidence: string | null;
      readonly fact: { readonly fact_id: string; readonly entity: string; readonly relation: string } | null;
      readonly feed_seq: number | null;
    }[];
  }[];
}

const QUERY = z.object({
  peer: textParam('Notices of this peer alone: its file name, or its node id.'),
  limit: intParam({ min: 1, max: 1000, default: 100, description: 'Feeds and reasons.' }),
});

const TEXT = z.string().nullable();
const NUMBER = z.number().int().nullable();

const NOTICES = z
  .object({
    notices: z.array(
      z.object({
        peer: TEXT.openapi({ description: 'File name of the peer; null when it has no file any more.' }),
        node_id: z.string(),
        feed: z.string(),
        reason: z.string(),
        refused: z.number().int().openapi({ description: 'Refusals of all time, for a page each attempt.' }),
        resolved: z.number().int().openapi({ description: 'Those of them that were taken after all.' }),
        at: z.string().openapi({ description: 'When the newest of them was refused, by the peer’s clock.' }),
        received_at: z.string(),
        entries: z
          .array(
            z.object({
              at: z.string(),
              chain_seq: NUMBER,
              cid: TEXT.openapi({ description: 'As it arrived there.' }),
              difference: z.object({ claimed: TEXT, computed: TEXT, field: z.string() }).nullable(),
              evidence: TEXT.openapi({ description: 'Hash of what the peer keeps about it.' }),
              fact: z.object({ fact_id: z.string(), entity: z.string(), relation: z.string() }).nullable(),
              feed_seq: NUMBER,
            }),
          )
          .openapi({ description: 'The newest that still stand, at most 32.' }),
        note: z.string().openapi({ description: 'As the peer signed it.' }),
      }),
    ),
    has_more: z.boolean(),
  })
  .openapi('RefusalNotices') satisfies z.ZodType<NoticesAnswer>;

/** Adds what peers have signed about facts of ours that they refused. */
export function addNotices(apparatus: Apparatus): void {
  const { peers, notices } = apparatus.deps;
  const route = {
    method: 'get',
    path: '/v1/federation/notices',
    tag: 'Federation',
    summary: 'Facts of this node that peers refused, and why; the newest first',
    query: QUERY,
    responses: {
      200: { description: 'notices', content: { 'application/json': { schema: NOTICES } } },
      404: { description: 'peer not found' },
    },
  } as const;
  addRoute(apparatus, route, ['federate'], async ({ query }) => {
    const { peer, limit } = query;
    const known = peer === undefined ? undefined : peers.get(peer);
    // What a partner said is kept when its file is gone.
    const nodeId = known?.node_id ?? (peer?.startsWith('stigmem://') === true ? peer : null);
    if (peer !== undefined && nodeId === null) return refused({ status: 404, detail: 'peer not found' });
    const found = await notices({ peer: nodeId, limit: limit + 1 });
    const shown = found.slice(0, limit).map((notice) => ({ peer: peers.get(notice.node_id)?.name ?? null, ...notice }));
    return json(200, { notices: shown, has_more: found.length > limit });
  });
}
