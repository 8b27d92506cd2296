import { z } from '@hono/zod-openapi';
import { effectivePermissions, PERMISSIONS } from '../permissions.ts';
import { answer, json } from './responses.ts';
import { type Apparatus, addOpenRoute, addRoute, NO_QUERY } from './route.ts';

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
  .openapi('WellKnown');

const ME = z
  .object({
    entity_uri: z.string(),
    permissions: z
      .array(z.enum(PERMISSIONS))
      .openapi({ description: 'In force: those granted and those that admin implies.' }),
    oidc_sub: z.null(),
    tenant_id: z.literal('default'),
    key_id: z.string(),
    expires_at: z.string().nullable(),
  })
  .openapi('Me');

const READINESS = z
  .object({
    status: z.enum(['ready', 'not_ready']),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
    notices: z.array(z.string()).openapi({ description: 'What an operator should know although the node works.' }),
  })
  .openapi('Readiness');

/** Adds the endpoints about the node itself. */
export function addNode(apparatus: Apparatus): void {
  addWellKnown(apparatus);
  addHealth(apparatus);
  addMe(apparatus);
  addMetrics(apparatus);
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

  const content = { 'application/json': { schema: READINESS } };
  const readiness = {
    method: 'get',
    path: '/readyz',
    tag: 'Node',
    summary: 'The node can do its work, and if not, why',
    query: NO_QUERY,
    responses: { 200: { description: 'ready', content }, 503: { description: 'not ready; see the checks', content } },
  } as const;
  addOpenRoute(apparatus, readiness, async () => {
    const { ready, checks, notices } = apparatus.deps.ready();
    return json(ready ? 200 : 503, { status: ready ? 'ready' : 'not_ready', checks, notices });
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
  addRoute(apparatus, route, [...PERMISSIONS], async (_call, { key, entityUri }) =>
    json(200, {
      entity_uri: entityUri,
      permissions: effectivePermissions(key),
      oidc_sub: null,
      tenant_id: 'default',
      key_id: key.id,
      expires_at: key.expires_at,
    }),
  );
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
