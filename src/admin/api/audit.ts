import { z } from '@hono/zod-openapi';
import type { Permission } from '../../core/permissions.ts';
import { SEVERITIES } from '../../core/severity.ts';
import type { AuditRecord } from '../../journal/read-model.ts';
import type { ApiDeps } from '../deps.ts';
import { AUDIT_ENTRY, auditEntry } from './audit-entry.ts';
import { AUDIT_SEQ, auditSeqIn } from './audit-seq.ts';
import { auditSource, jsonLines, LOOKS_AT, type StreamFilter } from './audit-stream.ts';
import { newestSeq, openEvents, STREAM_CONTENT, whileInForce } from './open-events.ts';
import { choiceParam, instantParam, intParam, optionalInt, textParam } from './params.ts';
import { answer, json, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';
import type { StreamCount } from './stream-count.ts';

const FILTERS = {
  peer_id: textParam('Peer file name, node id or peer id.'),
  event_type: textParam('Exact event.'),
  reason: textParam('Exact reason code.'),
  min_severity: z
    .enum(SEVERITIES)
    .optional()
    .openapi({ description: `At least so severe: ${SEVERITIES.join(', ')}.` }),
  feed: textParam('Exact feed.'),
  since: instantParam('Records of this moment and later.'),
  until: instantParam('Records of this moment and earlier.'),
  fact_id: textParam('Records about this fact.'),
  cid: textParam('Records about facts with this CID.'),
};
const CURSOR = optionalInt({
  min: 0,
  description:
    'A sequence, exclusive: `asc` and streams go on after it, `desc` before it. Every record is reached exactly once.',
});

const QUERY = z.object({
  ...FILTERS,
  cursor: CURSOR,
  order: choiceParam(['desc', 'asc'], 'desc', 'By sequence. Newest first unless said otherwise.'),
  limit: intParam({ min: 1, max: 500, default: 50, description: 'Records per page; streams have no limit.' }),
  format: choiceParam(
    ['json', 'jsonl', 'sse'],
    'json',
    'Instead of an Accept header: a page, all matches as JSON lines, or events.',
  ),
});
type Query = z.output<typeof QUERY>;
/** A page that is not full by then says where to go on. */
const MAX_SEARCH_MS = 2_000;
const STREAM_QUERY = z.object({ ...FILTERS, cursor: CURSOR });

const PAGE = z
  .object({
    entries: z.array(AUDIT_ENTRY),
    cursor: z.string().nullable(),
    has_more: z.boolean().openapi({
      description: 'There are records behind `cursor` to look at, also where few or none of this page matched.',
    }),
  })
  .openapi('AuditPage');

/** The reference asks for `federate`; an auditor's key has no business with peers and is let in too. */
const MAY_READ: readonly [Permission, ...Permission[]] = ['federate', 'audit.read'];

/** Adds the endpoints of the audit log. */
export function addAudit(apparatus: Apparatus, streams: StreamCount): void {
  addList(apparatus, streams);
  addStream(apparatus, streams);
  addDetail(apparatus);
}

function addList(apparatus: Apparatus, streams: StreamCount): void {
  const { deps } = apparatus;
  const route = {
    method: 'get',
    path: '/v1/federation/audit',
    tag: 'Audit log',
    summary: 'What this node refused, accepted with reserve, and decided',
    description:
      'Filters combine. `Accept: application/x-ndjson` (or `format=jsonl`) gives every match in sequence order, one per line; `Accept: text/event-stream` (or `format=sse`) follows the log.',
    query: QUERY,
    responses: {
      200: {
        description: 'a page, all matches, or a stream',
        content: {
          'application/json': { schema: PAGE },
          'application/x-ndjson': { schema: AUDIT_ENTRY },
          ...STREAM_CONTENT,
        },
      },
    },
  } as const;
  addRoute(apparatus, route, MAY_READ, async (call, principal) => {
    const { query } = call;
    const form = formOf(query, call.c.req.header('accept') ?? '');
    if (form === 'sse') return openEvents(deps, streams, call, principal, auditSource(deps, filterOf(deps, query)));
    if (form === 'jsonl') {
      // A stream that has begun cannot become an error any more: fail while it still can.
      await newestSeq(deps);
      const holds = whileInForce(deps, principal.party);
      const lines = jsonLines(deps, filterOf(deps, query), query.cursor ?? 0, holds);
      return answer(200, 'application/x-ndjson', lines);
    }
    return json(200, await pageOf(deps, query));
  });
}

function formOf(query: Query, accept: string): Query['format'] {
  if (query.format !== 'json') return query.format;
  if (/\btext\/event-stream\b/i.test(accept)) return 'sse';
  return /\bapplication\/(?:x-ndjson|jsonl|x-jsonlines)\b/i.test(accept) ? 'jsonl' : 'json';
}

/** Looks on until the page is full, for a while: others are answered in between. */
async function pageOf(deps: ApiDeps, query: Query): Promise<z.output<typeof PAGE>> {
  const { order, limit } = query;
  const filter = { ...filterOf(deps, query), order, looksAt: LOOKS_AT };
  const endMs = performance.now() + MAX_SEARCH_MS;
  const found: AuditRecord[] = [];
  for (let { cursor } = query; ; ) {
    const at = cursor === undefined ? {} : { cursor };
    const page = await deps.reader.auditPage({ ...filter, ...at, limit: limit - found.length });
    found.push(...page.records);
    if (page.hasMore && found.length < limit && performance.now() < endMs) cursor = page.cursor ?? undefined;
    else return pageBody(found, page.cursor, page.hasMore);
  }
}

function pageBody(found: readonly AuditRecord[], cursor: number | null, hasMore: boolean): z.output<typeof PAGE> {
  return { entries: found.map(auditEntry), cursor: cursor === null ? null : String(cursor), has_more: hasMore };
}

function filterOf(deps: ApiDeps, query: z.output<typeof STREAM_QUERY>): StreamFilter {
  const { peer_id, event_type, reason, min_severity, feed, since, until, fact_id, cid } = query;
  return {
    ...(peer_id === undefined ? {} : { peer: deps.peers.get(peer_id)?.node_id ?? peer_id }),
    ...(event_type === undefined ? {} : { event: event_type }),
    ...(reason === undefined ? {} : { reason }),
    ...(min_severity === undefined ? {} : { minSeverity: min_severity }),
    ...(feed === undefined ? {} : { feed }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(fact_id === undefined ? {} : { factId: fact_id }),
    ...(cid === undefined ? {} : { cid }),
  };
}

function addStream(apparatus: Apparatus, streams: StreamCount): void {
  const route = {
    method: 'get',
    path: '/v1/federation/audit/stream',
    tag: 'Audit log',
    summary: 'Follow the audit log (server-sent events)',
    description:
      'New records from now on; after `Last-Event-ID` or `cursor` if given (0 is the beginning). `id` is the sequence, `data` the record. A comment comes when nothing else does.',
    query: STREAM_QUERY,
    responses: { 200: { description: 'events', content: STREAM_CONTENT } },
  } as const;
  addRoute(apparatus, route, MAY_READ, (call, principal) => {
    const { deps } = apparatus;
    return openEvents(deps, streams, call, principal, auditSource(deps, filterOf(deps, call.query)));
  });
}

const DETAIL = z
  .object({
    record: AUDIT_ENTRY,
    evidence: z
      .unknown()
      .openapi({ description: 'What was received, claimed and computed; null when the record has none.' }),
    intact: z.boolean().openapi({ description: 'Whether the stored record still hashes to its place in the log.' }),
  })
  .openapi('AuditDetail');

function addDetail(apparatus: Apparatus): void {
  const route = {
    method: 'get',
    path: '/v1/federation/audit/{seq}',
    tag: 'Audit log',
    summary: 'One record with its evidence',
    params: AUDIT_SEQ,
    query: NO_QUERY,
    responses: {
      200: { description: 'the record', content: { 'application/json': { schema: DETAIL } } },
      404: { description: 'audit record not found' },
    },
  } as const;
  addRoute(apparatus, route, MAY_READ, async (call) => {
    const seq = auditSeqIn(call.param('seq'));
    if (!seq.ok) return refused(seq.error);
    const detail = await apparatus.deps.reader.auditDetail(seq.value);
    if (detail === null) return refused({ status: 404, detail: 'audit record not found' });
    return json(200, { record: auditEntry(detail.record), evidence: detail.evidence, intact: detail.intact });
  });
}
