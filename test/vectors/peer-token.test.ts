import assert from 'node:assert/strict';
import { isJsonNumber, type JsonValue } from '../../src/core/json.ts';
import {
  mintPeerToken,
  permittedScopes,
  type TokenPeer,
  verifyPeerToken,
} from '../../src/core/reference/peer-token.ts';
import { pythonIsoFormatOfMs } from '../../src/core/time.ts';
import { runVectors } from './run-vectors.ts';

type Nonce = [nonce: string, peer: string, expires: string];
interface Peer {
  node_id: string;
  pubkey: string;
  status: string;
  allowed_scopes: string[];
}
interface Meta {
  now_ms: number;
  local_node_id: string;
  nonce_window_s: number;
  peers: Record<string, Peer>;
}
interface Mint {
  payload_text: string;
  private_seed_b64url: string;
  expected: { token: string; header_text: string };
}
interface Audit {
  peer_id: string;
  event_type: string;
  detail: Record<string, unknown>;
  note?: string;
}
interface Verify {
  authorization: string | null;
  path: string;
  nonces_before: Nonce[];
  expected: { status: number; detail: unknown; federation_audit: Audit[]; nonces_after: Nonce[] };
}
interface Answer {
  status: number;
  detail: unknown;
  audit: Audit[];
  nonces: Nonce[];
}

runVectors('peer-token', {
  mint({ payload_text, private_seed_b64url, expected }: Mint) {
    const token = mintPeerToken(payload_text, Buffer.from(private_seed_b64url, 'base64url'));
    assert.equal(token, expected.token);
    assert.equal(Buffer.from(token.split('.')[0] as string, 'base64url').toString(), expected.header_text);
  },

  verify({ authorization, path, nonces_before, expected }: Verify, { meta }) {
    const answer = pull(authorization, new URL(path, 'http://node'), nonces_before, meta as unknown as Meta);
    assert.equal(answer.status, expected.status);
    // How the reference words a bad query parameter is its framework's business.
    if (expected.status !== 422) assert.deepEqual(answer.detail, expected.detail);
    assert.deepEqual(
      answer.audit,
      expected.federation_audit.map(({ note: _, ...audit }) => audit),
    );
    assert.deepEqual(byNonce(answer.nonces), byNonce(expected.nonces_after));
  },
});

/** `GET /v1/federation/facts` up to the point where rows are read. */
function pull(authorization: string | null, url: URL, before: Nonce[], meta: Meta): Answer {
  const peers = Object.entries(meta.peers).map(([id, peer]): TokenPeer => ({ id, ...peer }));
  const verified = verifyPeerToken(authorization, {
    nowMs: meta.now_ms,
    localNodeId: meta.local_node_id,
    nonceWindowMs: meta.nonce_window_s * 1000,
    peers,
    nonceSeen: (nonce) => before.some(([seen]) => seen === nonce),
  });
  if (!verified.ok) {
    if (verified.error.kind === 'failure') return { status: 500, detail: null, audit: [], nonces: before };
    const { detail, audit } = verified.error;
    const shown = audit === null ? [] : [{ ...audit, detail: plain(new Map(audit.detail)) as Record<string, unknown> }];
    return { status: 401, detail, audit: shown, nonces: before };
  }
  const { peer, claims, nonce, nonceExpiresAt } = verified.value;
  const now = pythonIsoFormatOfMs(meta.now_ms);
  const rows: Nonce[] = [...before, [nonce, peer.id, nonceExpiresAt]];
  const nonces = rows.filter(([, , expires]) => expires >= now);
  const limit = url.searchParams.get('limit') ?? '100';
  if (!/^[0-9]+$/.test(limit) || Number(limit) < 1 || Number(limit) > 500)
    return { status: 422, detail: null, audit: [], nonces };

  const requested = url.searchParams.get('scope');
  const scopes = permittedScopes(meta.peers[peer.id]?.allowed_scopes ?? [], claims, requested, false);
  if (scopes.ok) return { status: 200, detail: null, audit: [], nonces };
  const { detail, permitted } = scopes.error;
  if (detail === 'failure') return { status: 500, detail: null, audit: [], nonces };
  const violation = {
    peer_id: peer.id,
    event_type: 'scope_violation',
    detail: { requested_scope: requested, permitted },
  };
  return { status: 403, detail, audit: detail === 'no permitted scopes' ? [] : [violation], nonces };
}

function plain(value: JsonValue): unknown {
  if (isJsonNumber(value)) return Number(value.lexeme);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

function byNonce(nonces: Nonce[]): Nonce[] {
  return nonces.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
