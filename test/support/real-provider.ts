/** An OpenID provider as others write one (`oidc-provider`), on loopback, with people who sign in by a form of one button each. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

export const CLIENT_ID = 'peerd-console';
export const CLIENT_SECRET = 'a secret/of:the client+';

export interface Account {
  readonly name: string;
  readonly groups?: unknown;
  readonly amr?: readonly string[];
}

export interface RealProvider {
  readonly issuer: string;
  /** By subject; may be changed while it runs. */
  readonly accounts: Map<string, Account>;
  stop(): Promise<void>;
}

/** @param isPublic the client has no secret */
export async function startRealProvider(
  accounts: Readonly<Record<string, Account>>,
  isPublic = false,
): Promise<RealProvider> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Another site than 127.0.0.1, as far as a browser's cookies are concerned.
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  const known = new Map(Object.entries(accounts));
  const provider = new Provider(issuer, configuration(known, isPublic));
  // The port of the node is known only when it runs.
  const isOfNode = (path: string) => (uri: string) =>
    new RegExp(`^http://(127\\.0\\.0\\.1|node\\.example)(:\\d+)?/console/sign-in${path}$`).test(uri);
  provider.Client.prototype.redirectUriAllowed = isOfNode('/oidc/callback');
  provider.Client.prototype.postLogoutRedirectUriAllowed = isOfNode('');
  serve(server, provider, known);
  return {
    issuer,
    accounts: known,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function configuration(known: ReadonlyMap<string, Account>, isPublic: boolean): object {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const jwk = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'one' };
  const secret = isPublic
    ? { token_endpoint_auth_method: 'none' }
    : { client_secret: CLIENT_SECRET, token_endpoint_auth_method: 'client_secret_basic' };
  return {
    clients: [
      {
        client_id: CLIENT_ID,
        ...secret,
        redirect_uris: ['http://127.0.0.1/console/sign-in/oidc/callback'],
        post_logout_redirect_uris: ['http://127.0.0.1/console/sign-in'],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [jwk] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    scopes: ['openid', 'profile', 'groups'],
    claims: { openid: ['sub', 'amr'], profile: ['preferred_username'], groups: ['groups'] },
    conformIdTokenClaims: false,
    adapter: MemoryAdapter,
    ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600, AuthorizationCode: 60 },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: true, logoutSource: askWhetherMeant },
    },
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_ctx: unknown, sub: string) => {
      const account = known.get(sub);
      if (account === undefined) return undefined;
      const { name, groups, amr } = account;
      const claims = {
        sub,
        preferred_username: name,
        ...(groups === undefined ? {} : { groups }),
        ...(amr === undefined ? {} : { amr }),
      };
      return { accountId: sub, claims: () => claims };
    },
    async loadExistingGrant(ctx: Ctx) {
      const { client, session, provider } = ctx.oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid profile groups');
      await grant.save();
      return grant;
    },
  };
}

/** As its own one in memory, which it warns of. */
class MemoryAdapter {
  readonly #held = new Map<string, Stored>();

  async upsert(id: string, payload: Stored): Promise<void> {
    this.#held.set(id, payload);
  }

  async find(id: string): Promise<Stored | undefined> {
    return this.#held.get(id);
  }

  async findByUid(uid: string): Promise<Stored | undefined> {
    return [...this.#held.values()].find((one) => one['uid'] === uid);
  }

  async consume(id: string): Promise<void> {
    const held = this.#held.get(id);
    if (held !== undefined) this.#held.set(id, { ...held, consumed: Math.floor(Date.now() / 1_000) });
  }

  async destroy(id: string): Promise<void> {
    this.#held.delete(id);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [id, one] of this.#held) if (one['grantId'] === grantId) this.#held.delete(id);
  }
}

type Stored = Readonly<Record<string, unknown>>;

interface Ctx {
  readonly oidc: {
    readonly client: { readonly clientId: string };
    readonly session: { readonly accountId: string };
    readonly provider: Provider;
  };
}

/** Its own page loads a font from elsewhere. */
function askWhetherMeant(ctx: { body: string }, form: string): void {
  const yes = '<button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>';
  ctx.body = `<!doctype html><html lang="en"><title>Sign out</title>${form}${yes}</html>`;
}

function serve(server: Server, provider: Provider, known: ReadonlyMap<string, Account>): void {
  const answer = provider.callback();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://provider.invalid');
    if (!url.pathname.startsWith('/interaction/')) return void answer(request, response);
    const accountId = url.searchParams.get('as');
    if (accountId === 'nobody')
      return void provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'no' });
    if (accountId !== null) return void provider.interactionFinished(request, response, { login: { accountId } });
    const people = [...known].map(([sub, { name }]) => `<button name="as" value="${sub}">${name}</button>`).join('');
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><html lang="en"><title>Provider</title><form>${people}</form></html>`);
  });
}
