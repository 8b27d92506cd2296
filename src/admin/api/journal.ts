import { z } from '@hono/zod-openapi';
import { choiceParam } from './params.ts';
import { answer, json } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

export interface HeadAnswer {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly chain_hash: string | null;
  readonly checkpoint: string;
  readonly audit: { readonly origin: string; readonly size: number; readonly checkpoint: string };
  readonly feeds: readonly { readonly feed: string; readonly length: number }[];
  readonly projection_lag: number;
}

const HEAD = z
  .object({
    origin: z.string(),
    size: z.number().int(),
    root: z.string().openapi({ description: 'Base64.' }),
    chain_hash: z.string().nullable(),
    checkpoint: z
      .string()
      .openapi({ description: 'Signed note over exactly `size` and `root` (C2SP tlog-checkpoint).' }),
    audit: z.object({ origin: z.string(), size: z.number().int(), checkpoint: z.string() }),
    feeds: z.array(z.object({ feed: z.string(), length: z.number().int() })),
    projection_lag: z.number().int().openapi({ description: 'Entries that queries do not show yet.' }),
  })
  .openapi('JournalHead') satisfies z.ZodType<HeadAnswer>;

/** Adds the endpoints that say where the two logs stand. */
export function addJournal(apparatus: Apparatus): void {
  const { writer } = apparatus.deps;
  const head = {
    method: 'get',
    path: '/v1/journal/head',
    tag: 'Journal',
    summary: 'Tree heads of journal and audit log, and feed lengths',
    query: NO_QUERY,
    quota: 'remedy',
    responses: { 200: { description: 'heads', content: { 'application/json': { schema: HEAD } } } },
  } as const;
  addRoute(apparatus, head, ['read'], async () => {
    const { origin, size, root, chainHash, checkpoint, feeds, projectionLag, ...audit } = await writer.head();
    const auditHead = { origin: audit.auditOrigin, size: audit.auditSize, checkpoint: audit.auditCheckpoint };
    return json(200, {
      origin,
      size,
      root,
      chain_hash: chainHash,
      checkpoint,
      audit: auditHead,
      feeds,
      projection_lag: projectionLag,
    });
  });

  const note = {
    method: 'get',
    path: '/v1/journal/checkpoint',
    tag: 'Journal',
    summary: 'The newest checkpoint, as a signed note',
    query: z.object({ log: choiceParam(['journal', 'audit'], 'journal', 'Which of the two logs.') }),
    responses: { 200: { description: 'C2SP tlog-checkpoint', content: { 'text/plain': { schema: z.string() } } } },
  } as const;
  addRoute(apparatus, note, ['read'], async ({ query }) => {
    const { checkpoint, auditCheckpoint } = await writer.head();
    return answer(200, 'text/plain; charset=utf-8', query.log === 'audit' ? auditCheckpoint : checkpoint);
  });
}
