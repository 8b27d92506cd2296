import { z } from '@hono/zod-openapi';
import type { PeerStatus } from '../../core/peer-status.ts';
import { isScope, SCOPES } from '../../core/scope.ts';
import { json, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

const TEXTS = z.array(z.string());
const NULLABLE_TEXT = z.string().nullable();

const PEER = z
  .object({
    peer_id: z.string(),
    node_id: z.string(),
    node_url: z.string(),
    status: z.enum(['pending_verification', 'active', 'rejected', 'revoked']).openapi({
      description: 'The nearest word of the reference; `state` is exact.',
    }),
    allowed_scopes: TEXTS.openapi({ description: 'Scopes of which the peer may read something.' }),
    established_at: NULLABLE_TEXT,
    name: z.string(),
    addresses: TEXTS,
    state: z.enum(['current', 'catching_up', 'waiting', 'suspended', 'pending']),
    waiting_on: NULLABLE_TEXT.openapi({
      description: 'What this node waits for before it has everything, in a sentence.',
    }),
    circuit: z.enum(['closed', 'open', 'half_open']),
    share: TEXTS,
    accept: TEXTS,
    namespaces: TEXTS,
    cursors: z.array(z.object({ feed: z.string(), after: z.number().int(), length: z.number().int().nullable() })),
    lag_entries: z.number().int().nullable(),
    checkpoint: z.object({ size: z.number().int(), root: z.string() }).nullable(),
    accepted: z.number().int(),
    refused: z.number().int(),
    acknowledged: z.array(z.object({ feed: z.string(), to: z.number().int() })).openapi({
      description: 'Feeds of this node, each up to the last entry that the peer has signed a receipt for.',
    }),
    last_verdicts: z.array(
      z.object({ at: z.string(), event: z.string(), reason: NULLABLE_TEXT, seq: z.number().int() }),
    ),
    last_contact_at: NULLABLE_TEXT,
    last_error: NULLABLE_TEXT,
    next_attempt_at: NULLABLE_TEXT,
    clock_skew_ms: z.number().nullable(),
  })
  .openapi('Peer');

/** Adds the endpoints that show peers. */
export function addPeers(apparatus: Apparatus): void {
  const { peers } = apparatus.deps;
  const list = {
    method: 'get',
    path: '/v1/federation/peers',
    tag: 'Federation',
    summary: 'All peers: state, lag, last verdicts',
    query: NO_QUERY,
    responses: {
      200: { description: 'peers', content: { 'application/json': { schema: z.object({ peers: z.array(PEER) }) } } },
    },
  } as const;
  addRoute(apparatus, list, ['federate'], async () => json(200, { peers: peers.list().map(peerBody) }));

  const one = {
    method: 'get',
    path: '/v1/federation/peers/{id}',
    rest: true,
    tag: 'Federation',
    summary: 'One peer, by file name, node id or peer id',
    params: z.object({ id: z.string() }),
    query: NO_QUERY,
    responses: {
      200: { description: 'the peer', content: { 'application/json': { schema: PEER } } },
      404: { description: 'peer not found' },
    },
  } as const;
  addRoute(apparatus, one, ['federate'], async (call) => {
    const peer = peers.get(call.param('id'));
    return peer === undefined ? refused({ status: 404, detail: 'peer not found' }) : json(200, peerBody(peer));
  });

  const resume = {
    method: 'post',
    path: '/v1/federation/peers/{name}/resume',
    tag: 'Federation',
    summary: 'End the suspension of a peer, by file name; recorded with the caller',
    params: z.object({ name: z.string() }),
    query: NO_QUERY,
    quota: 'admin_action',
    responses: {
      200: { description: 'the peer', content: { 'application/json': { schema: PEER } } },
      404: { description: 'peer not found' },
    },
  } as const;
  addRoute(apparatus, resume, ['admin'], async (call, principal) => {
    const peer = await peers.resume(call.param('name'), principal.actor);
    return peer === undefined ? refused({ status: 404, detail: 'peer not found' }) : json(200, peerBody(peer));
  });
}

function peerBody(peer: PeerStatus): z.input<typeof PEER> {
  const { peer_id, node_id, name, addresses, ...status } = peer;
  return {
    peer_id,
    node_id,
    node_url: addresses[0] ?? '',
    status: referenceStatus(peer.state),
    allowed_scopes: sharedScopes(peer.share),
    established_at: null,
    name,
    addresses: [...addresses],
    ...status,
    share: [...peer.share],
    accept: [...peer.accept],
    namespaces: [...peer.namespaces],
    cursors: [...peer.cursors],
    acknowledged: [...peer.acknowledged],
    last_verdicts: [...peer.last_verdicts],
  };
}

/** The Python SDK raises on any other word. */
function referenceStatus(state: PeerStatus['state']): 'pending_verification' | 'active' | 'revoked' {
  if (state === 'pending') return 'pending_verification';
  return state === 'suspended' ? 'revoked' : 'active';
}

/** `company/incident-42` and `from/b.example/public` share something of `company` and `public`. */
function sharedScopes(feeds: readonly string[]): string[] {
  const words = new Set(
    feeds.flatMap((feed) => (feed.startsWith('from/') ? feed.split('/').slice(-1) : feed.split('/').slice(0, 1))),
  );
  return SCOPES.filter((scope) => isScope(scope) && words.has(scope));
}
