import { z } from '@hono/zod-openapi';
import type { Change, ChangePage } from '../../journal/read-model.ts';
import type { ApiDeps } from '../deps.ts';
import { factRecordText } from './fact-record.ts';
import type { ReadTools } from './facts-read.ts';
import { intParam, textParam } from './params.ts';
import { bundlesText, PROVEN_FACTS, proveFacts, READ_HEADERS, wantsProof } from './proofs.ts';
import { jsonText, refused } from './responses.ts';
import { type Apparatus, addRoute, type Call, type Principal } from './route.ts';
import { FACT_RECORD } from './schemas.ts';
import { isVisible } from './visibility.ts';

/** Below the time limit of an answer. */
const MAX_WAIT_S = 25;
const MAX_CHANGES = 500;

const QUERY = z.object({
  after: intParam({
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    default: 0,
    description: 'The `position` that the caller has worked off; 0 from the beginning.',
  }),
  limit: intParam({ min: 1, max: MAX_CHANGES, default: 100, description: 'Journal positions looked at.' }),
  wait_s: intParam({
    min: 0,
    max: MAX_WAIT_S,
    default: 0,
    description: 'Seconds to wait for something new when there is nothing yet.',
  }),
  scope: textParam('Only facts of this scope; others still move the position.'),
});

const CHANGES = z
  .object({
    changes: z.array(z.object({ seq: z.number().int(), fact: FACT_RECORD })),
    position: z.number().int().openapi({ description: 'Give it as `after` once these are worked off.' }),
    ...PROVEN_FACTS,
    more: z.boolean().openapi({ description: 'Whether the journal holds more behind the position already.' }),
  })
  .openapi('Changes');

const DESCRIPTION = `Every fact in the order of the journal, each once per position: who asks again with the same \`after\`
gets the same ones again. The server keeps no state; a caller that stores \`position\` after it has done its work sees each
fact at least once. Facts that the key may not see are passed over, and the position moves all the same; so are those that are
to be erased, also if that is undone later.`;

/** Adds the stream of changes, as a long poll. */
export function addChanges(apparatus: Apparatus, tools: ReadTools): void {
  const route = {
    method: 'get',
    path: '/v1/changes',
    tag: 'Facts',
    summary: 'Facts in the order of the journal, from a position on',
    description: DESCRIPTION,
    query: QUERY,
    headers: READ_HEADERS,
    quota: 'fact_read',
    responses: {
      200: { description: 'what came behind the position', content: { 'application/json': { schema: CHANGES } } },
      409: { description: 'a stored row is not what was appended; nothing behind it is served' },
    },
  } as const;
  addRoute(apparatus, route, ['read'], (call, principal) => answerChanges(tools, call, principal));
}

async function answerChanges(
  tools: ReadTools,
  { c, query }: Call<z.output<typeof QUERY>>,
  principal: Principal,
): Promise<Response> {
  const { deps, desk } = tools;
  const stopping = c.env?.stopping;
  const signal = stopping === undefined ? c.req.raw.signal : AbortSignal.any([stopping, c.req.raw.signal]);
  const page = await changesBehind(deps, query, signal);
  if (page.corrupt !== null && page.changes.length === 0) return refused(await desk.report(page.corrupt, principal));
  const shown = page.changes.filter(
    ({ fact }) => isVisible(fact, principal) && (query.scope === undefined || fact.entry.scope === query.scope),
  );
  const ids = shown.map(({ fact }) => fact.entry.fact_id);
  const proven = wantsProof(c) ? await proveFacts(tools, ids, principal, false) : null;
  if (proven !== null && 'refusal' in proven) return refused(proven.refusal);
  deps.events.factsRead(principal.label, shown.length);
  const bundles = proven === null ? '' : `,${bundlesText(proven.facts)}`;
  return jsonText(200, changesText(shown, page.changes.at(-1)?.seq ?? query.after, page.more, bundles));
}

/** Waits for something to tell: what nobody is shown, such as a fact that is to be erased, is nothing. */
async function changesBehind(
  { reader, growth, nowMs }: ApiDeps,
  { after, limit, wait_s }: z.output<typeof QUERY>,
  signal: AbortSignal,
): Promise<ChangePage> {
  const endMs = nowMs() + wait_s * 1000;
  for (;;) {
    const { size } = growth.current();
    const page = await reader.changes(after, limit);
    const leftMs = endMs - nowMs();
    if (page.changes.length > 0 || page.corrupt !== null || signal.aborted || leftMs <= 0) return page;
    // What was told since the line above is looked at; what comes after this one rings.
    if (growth.current().size === size) await growth.wait(leftMs, signal);
  }
}

/** @param bundles further members, each after a comma */
function changesText(changes: readonly Change[], position: number, more: boolean, bundles: string): string {
  const items = changes.map(({ seq, fact }) => `{"seq":${seq},"fact":${factRecordText(fact)}}`).join(',');
  return `{"changes":[${items}],"position":${position},"more":${more}${bundles}}`;
}
