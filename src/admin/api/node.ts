import { z } from '@hono/zod-openapi';
import { effectivePermissions, PERMISSIONS } from '../../core/permissions.ts';
import { answer, json } from './responses.ts';
import { type Apparatus, addOpenRoute, addRoute, NO_QUERY } from './route.ts';

export interface WellKnown {
  readonly node_id: string;
  readonly node_url: string;
  readonly peerd: {
    readonly software: string;
    readonly version: string;
    readonly authority: string;
    readonly peer_id: string;
    readonly addresses: readonly string[];
  };
}

export interface ReadinessAnswer {
  readonly status: 'ready' | 'not_ready';
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
  readonly notices: readonly string[];
}

const NAMESPACES = ['stigmem:', 'rel:', 'memory:', 'intent:', 'roadmap:', 'preference:', 'garden:'];
const SPEC_URL = 'https://github.com/eidetic-labs/stigmem/blob/main/spec/stigmem-spec-v1.0.md';

const WELL_KNOWN = z
  .object({
    version: z.string(),
    node_id: z.string(),
    node_url: z.string(),
    auth: z.literal('required'),
    federation: z.literal('disabled').openapi({
      description: 'About the reference’s federation over HTTP. This node federates over libp2p: see `peerd`.',
    }),
    source_attestation: z.string(),
    namespaces: z.array(z.string()),
    spec: z.string(),
    cors: z.object({ dev_localhost: z.boolean(), configured: z.boolean() }),
    peerd: z.object({
      software: z.string(),
      version: z.string(),
      authority: z.string(),
      peer_id: z.string(),
      addresses: z.array(z.string()),
    }),
  })
  .openapi('WellKnown') satisfies z.ZodType<WellKnown>;

const ME = z
  .object({
    entity_uri: z.string(),
    permissions: z
      .array(z.enum(PERMISSIONS))
      .openapi({ description: 'In force: those granted and those that admin implies.' }),
    oidc_sub: z.string().nullable().openapi({ description: 'Of who signed in with OIDC, or whose key it is.' }),
    tenant_id: z.literal('default'),
    key_id: z.string().nullable().openapi({ description: 'Null: a person who signed in without a key.' }),
    expires_at: z.string().nullable(),
  })
  .openapi('Me');

const READINESS = z
  .object({
    status: z.enum(['ready', 'not_ready']),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
    notices: z.array(z.string()).openapi({ description: 'What an operator should know although the node works.' }),
  })
  .openapi('Readiness') satisfies z.ZodType<ReadinessAnswer>;

const STOPPING = { name: 'stopping', ok: false, detail: 'the node is stopping: what is under way is finished' };

/** Adds the endpoints about the node itself. */
export function addNode(apparatus: Apparatus): void {
  addWellKnown(apparatus);
  addHealth(apparatus);
  addMe(apparatus);
  addMetrics(apparatus);
  addStats(apparatus);
}

function addWellKnown(apparatus: Apparatus): void {
  const { node } = apparatus.deps;
  const route = {
    method: 'get',
    path: '/.well-known/stigmem',
    tag: 'Node',
    summary: 'Who this node is',
    query: NO_QUERY,
    responses: { 200: { description: 'node information', content: { 'application/json': { schema: WELL_KNOWN } } } },
  } as const;
  addOpenRoute(apparatus, route, async () =>
    json(200, {
      version: '1.0',
      node_id: node.nodeId,
      node_url: node.nodeUrl,
      auth: 'required',
      federation: 'disabled',
      source_attestation: 'off',
      namespaces: NAMESPACES,
      spec: SPEC_URL,
      cors: { dev_localhost: false, configured: false },
      peerd: {
        software: node.software,
        version: node.version,
        authority: node.authority,
        peer_id: node.peerId,
        addresses: node.addresses(),
      },
    }),
  );
}

