import { isUtf8 } from 'node:buffer';
import { isJsonNumber, isJsonObject, type JsonObject, type JsonValue, parseJson } from '../json.ts';
import { asciiJsonString, pythonNumberText } from '../python-text.ts';
import { err, ok, type Result } from '../result.ts';
import { pythonIsoFormatOfMs } from '../time.ts';
import { decodeLenientBase64, encodeBase64url } from './base64url.ts';
import { signWithSeed, verifyWithRawKey } from './ed25519.ts';
import { pythonIntOf } from './python-number.ts';

const HEADER = '{"alg":"EdDSA","typ":"JWT"}';
const LEEWAY_MS = 30_000n;
const MAX_AGE_MS = 86_400_000n;
const LIFE_MS = 3_600_000;
/** First moment that Python's `datetime` cannot hold. */
const YEAR_10000_MS = 253_402_300_800_000n;

export interface PeerTokenClaims {
  readonly iss: string;
  readonly sub: string;
  /** Milliseconds; the token lives an hour. */
  readonly iat: number;
  readonly nonce: string;
  readonly scopes: readonly string[];
}

/** A peer as the token check needs it. */
export interface TokenPeer {
  readonly id: string;
  readonly node_id: string;
  /** Base64url text of the raw Ed25519 key. */
  readonly pubkey: string;
  readonly status: string;
}

export interface TokenContext {
  readonly nowMs: number;
  readonly localNodeId: string;
  readonly nonceWindowMs: number;
  readonly peers: readonly TokenPeer[];
  /** Tells whether any peer has used a nonce before, expired or not. */
  readonly nonceSeen: (nonce: string) => boolean;
}

/** `detail` is the reference's answer, with 401; `failure`: its handler fails, with 500. */
export type TokenRefusal =
  | { readonly kind: 'refused'; readonly detail: string; readonly audit: TokenAudit | null }
  | { readonly kind: 'failure' };

export interface TokenAudit {
  readonly peer_id: string;
  readonly event_type: 'rejected_token' | 'replay_attempt';
  readonly detail: ReadonlyMap<string, JsonValue>;
}

export interface AcceptedToken {
  readonly peer: TokenPeer;
  readonly claims: JsonObject;
  /** To be stored with the peer's id before anything is answered. */
  readonly nonce: string;
  /** As the reference writes it: text order is what it prunes by. */
  readonly nonceExpiresAt: string;
}

/** The payload of a token, members in the reference's order. */
export function peerTokenPayload(claims: PeerTokenClaims): string {
  const scopes = claims.scopes.map(asciiJsonString).join(',');
  return `{"iss":${asciiJsonString(claims.iss)},"sub":${asciiJsonString(claims.sub)},"iat":${claims.iat},"exp":${claims.iat + LIFE_MS},"nonce":${asciiJsonString(claims.nonce)},"scopes":[${scopes}]}`;
}

/** Signs a payload text as a compact JWT. @param seed 32 bytes */
export function mintPeerToken(payload: string, seed: Uint8Array): string {
  const signed = `${encodeBase64url(Buffer.from(HEADER))}.${encodeBase64url(Buffer.from(payload))}`;
  return `${signed}.${encodeBase64url(signWithSeed(seed, Buffer.from(signed)))}`;
}

/** Checks the Authorization header of a pull, in the reference's order; the first failure ends it. */
export function verifyPeerToken(
  authorization: string | null,
  context: TokenContext,
): Result<AcceptedToken, TokenRefusal> {
  if (authorization === null || !/^bearer /i.test(authorization)) return refuse('peer token required');
  const token = parseToken(authorization.slice(7));
  if (token === null) return refuse('malformed token');

  const iss = token.payload.has('iss') ? token.payload.get('iss') : '';
  const column = columnText(iss);
  if (column === null) return err({ kind: 'failure' });
  const peer = context.peers.find((known) => known.node_id === column);
  if (peer === undefined)
    return refuse(
      'peer not registered',
      rejected(column, [
        ['reason', 'peer_not_found'],
        ['iss', iss ?? null],
      ]),
    );
  if (peer.status !== 'active') {
    return refuse(
      'peer_not_approved',
      rejected(peer.id, [
        ['reason', 'peer_not_approved'],
        ['iss', iss ?? null],
        ['status', peer.status],
      ]),
    );
  }

  const wrong = checkSignature(token, peer) ?? checkClaims(token.payload, peer, context);
  if (wrong === FAILURE) return err({ kind: 'failure' });
  if (wrong !== null) return refuse(wrong, rejected(peer.id, [['reason', wrong]]));
  return takeNonce(token.payload, peer, context);
}

