import { z } from '@hono/zod-openapi';
import type { AuditRecord } from '../../journal/read-model.ts';
import { factRecordText } from './fact-record.ts';
import type { ReadTools } from './facts-read.ts';
import { intParam } from './params.ts';
import { jsonText, refused } from './responses.ts';
import { type Apparatus, addRoute, type Principal } from './route.ts';
import { FACT_RECORD } from './schemas.ts';
import { visibleFact } from './visibility.ts';

const QUERY = z.object({
  after: intParam({
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    default: 0,
    description: 'The `position` that the caller has worked off; 0 from the beginning.',
  }),
  limit: intParam({ min: 1, max: 500, default: 100, description: 'Decisions looked at.' }),
});

const DECIDED = z
  .object({
    decided: z.array(
      z.object({
        fact_id: z.string(),
        seq: z.number().int().openapi({ description: 'Place of the fact in the journal.' }),
        fact: FACT_RECORD.nullable().openapi({ description: 'Null: readers see it no more.' }),
      }),
    ),
    position: z.number().int().openapi({ description: 'Give it as `after` once these are worked off.' }),
    more: z.boolean(),
  })
  .openapi('DecidedFacts');

/** Adds what operators have decided about facts at places that who follows `/v1/changes` has passed. */
export function addDecided(apparatus: Apparatus, tools: ReadTools): void {
  const { reader } = apparatus.deps;
  const route = {
    method: 'get',
    path: '/v1/changes/decided',
    tag: 'Facts',
    summary: 'Facts that operators let readers see after a while, and those taken back, in the order of the decisions',
    description:
      'A fact that was hidden keeps its place in the journal when it is let through: who has passed that place in `/v1/changes` finds it here. A fact that was let through and is hidden again is named without its record.',
    query: QUERY,
    quota: 'fact_read',
    responses: { 200: { description: 'decisions', content: { 'application/json': { schema: DECIDED } } } },
  } as const;
  addRoute(apparatus, route, ['read'], async ({ query }, principal) => {
    const { after, limit } = query;
    const page = await reader.auditPage({ event: 'quarantine_decided', order: 'asc', cursor: after, limit });
    const items = await Promise.all(page.records.map((record) => itemText(tools, record, principal)));
    const failed = items.find((item) => typeof item === 'object');
    if (failed !== undefined) return failed;
    const position = page.records.at(-1)?.seq ?? after;
    return jsonText(
      200,
      `{"decided":[${items.filter((item) => item !== '').join(',')}],"position":${position},"more":${page.hasMore}}`,
    );
  });
}

/** Empty where readers have never seen the fact, and do not now: that it is there is not theirs to know. */
async function itemText(
  { deps, desk }: ReadTools,
  { fact_id, detail }: AuditRecord,
  principal: Principal,
): Promise<string | Response> {
  const found = await deps.reader.fact(fact_id ?? '');
  const shown = await visibleFact(found, principal, desk);
  const head = `"fact_id":${JSON.stringify(fact_id)},"seq":${JSON.stringify(detail['journal_seq'])}`;
  if ('fact' in shown) return `{${head},"fact":${factRecordText(shown.fact)}}`;
  if (found.kind === 'corrupt') return refused(shown.refusal);
  return detail['was'] === 'promoted' ? `{${head},"fact":null}` : '';
}
