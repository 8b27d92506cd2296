/** An OpenID provider that does everything wrong that it is told to. */
import { createHmac, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Json = Readonly<Record<string, unknown>>;

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function newKey(kid: string): SigningKey {
  return { kid, ...generateKeyPairSync('rsa', { modulusLength: 2_048 }) };
}

/** Answers in place of what an honest one would: an object is JSON. */
export type Answer = Json | 'redirect' | 'endless' | 'nonsense' | 'broken' | 'hang';

export class HostileProvider {
  issuer = '';
  readonly key: SigningKey = newKey('one');
  /** Keys that are shown. */
  keys: SigningKey[] = [this.key];
  /** In place of the discovery document, of the keys, of the answer with tokens. */
  discovery: Answer | null = null;
  jwks: Answer | null = null;
  token: Answer | null = null;
  /** Over an honest discovery document. */
  said: Json = {};
  /** What it is asked, by path. */
  readonly asked: string[] = [];
  /** That hang. */
  readonly #held: ServerResponse[] = [];
  readonly #stop: () => Promise<void>;

  private constructor(server: ReturnType<typeof createServer>) {
    server.on('request', (request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://provider.invalid');
      this.asked.push(pathname);
      request.resume();
      const what = this.#answerAt(pathname);
      if (what === 'hang') this.#held.push(response);
      else answer(response, what);
    });
    this.#stop = async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    };
  }

  static async start(): Promise<HostileProvider> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const provider = new HostileProvider(server);
    provider.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return provider;
  }

  /** The next code is redeemed for this. */
  gives(idToken: string): void {
    this.token = { access_token: 'secret-access', token_type: 'Bearer', id_token: idToken };
  }

  /** Honest claims, but for these; undefined leaves one out. */
  claims(nonce: string, nowMs: number, changed: Json = {}): Json {
    const iat = Math.floor(nowMs / 1_000);
    const honest = {
      iss: this.issuer,
      sub: 'ann',
      aud: 'peerd-console',
      nonce,
      iat,
      exp: iat + 60,
      preferred_username: 'ann',
      groups: ['everybody'],
    };
    return { ...honest, ...changed };
  }

  /** Breaks off what hangs. */
  letGo(): void {
    for (const response of this.#held.splice(0)) response.socket?.destroy();
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  #answerAt(path: string): Answer {
    if (path === '/.well-known/openid-configuration') return this.discovery ?? { ...this.#document(), ...this.said };
    if (path === '/jwks') return this.jwks ?? { keys: this.keys.map(jwkOf) };
    return path === '/token' ? (this.token ?? 'nonsense') : 'nonsense';
  }

  #document(): Json {
    const { issuer } = this;
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
      authorization_response_iss_parameter_supported: true,
    };
  }
}

function jwkOf({ kid, publicKey }: SigningKey): JsonWebKey {
  return { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' };
}

/** A token with a good signature of this key. */
export function signed({ kid, privateKey }: SigningKey, claims: Json, header: Json = {}): string {
  const head = joined({ alg: 'RS256', kid, ...header }, claims);
  return `${head}.${sign('sha256', Buffer.from(head), privateKey).toString('base64url')}`;
}

/** As if the public key were a secret that both know. */
export function signedWithPublicKey({ kid, publicKey }: SigningKey, claims: Json): string {
  const head = joined({ alg: 'HS256', kid }, claims);
  const secret = publicKey.export({ format: 'pem', type: 'spki' });
  return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
}

export function unsigned(claims: Json, alg = 'none'): string {
  return `${joined({ alg }, claims)}.`;
}

function joined(...parts: readonly Json[]): string {
  return parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
}

function answer(response: ServerResponse, what: Exclude<Answer, 'hang'>): void {
  if (typeof what === 'object')
    return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(what));
  if (what === 'redirect')
    return void response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
  if (what === 'broken') return void response.socket?.destroy();
  response.writeHead(200, { 'content-type': 'application/json' });
  if (what === 'nonsense') return void response.end('<html>');
  const more = (): void => {
    while (response.write('x'.repeat(65_536)));
  };
  response.on('drain', more);
  more();
}