const FAILURE = Symbol('the reference answers 500');

function refuse(detail: string, audit: TokenAudit | null = null): { ok: false; error: TokenRefusal } {
  return err({ kind: 'refused', detail, audit });
}

function rejected(peerId: string, detail: readonly (readonly [string, JsonValue])[]): TokenAudit {
  return { peer_id: peerId, event_type: 'rejected_token', detail: new Map(detail) };
}

interface ParsedToken {
  readonly header: JsonObject;
  readonly payload: JsonObject;
  readonly signature: Buffer;
  readonly signed: string;
}

function parseToken(raw: string): ParsedToken | null {
  const last = raw.lastIndexOf('.');
  const first = raw.indexOf('.');
  if (first === -1 || first === last) return null;
  const signed = raw.slice(0, last);
  const header = segmentObject(raw.slice(0, first));
  const payload = segmentObject(raw.slice(first + 1, last));
  const signature = segmentBytes(raw.slice(last + 1));
  if (header === null || payload === null || signature === null || !isHeaderUnderstood(header)) return null;
  return { header, payload, signature, signed };
}

/** The one critical extension (RFC 7515 §4.1.11) that the reference knows is `b64`, and only as `true`. */
function isHeaderUnderstood(header: JsonObject): boolean {
  if (header.has('kid') && typeof header.get('kid') !== 'string') return false;
  if (header.get('b64') === false) return false;
  if (!header.has('crit')) return true;
  const crit = header.get('crit');
  return Array.isArray(crit) && crit.length > 0 && crit.every((name) => name === 'b64') && header.has('b64');
}

function segmentObject(text: string): JsonObject | null {
  const bytes = segmentBytes(text);
  if (bytes === null || !isUtf8(bytes)) return null;
  const parsed = parseJson(bytes.toString('utf8'));
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : null;
}

/** Tokens are stricter than declarations: base64url that encodes to itself, with full padding or none. */
function segmentBytes(text: string): Buffer | null {
  const digits = text.replace(/={1,2}$/, '');
  if (digits.length !== text.length && text.length % 4 !== 0) return null;
  const bytes = Buffer.from(digits, 'base64url');
  return encodeBase64url(bytes) === digits ? bytes : null;
}

/** What SQLite compares with a text column: scalars become text, null and structures cannot be stored there. */
function columnText(value: JsonValue | undefined): string | null {
  if (typeof value === 'string') return value.isWellFormed() ? value : null;
  if (typeof value === 'boolean') return value ? '1' : '0';
  return isJsonNumber(value) ? pythonNumberText(value.lexeme) : null;
}

function checkSignature(token: ParsedToken, peer: TokenPeer): string | typeof FAILURE | null {
  if (token.header.get('alg') !== 'EdDSA') return 'invalid_token';
  const key = decodeLenientBase64(peer.pubkey);
  if (!key.ok || key.value.length !== 32) return FAILURE;
  if (!verifyWithRawKey(key.value, Buffer.from(token.signed), token.signature)) return 'invalid_signature';
  const isTextOrAbsent = (name: string) => !token.payload.has(name) || typeof token.payload.get(name) === 'string';
  return isTextOrAbsent('sub') && isTextOrAbsent('jti') ? null : 'invalid_token';
}

