import { z } from '@hono/zod-openapi';
import { lookUp, type ReadTools } from './facts-read.ts';
import { choiceParam } from './params.ts';
import { answer, json, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

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
  .openapi('JournalHead');

const PROOF = z
  .object({
    fact_id: z.string(),
    entry: z.string().openapi({ description: 'The canonical bytes, as text: hash these, do not write them anew.' }),
    salt: z.string(),
    leaf_hash: z.string(),
    index: z.number().int(),
    inclusion: z
      .array(z.string())
      .openapi({ description: 'Sibling hashes from leaf to root, base64 (RFC 9162 §2.1.3).' }),
    checkpoint: z.string(),
  })
  .openapi('FactProof');

/** Adds the endpoints by which this node proves what it says. */
export function addJournal(apparatus: Apparatus, tools: ReadTools): void {
  const { writer } = apparatus.deps;
  const head = {
    method: 'get',
    path: '/v1/journal/head',
    tag: 'Journal',
    summary: 'Tree heads of journal and audit log, and feed lengths',
    query: NO_QUERY,
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
  addProof(apparatus, tools);
}

function addProof(apparatus: Apparatus, tools: ReadTools): void {
  const { deps, desk } = tools;
  const route = {
    method: 'get',
    path: '/v1/journal/proof/{fact}',
    tag: 'Journal',
    summary: 'Proof that a fact is in the journal that the checkpoint signs',
    params: z.object({ fact: z.string().openapi({ description: 'Fact id, or CID.' }) }),
    query: NO_QUERY,
    quota: 'fact_read',
    responses: {
      200: { description: 'entry, salt and inclusion proof', content: { 'application/json': { schema: PROOF } } },
      400: { description: '`cid_malformed`' },
      404: { description: 'fact not found' },
      409: { description: 'the stored row is not what was appended' },
    },
  } as const;
  addRoute(apparatus, route, ['read'], async (call, principal) => {
    const found = await lookUp(tools, call.param('fact'), principal);
    if ('refusal' in found) return refused(found.refusal);
    const result = await deps.reader.proof(found.fact.entry.fact_id);
    if (result.kind === 'not_found') return refused({ status: 404, detail: 'fact not found' });
    if (result.kind === 'corrupt') return refused(await desk.report(result.corrupt, principal));
    const { factId, entry, salt, leafHash, index, inclusion, checkpoint } = result.proof;
    return json(200, { fact_id: factId, entry, salt, leaf_hash: leafHash, index, inclusion, checkpoint });
  });
}
