import { z } from '@hono/zod-openapi';
import type { ActBy } from '../../core/approval.ts';
import type { PeerStatus, TrustKeyOutcome } from '../../core/peer-status.ts';
import { isScope, SCOPES } from '../../core/scope.ts';
import { acted, asks, PROPOSED_ANSWER, REASON, readActBody } from './acting.ts';
import { json, type Refusal, refused } from './responses.ts';
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
    circuit: z.enum(['closed', 'open', 'half_open']).openapi({
      description: 'The breaker: `open`, the peer is left alone; `half_open`, one request to it decides.',
    }),
    circuit_reason: NULLABLE_TEXT.openapi({ description: 'Why the circuit is not closed.' }),
    circuit_until: NULLABLE_TEXT.openapi({
      description: 'When an open circuit is tried by itself; null where only an operator closes it.',
    }),
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
    closed: z
      .array(z.object({ feed: z.string(), to: z.number().int(), closed_at: z.string() }))
      .openapi({ description: 'Feeds whose grant to this node has ended, as the peer signed it.' }),
    refused_of_ours: z
      .array(
        z.object({
          feed: z.string(),
          reason: z.string(),
          refused: z.number().int(),
          resolved: z.number().int(),
        }),
      )
      .openapi({ description: 'Facts of this node that the peer has signed that it refused, by feed and reason.' }),
    last_verdicts: z.array(
      z.object({ at: z.string(), event: z.string(), reason: NULLABLE_TEXT, seq: z.number().int() }),
    ),
    pinned_log_key: NULLABLE_TEXT.openapi({
      description: 'The log key that is pinned; null before the first contact, and before somebody has confirmed it.',
    }),
    key_changes: z
      .array(z.object({ use: z.enum(['log', 'anchor', 'witness']), pinned: z.string(), declared: z.string() }))
      .openapi({
        description:
          'Keys that wait for an operator, and those they would replace: a changed one without a succession, or (`pinned`: `none yet`) the first one of a peer whose file names none.',
      }),
    last_contact_at: NULLABLE_TEXT,
    last_error: NULLABLE_TEXT,
    next_attempt_at: NULLABLE_TEXT,
    clock_skew_ms: z.number().nullable(),
  })
  .openapi('Peer');

const MAX_VKEY_CHARS = 1024;
/** A log, an anchor and a witness key. */
const MAX_CHANGED_KEYS = 3;
const TRUST_KEY = z
  .object({
    keys: z
      .array(z.string().min(1).max(MAX_VKEY_CHARS))
      .min(1)
      .max(MAX_CHANGED_KEYS)
      .openapi({ description: 'The new verifier keys, all that `key_changes` declares.' }),
    reason: REASON.optional(),
  })
  .openapi('TrustKey');
const RESUME = z.object({ reason: REASON.optional() }).openapi('ResumePeer');

/** Who may change what a peer is to this node. */
export const MAY_MANAGE_PEERS = ['admin', 'admin:federation'] as const;

/** Adds the endpoints that show peers. */
export function addPeers(apparatus: Apparatus): void {
  const { peers } = apparatus.deps;
  const list = {
    method: 'get',
    path: '/v1/federation/peers',
    tag: 'Federation',
    summary: 'All peers: state, lag, last verdicts',
    query: NO_QUERY,
    quota: 'remedy',
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
    body: RESUME,
    quota: 'admin_action',
    responses: {
      200: { description: 'the peer', content: { 'application/json': { schema: PEER } } },
      202: PROPOSED_ANSWER,
      404: { description: 'peer not found' },
    },
  } as const;
  addRoute(apparatus, resume, MAY_MANAGE_PEERS, async (call, principal) => {
    const body = await readActBody(apparatus, call, RESUME);
    if (!body.ok) return refused(body.error);
    return resumePeer(apparatus, call.param('name'), asks(principal, body.value.reason));
  });
  addTrustKey(apparatus);
}

/** Ends a suspension, or proposes or approves that. @param id the peer file's name, or the node id */
export async function resumePeer({ deps }: Apparatus, id: string, by: ActBy): Promise<Response> {
  const outcome = await deps.peers.resume(id, by);
  if (outcome === undefined) return refused({ status: 404, detail: 'peer not found' });
  return acted(outcome, (peer) => json(200, peerBody(peer)));
}

function addTrustKey(apparatus: Apparatus): void {
  const route = {
    method: 'post',
    path: '/v1/federation/peers/{name}/trust-key',
    tag: 'Federation',
    summary: 'Trust the new keys of a peer, by file name; recorded with the caller',
    params: z.object({ name: z.string() }),
    query: NO_QUERY,
    body: TRUST_KEY,
    quota: 'admin_action',
    responses: {
      200: { description: 'the peer', content: { 'application/json': { schema: PEER } } },
      202: PROPOSED_ANSWER,
      404: { description: 'peer not found, or no key of it waits' },
      409: { description: 'another key waits, or the peer file insists on one' },
    },
  } as const;
  addRoute(apparatus, route, MAY_MANAGE_PEERS, async (call, principal) => {
    const body = await readActBody(apparatus, call, TRUST_KEY);
    if (!body.ok) return refused(body.error);
    const { keys, reason } = body.value;
    return trustPeerKeys(apparatus, call.param('name'), keys, asks(principal, reason));
  });
}

/** Trusts the keys that a peer has declared, or proposes or approves that. */
export async function trustPeerKeys(
  { deps }: Apparatus,
  name: string,
  keys: readonly string[],
  by: ActBy,
): Promise<Response> {
  const outcome = await deps.peers.trustKeys(name, keys, by);
  if (outcome.kind !== 'acted') return refused(untrusted(outcome, name, keys));
  return acted(outcome.outcome, (peer) => json(200, peerBody(peer)));
}

function untrusted(
  outcome: Exclude<TrustKeyOutcome, { kind: 'acted' }>,
  name: string,
  keys: readonly string[],
): Refusal {
  if (outcome.kind === 'unknown_peer') return { status: 404, detail: 'peer not found' };
  if (outcome.kind === 'other_key') {
    const expected = outcome.declared.join(' ');
    const message = `expected the keys that ${name} declares, ${expected}, got ${keys.join(' ')}: compare them with the partner over another channel`;
    return { status: 409, detail: { code: 'key_mismatch', message } };
  }
  const { insistsOn } = outcome;
  if (insistsOn === null || keys.includes(insistsOn)) {
    return {
      status: 404,
      detail: { code: 'no_key_waits', message: `${name} has declared no other keys than the pinned ones` },
    };
  }
  const message = `the peer file insists on ${insistsOn}: put the new key, or none, as log_key into peers/${name}.toml, then try again`;
  return { status: 409, detail: { code: 'log_key_insisted', message } };
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
    closed: [...peer.closed],
    key_changes: [...peer.key_changes],
    refused_of_ours: [...peer.refused_of_ours],
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
