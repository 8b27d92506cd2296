import { z } from '@hono/zod-openapi';
import type { FactProof } from '../../journal/read-model.ts';
import { decodeBase64 } from '../../merkle/base64.ts';
import { formatTlogProof } from '../../merkle/tlog-proof.ts';
import { encodeFactBundle, FACT_BUNDLE_KIND } from '../../wire/fact-bundle.ts';
import { lookUp, type ReadTools } from './facts-read.ts';
import { jsonText, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

const BUNDLE = z
  .object({
    anchors: z.array(z.looseObject({})),
    declaration: z.string().openapi({ description: 'Signed note of the node: which keys are its own.' }),
    entry: z.string(),
    kind: z.literal(FACT_BUNDLE_KIND),
    origin: z.null(),
    proof: z.string().openapi({ description: 'C2SP tlog-proof, with the checkpoint.' }),
    salt: z.string(),
  })
  .openapi('FactBundle');

/** Adds the file by which a stranger checks one fact: `stigmem-peerd verify bundle FILE`. */
export function addBundle(apparatus: Apparatus, tools: ReadTools): void {
  const { deps, desk } = tools;
  const route = {
    method: 'get',
    path: '/v1/journal/bundle/{fact}',
    tag: 'Journal',
    summary: 'One fact with everything by which a stranger can check it',
    params: z.object({ fact: z.string().openapi({ description: 'Fact id, or CID.' }) }),
    query: NO_QUERY,
    quota: 'fact_read',
    responses: {
      200: { description: 'canonical JSON', content: { 'application/json': { schema: BUNDLE } } },
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
    return jsonText(200, bundleOf(result.proof, deps.declaration()));
  });
}

function bundleOf({ entry, salt, index, inclusion, checkpoint }: FactProof, declaration: string): string {
  const path = inclusion.map((hash) => decodeBase64(hash) ?? Buffer.alloc(0));
  const proof = formatTlogProof({ index, path, checkpoint });
  return encodeFactBundle({ anchors: [], declaration, entry, kind: FACT_BUNDLE_KIND, origin: null, proof, salt });
}