function addHealth(apparatus: Apparatus): void {
  const health = {
    method: 'get',
    path: '/healthz',
    tag: 'Node',
    summary: 'The process answers',
    query: NO_QUERY,
    responses: {
      200: { description: 'alive', content: { 'application/json': { schema: z.object({ status: z.literal('ok') }) } } },
    },
  } as const;
  addOpenRoute(apparatus, health, async () => json(200, { status: 'ok' }));
  // The name that orchestrators know beside `/readyz`.
  addOpenRoute(apparatus, { ...health, path: '/livez' }, async () => json(200, { status: 'ok' }));

  const content = { 'application/json': { schema: READINESS } };
  const readiness = {
    method: 'get',
    path: '/readyz',
    tag: 'Node',
    summary: 'The node can do its work, and if not, why',
    query: NO_QUERY,
    responses: { 200: { description: 'ready', content }, 503: { description: 'not ready; see the checks', content } },
  } as const;
  addOpenRoute(apparatus, readiness, async ({ c }) => {
    const { ready, checks, notices } = await apparatus.deps.ready();
    const isStopping = c.env?.stopping?.aborted === true;
    const all = isStopping ? [...checks, STOPPING] : checks;
    const isReady = ready && !isStopping;
    return json(isReady ? 200 : 503, { status: isReady ? 'ready' : 'not_ready', checks: all, notices });
  });
}

function addMe(apparatus: Apparatus): void {
  const route = {
    method: 'get',
    path: '/v1/me',
    tag: 'Node',
    summary: 'Whose key this is and what it may do',
    query: NO_QUERY,
    responses: { 200: { description: 'the key', content: { 'application/json': { schema: ME } } } },
  } as const;
  addRoute(apparatus, route, [...PERMISSIONS], async (_call, { party, entityUri }) =>
    json(200, {
      entity_uri: entityUri,
      permissions: effectivePermissions(party),
      oidc_sub: party.person?.subject ?? null,
      tenant_id: 'default',
      key_id: party.keyId,
      expires_at: party.expires_at,
    }),
  );
}

const COUNT = z.number();

const STATS = z
  .object({
    uptime_s: COUNT,
    rss_bytes: COUNT,
    loop_delay_ms: z
      .object({ p50: COUNT, p99: COUNT, max: COUNT })
      .openapi({ description: 'How late the main loop ran since this was last asked.' }),
    writer_pending: COUNT.openapi({ description: 'Calls that the journal’s thread has not answered yet.' }),
    entries: COUNT,
    audit_records: COUNT,
    projection_lag: COUNT,
    recall_lag: COUNT,
    facts_asserted: COUNT.openapi({ description: 'Asserted here; like all counts below since the node’s start.' }),
    facts_taken: COUNT.openapi({ description: 'Taken from peers.' }),
    facts_refused: COUNT,
    pages_refused: COUNT,
    facts_given: COUNT.openapi({ description: 'Given to peers.' }),
    metrics_scraped_at: z.string().nullable(),
  })
  .openapi('NodeStats');

function addStats(apparatus: Apparatus): void {
  const route = {
    method: 'get',
    path: '/v1/stats',
    tag: 'Node',
    summary: 'How the node is doing at this moment, in numbers',
    query: NO_QUERY,
    quota: 'remedy',
    responses: { 200: { description: 'numbers', content: { 'application/json': { schema: STATS } } } },
  } as const;
  addRoute(apparatus, route, ['federate', 'audit.read'], async () => json(200, await apparatus.deps.stats()));
}

function addMetrics(apparatus: Apparatus): void {
  const { metrics, openMetrics } = apparatus.deps;
  const route = {
    method: 'get',
    path: '/metrics',
    tag: 'Node',
    summary: 'Metrics for Prometheus',
    query: NO_QUERY,
    responses: { 200: { description: 'text exposition format', content: { 'text/plain': { schema: z.string() } } } },
  } as const;
  const scrape = async (): Promise<Response> => {
    const { contentType, body } = await metrics.scrape();
    return answer(200, contentType, body);
  };
  if (openMetrics) addOpenRoute(apparatus, route, scrape);
  else addRoute(apparatus, route, ['audit.read', 'read', 'federate'], scrape);
}
