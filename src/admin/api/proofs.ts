/** Proofs in answers: what `Stigmem-Verify: full` asks for. */
import { z } from '@hono/zod-openapi';
import type { ChainCheckpoint, ChainProof, Erased, ProvenErasure, ProvenFact } from '../../journal/read-model.ts';
import type { ReadTools } from './facts-read.ts';
import type { Refusal } from './responses.ts';
import type { ApiContext, Principal } from './route.ts';
import { SESSION_HEADER } from './session-header.ts';

const HEADER = 'stigmem-verify';

/** Headers of the endpoints that read facts. */
export const READ_HEADERS: z.ZodObject = SESSION_HEADER.extend({
  [HEADER]: z.string().optional().openapi({
    description:
      '`full`, in lower case: each fact comes with its bundle (entry, salt, inclusion proof, checkpoint, anchors), and recall with `chain_proof`. Anything else is ignored.',
  }),
});

export const BUNDLE: z.ZodType = z
  .object({
    anchors: z.array(z.looseObject({})).openapi({ description: 'Receipts of transparency logs; none yet: empty.' }),
    declaration: z.string().openapi({ description: 'This node’s signed declaration: its keys.' }),
    entry: z.string().openapi({ description: 'The canonical bytes, as text: hash these, do not write them anew.' }),
    kind: z.literal('stigmem-fact-bundle/v1'),
    origin: z.null(),
    proof: z.string().openapi({ description: 'C2SP tlog-proof: index, path, and the signed checkpoint.' }),
    salt: z.string(),
  })
  .openapi('FactBundle');

const ANCHORED = z.boolean().openapi({
  description: 'Only with `Stigmem-Verify: full`. False: no transparency log has the checkpoint proved against, yet.',
});

/** Members that one fact has when proofs are asked for. */
export const PROVEN_FACT: z.ZodRawShape = { bundle: BUNDLE.optional(), anchored: ANCHORED.optional() };

/** Members that a list of facts has when proofs are asked for. */
export const PROVEN_FACTS: z.ZodRawShape = {
  bundles: z.record(z.string(), BUNDLE).optional().openapi({ description: 'By fact id.' }),
  anchored: ANCHORED.optional(),
};

/** Whether the caller wants proofs. As in the reference, only this one spelling counts. */
export function wantsProof(c: ApiContext): boolean {
  return c.req.header(HEADER) === 'full';
}

type Proven =
  | {
      readonly facts: readonly ProvenFact[];
      readonly erasures: readonly ProvenErasure[];
      readonly chain: ChainProof;
    }
  | { readonly refusal: Refusal };

/** Bundles of facts that the caller may see, and proofs that others are erased. */
export async function proveFacts(
  { deps, desk }: Pick<ReadTools, 'deps' | 'desk'>,
  factIds: readonly string[],
  principal: Principal,
  withChain: boolean,
  erased: readonly Erased[] = [],
): Promise<Proven> {
  const result = await deps.reader.prove(factIds, withChain, erased);
  if (result.kind === 'corrupt') return { refusal: await desk.report(result.corrupt, principal) };
  if (result.kind === 'broken') return { refusal: await desk.reportBreak(result.broken, principal) };
  return result;
}

/** JSON members `bundles` and `anchored`. */
export function bundlesText(facts: readonly ProvenFact[]): string {
  const bundles = facts.map(({ factId, bundle }) => `${JSON.stringify(factId)}:${bundle}`);
  const anchored = facts.length > 0 && facts.every((fact) => fact.anchored);
  return `"bundles":{${bundles.join(',')}},"anchored":${anchored}`;
}

/** `chain_proof` as the reference has it, all members always there. */
export function chainProofBody({ checkedEntries, headHash, checkpoint }: ChainProof): object {
  return {
    tenant_id: 'default',
    checked_entries: checkedEntries,
    head_hash: headHash,
    checkpoint: checkpoint === null ? null : checkpointBody(checkpoint),
  };
}

function checkpointBody(checkpoint: ChainCheckpoint): object {
  return {
    id: checkpoint.id,
    tenant_id: 'default',
    covered_chain_seq: checkpoint.coveredChainSeq,
    chain_hash: checkpoint.chainHash,
    status: 'submitted',
    attempt_count: 1,
    created_at: checkpoint.createdAt,
    submitted_at: checkpoint.submittedAt,
    last_error: null,
    tl_backend: checkpoint.backend,
    tl_log_id: checkpoint.logId,
    tl_leaf_hash: checkpoint.leafHash,
    tl_log_index: checkpoint.logIndex,
    tl_integrated_time: checkpoint.integratedTime,
    tl_inclusion_proof: checkpoint.inclusionProof,
    tl_raw: checkpoint.raw,
  };
}