function checkClaims(claims: JsonObject, peer: TokenPeer, context: TokenContext): string | typeof FAILURE | null {
  const now = BigInt(context.nowMs);
  const exp = timeClaim(claims, 'exp');
  if (exp === null) return FAILURE;
  if (now > exp + LEEWAY_MS) return 'token_expired';
  if (claims.get('sub') !== context.localNodeId) return 'invalid_sub';
  if (claims.get('iss') !== peer.node_id) return 'invalid_iss';
  const iat = timeClaim(claims, 'iat');
  if (iat === null) return FAILURE;
  if (iat > now + LEEWAY_MS) return 'iat_in_future';
  if (iat < now - MAX_AGE_MS) return 'iat_too_old';
  const nbf = (claims.get('nbf') ?? null) === null ? 0n : timeClaim(claims, 'nbf');
  if (nbf === null) return FAILURE;
  if (nbf > now + LEEWAY_MS) return 'nbf_in_future';
  return isFalsy(claims.get('nonce')) ? 'missing_nonce' : null;
}

/** Milliseconds; 0 if absent, null if Python's `int()` would raise. */
function timeClaim(claims: JsonObject, name: string): bigint | null {
  const value = claims.get(name);
  if (value === undefined) return 0n;
  const time = pythonIntOf(value);
  return time.ok ? time.value : null;
}

function isFalsy(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  if (isJsonNumber(value)) return Number(value.lexeme) === 0;
  if (isJsonObject(value)) return value.size === 0;
  return Array.isArray(value) && value.length === 0;
}

function takeNonce(claims: JsonObject, peer: TokenPeer, context: TokenContext): Result<AcceptedToken, TokenRefusal> {
  const nonce = columnText(claims.get('nonce'));
  const exp = timeClaim(claims, 'exp') ?? 0n;
  const soonest = BigInt(context.nowMs + context.nonceWindowMs);
  const until = exp > soonest ? exp : soonest;
  if (nonce === null || until >= YEAR_10000_MS) return err({ kind: 'failure' });
  if (context.nonceSeen(nonce)) {
    const detail = new Map([['reason', 'nonce_already_seen']]);
    return refuse('nonce_already_seen', { peer_id: peer.id, event_type: 'replay_attempt', detail });
  }
  return ok({ peer, claims, nonce, nonceExpiresAt: pythonIsoFormatOfMs(Number(until)) });
}

/** `failure`: the claim is of a kind on which the reference answers 500. */
export type ScopeRefusal = 'no permitted scopes' | 'scope not permitted for this peer' | 'failure';

/** The scopes that a pull may read: registered and in the token, never `local`, `team` only where it is allowed. */
export function permittedScopes(
  registered: readonly string[],
  claims: JsonObject,
  requested: string | null,
  allowTeam: boolean,
): Result<readonly string[], { readonly detail: ScopeRefusal; readonly permitted: readonly string[] }> {
  const claimed = scopeClaim(claims);
  if (claimed === null) return err({ detail: 'failure', permitted: [] });
  const permitted = [...new Set(registered)].filter(
    (scope) => claimed.has(scope) && scope !== 'local' && (allowTeam || scope !== 'team'),
  );
  if (permitted.length === 0) return err({ detail: 'no permitted scopes', permitted });
  if (requested === null) return ok(permitted);
  return permitted.includes(requested)
    ? ok([requested])
    : err({ detail: 'scope not permitted for this peer', permitted });
}

/** Python's `set(claim)`: text counts as its characters, an object as its keys; structures inside cannot be hashed. */
function scopeClaim(claims: JsonObject): Set<string> | null {
  const value = claims.has('scopes') ? claims.get('scopes') : [];
  if (typeof value === 'string') return new Set(value);
  if (isJsonObject(value)) return new Set(value.keys());
  if (!Array.isArray(value) || value.some((item) => Array.isArray(item) || isJsonObject(item))) return null;
  return new Set(value.filter((item) => typeof item === 'string'));
}
