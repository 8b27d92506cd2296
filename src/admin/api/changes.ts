import { z } from '@hono/zod-openapi';
import { feedOf, parseFeed } from '../../core/scope.ts';
import type { Change, ChangePage, Hole, ProvenErasure } from '../../journal/read-model.ts';
import { ERASURE_PROOF_KIND } from '../../wire/erasure-proof.ts';
import type { ApiDeps } from '../deps.ts';
import type { OpenCount } from '../open-count.ts';
import { factRecordText } from './fact-record.ts';
import type { ReadTools } from './facts-read.ts';
import { intParam, textParam } from './params.ts';
import { bundlesText, PROVEN_FACTS, proveFacts, READ_HEADERS, wantsProof } from './proofs.ts';
import { jsonText, type Refusal, refused } from './responses.ts';
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
    erased: z
      .array(
        z.object({
          seq: z.number().int(),
          proof: z.object({
            kind: z.literal(ERASURE_PROOF_KIND),
            path: z
              .array(z.string())
              .openapi({ description: 'Of the erased leaf, in the tree of the tombstone’s proof.' }),
            tombstone: z.string().openapi({ description: 'Its fact bundle, as text.' }),
          }),
        }),
      )
      .optional()
      .openapi({
        description: 'Only with `Stigmem-Verify: full`: facts of this node that are left out because they are erased.',
      }),
    hidden: z
      .array(
        z.object({
          seq: z.number().int(),
          feed: z.string(),
          feed_seq: z.number().int(),
          due_s: z
            .number()
            .int()
            .openapi({ description: 'Seconds until its tombstone is written, if that is not undone.' }),
        }),
      )
      .optional()
      .openapi({
        description:
          'Only with `Stigmem-Verify: full`: facts of this node that are left out for now: they are to be erased, or wait for an operator.',
      }),
    more: z.boolean().openapi({ description: 'Whether the journal holds more behind the position already.' }),
  })
  .openapi('Changes');

const DESCRIPTION = `Every fact in the order of the journal, each once per position: who asks again with the same \`after\`
gets the same ones again. The server keeps no state; a caller that stores \`position\` after it has done its work sees each
fact at least once. Facts that the key may not see are passed over, and the position moves all the same; so are those that are
erased or to be erased, also if that is undone later. With \`Stigmem-Verify: full\` the page proves of each fact of this node that is
left out as erased that it is, and names those that are left out for now.`;

/** Adds the stream of changes, as a long poll. */
export function addChanges(apparatus: Apparatus, tools: ReadTools, waits: OpenCount): void {
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
      503: { description: 'too many requests wait already; `Retry-After` says when to ask again' },
    },
  } as const;
  addRoute(apparatus, route, ['read'], (call, principal) =>
    waiting(waits, call, principal, () => answerChanges(tools, call, principal)),
  );
}

/** Whoever waits holds a connection. */
async function waiting(
  waits: OpenCount,
  { query }: Call<z.output<typeof QUERY>>,
  { party }: Principal,
  answerIt: () => Promise<Response>,
): Promise<Response> {
  if (query.wait_s === 0) return answerIt();
  const leave = waits.enter(party.id);
  if (typeof leave !== 'function') return refused(tooManyWaits(leave));
  try {
    return await answerIt();
  } finally {
    leave();
  }
}

function tooManyWaits({ most, of }: { readonly most: number; readonly of: 'one' | 'all' }): Refusal {
  return {
    status: 503,
    detail: `${most} requests ${of === 'one' ? 'of this key ' : ''}wait for changes, which is the limit; ask with wait_s=0, or again in a while`,
    headers: { 'retry-after': '5' },
  };
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
  if (page.corrupt !== null && page.position === query.after) {
    return refused(await desk.report(page.corrupt, principal));
  }
  const isAsked = (scope: string): boolean => query.scope === undefined || query.scope === scope;
  const asked = page.changes.filter(({ fact }) => isAsked(fact.entry.scope));
  const shown = asked.filter(({ fact }) => isVisible(fact, principal));
  const held = asked.filter(({ fact }) => !isVisible(fact, principal)).flatMap(heldHole);
  const holes = [...page.holes.filter(({ feed }) => isAsked(scopeOf(feed))), ...held].sort((a, b) => a.seq - b.seq);
  const proofs = wantsProof(c) ? await proofsText(tools, shown, holes, principal) : '';
  if (typeof proofs !== 'string') return refused(proofs.refusal);
  deps.events.factsRead(principal.label, shown.length);
  return jsonText(200, changesText(shown, page, proofs));
}

function scopeOf(feed: string): string {
  const parsed = parseFeed(feed);
  return parsed.ok ? parsed.value.scope : feed;
}

/** A fact of this node that waits for an operator, as those do that were made from one that does. Of received facts nobody misses any. */
function heldHole({ seq, fact: { entry } }: Change): readonly Hole[] {
  const feed = entry.origin === null ? feedOf(entry) : null;
  return feed?.ok ? [{ seq, feed: feed.value, feedSeq: entry.feed_seq, tombstoneSeq: null, dueUs: null }] : [];
}

/** What `Stigmem-Verify: full` adds to a page: members, each behind a comma. */
async function proofsText(
  tools: ReadTools,
  shown: readonly Change[],
  holes: readonly Hole[],
  principal: Principal,
): Promise<string | { readonly refusal: Refusal }> {
  const ids = shown.map(({ fact }) => fact.entry.fact_id);
  const erased = holes.flatMap(({ seq, tombstoneSeq }) => (tombstoneSeq === null ? [] : [{ seq, tombstoneSeq }]));
  const proven = await proveFacts(tools, ids, principal, false, erased);
  if ('refusal' in proven) return proven;
  const hidden = holes.filter(({ tombstoneSeq }) => tombstoneSeq === null);
  const holesText = `"erased":[${proven.erasures.map(erasedText).join(',')}],"hidden":[${hiddenText(hidden, tools.deps.nowMs())}]`;
  return `,${bundlesText(proven.facts)},${holesText}`;
}

function erasedText({ seq, proof }: ProvenErasure): string {
  return `{"seq":${seq},"proof":${proof}}`;
}

/** Seconds, not a time: clocks of others are not ours. */
function hiddenText(holes: readonly Hole[], nowMs: number): string {
  const items = holes.map(({ seq, feed, feedSeq, dueUs }) => {
    const dueS = dueUs === null ? null : Math.max(0, Math.ceil((dueUs / 1000 - nowMs) / 1000));
    return `{"seq":${seq},"feed":${JSON.stringify(feed)},"feed_seq":${feedSeq},"due_s":${dueS}}`;
  });
  return items.join(',');
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
    if (page.position > after || page.corrupt !== null || signal.aborted || leftMs <= 0) return page;
    // What was told since the line above is looked at; what comes after this one rings.
    if (growth.current().size === size) await growth.wait(leftMs, signal);
  }
}

/** @param proofs further members, each behind a comma */
function changesText(changes: readonly Change[], { position, more }: ChangePage, proofs: string): string {
  const items = changes.map(({ seq, fact }) => `{"seq":${seq},"fact":${factRecordText(fact)}}`).join(',');
  return `{"changes":[${items}],"position":${position},"more":${more}${proofs}}`;
}
