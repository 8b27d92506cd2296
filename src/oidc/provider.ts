/**
 * Authorization Code with PKCE against one OpenID provider. Tokens are verified, read once and forgotten: none is kept, logged or
 * sent on.
 */
import {
  AuthorizationResponseError,
  type AuthorizationServer,
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  type Client,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  calculatePKCECodeChallenge,
  clockSkew,
  clockTolerance,
  customFetch,
  getValidatedIdTokenClaims,
  None,
  processAuthorizationCodeResponse,
  ResponseBodyError,
  validateApplicationLevelSignature,
  validateAuthResponse,
} from 'oauth4webapi';
import type { OidcConfig, RoleRule } from '../config/oidc-settings.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Attempt, Begun } from './attempts.ts';
import { type Claims, judgeClaims, type PersonRefused, type SignedPerson, SKEW_MS } from './claims.ts';
import { Discovery, endpoint, ProviderError, wordsOf } from './discovery.ts';
import { fetchKeys } from './keys.ts';
import { type ProviderClients, type ProviderFetch, providerFetch } from './provider-fetch.ts';
import type { Refused } from './refusal.ts';
import { refusalOf } from './token-fault.ts';

/** Codes that are redeemed at once: each is a connection to the provider, and anybody may come with a code. */
const MAX_REDEEMING = 16;
/** Of these for one network, so that none keeps all others out. */
const MAX_REDEEMING_OF_NETWORK = 4;
/** A key that is not known may be new: the keys are fetched again, but not for everybody who brings an odd token. */
const NEW_KEYS_MS = 10_000;

export interface ProviderDeps {
  readonly config: Omit<OidcConfig, 'rules'>;
  /** In force now. */
  readonly rules: () => readonly RoleRule[];
  /** Null: a public client. */
  readonly secret: string | null;
  readonly clients: ProviderClients;
  /** Where the provider sends people back to. */
  readonly redirectUri: () => string;
  readonly nowMs: () => number;
}

/** As a doctor sees it. */
export interface ProviderHealth {
  /** What is wrong; null: it can be used. */
  readonly fault: string | null;
  readonly keys: number | null;
  readonly algorithms: readonly string[];
  readonly clockSkewMs: number | null;
  readonly endsSessions: boolean;
}

export class Provider {
  readonly #deps: ProviderDeps;
  readonly #fetch: ProviderFetch;
  readonly #discovery: Discovery;
  /** The library keeps keys beside this very object: another one has them fetched again. */
  #verifying: { from: AuthorizationServer; server: AuthorizationServer; atMs: number } | null = null;
  /** Networks of those whose codes are redeemed now. */
  readonly #redeeming: string[] = [];

  constructor(deps: ProviderDeps) {
    this.#deps = deps;
    this.#fetch = providerFetch(deps.config.issuer, deps.clients);
    this.#discovery = new Discovery({ config: deps.config, fetch: this.#fetch, nowMs: deps.nowMs });
  }

  /** Why it could not be had when it was last asked; null: nothing is known against it. */
  get fault(): string | null {
    return this.#discovery.fault;
  }

  /** Where to send the person. */
  async begin({ state, nonce, verifier }: Begun): Promise<Result<URL, Refused>> {
    const { config, redirectUri } = this.#deps;
    try {
      const { server } = await this.#discovery.get();
      const url = endpoint(server, 'authorization_endpoint', this.#isPlain);
      const params = {
        client_id: config.clientId,
        redirect_uri: redirectUri(),
        response_type: 'code',
        scope: config.scopes.join(' '),
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(config.acr.length === 0 ? {} : { acr_values: config.acr.join(' ') }),
      };
      for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
      return ok(url);
    } catch (thrown) {
      return err({ code: 'provider_unavailable', detail: wordsOf(thrown) });
    }
  }

  /** Redeems the code that came back, and judges who it is. */
  async finish(
    answer: URLSearchParams,
    attempt: Attempt,
    network: string,
  ): Promise<Result<SignedPerson, PersonRefused>> {
    const ofNetwork = this.#redeeming.filter((one) => one === network).length;
    if (ofNetwork >= MAX_REDEEMING_OF_NETWORK || this.#redeeming.length >= MAX_REDEEMING)
      return nobody({ code: 'provider_unavailable', detail: 'too many are signing in at this moment' });
    this.#redeeming.push(network);
    try {
      const claims = await this.#redeem(answer, attempt);
      if (!claims.ok) return nobody(claims.error);
      const { config, rules, nowMs } = this.#deps;
      return judgeClaims(claims.value, { ...config, rules: rules() }, nowMs());
    } finally {
      this.#redeeming.splice(this.#redeeming.indexOf(network), 1);
    }
  }

  /** Asks the provider anew for everything that a sign-in needs of it. */
  async examine(): Promise<ProviderHealth> {
    const unknown = { keys: null, algorithms: [], clockSkewMs: null, endsSessions: false };
    try {
      const { server, clockSkewMs } = await this.#discovery.ask();
      const algorithms = server.id_token_signing_alg_values_supported ?? [];
      const known = { algorithms, clockSkewMs, endsSessions: server.end_session_endpoint !== undefined };
      try {
        const keys = await fetchKeys(endpoint(server, 'jwks_uri', this.#isPlain), this.#fetch);
        const fault = keys === 0 ? 'its keys (jwks_uri) hold none that signs tokens' : null;
        return { fault, keys, ...known };
      } catch (thrown) {
        return { fault: `its keys (jwks_uri) cannot be had: ${wordsOf(thrown)}`, keys: null, ...known };
      }
    } catch (thrown) {
      return { fault: wordsOf(thrown), ...unknown };
    }
  }

  /** Where somebody ends their session at the provider, too; null: it has no such place. Nothing is asked for this. */
  async endSessionUrl(backTo: string): Promise<string | null> {
    try {
      const { server } = await this.#discovery.get();
      if (server.end_session_endpoint === undefined) return null;
      const url = endpoint(server, 'end_session_endpoint', this.#isPlain);
      // Without id_token_hint, which would have to be kept: the provider asks the person whether they mean it.
      url.searchParams.set('client_id', this.#deps.config.clientId);
      url.searchParams.set('post_logout_redirect_uri', backTo);
      return url.href;
    } catch {
      return null;
    }
  }

  get #isPlain(): boolean {
    return this.#deps.config.issuer.startsWith('http:');
  }

  async #redeem(answer: URLSearchParams, { state, nonce, verifier }: Attempt): Promise<Result<Claims, Refused>> {
    try {
      const { server } = await this.#discovery.get();
      const client = this.#client();
      const options = { [customFetch]: this.#fetch, [allowInsecureRequests]: this.#isPlain };
      const given = validateAuthResponse(server, client, answer, state);
      const auth = clientAuth(server, this.#deps.secret);
      const { redirectUri } = this.#deps;
      const response = await authorizationCodeGrantRequest(
        server,
        client,
        auth,
        given,
        redirectUri(),
        verifier,
        options,
      );
      const checks = { expectedNonce: nonce, requireIdToken: true };
      const tokens = await processAuthorizationCodeResponse(server, client, response, checks);
      await this.#verifySignature(server, response, options);
      return ok(getValidatedIdTokenClaims(tokens) ?? {});
    } catch (thrown) {
      return err(refusedBy(thrown));
    }
  }

  async #verifySignature(
    server: AuthorizationServer,
    response: Response,
    options: Parameters<typeof validateApplicationLevelSignature>[2],
  ): Promise<void> {
    const nowMs = this.#deps.nowMs();
    if (this.#verifying?.from !== server) this.#verifying = { from: server, server: { ...server }, atMs: nowMs };
    try {
      return await validateApplicationLevelSignature(this.#verifying.server, response, options);
    } catch (thrown) {
      const isOld = nowMs - this.#verifying.atMs >= NEW_KEYS_MS || nowMs < this.#verifying.atMs;
      if (refusalOf(thrown)?.code !== 'token_signature_invalid' || !isOld) throw thrown;
    }
    this.#verifying = { from: server, server: { ...server }, atMs: nowMs };
    return validateApplicationLevelSignature(this.#verifying.server, response, options);
  }

  #client(): Client {
    const { config, nowMs } = this.#deps;
    return {
      client_id: config.clientId,
      // The library asks the machine's clock: ours may be another.
      [clockSkew]: Math.round((nowMs() - Date.now()) / 1_000),
      [clockTolerance]: SKEW_MS / 1_000,
    };
  }
}

/** In the header where the provider takes it there, which all have to. */
function clientAuth(server: AuthorizationServer, secret: string | null): ClientAuth {
  if (secret === null) return None();
  const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  if (methods.includes('client_secret_basic')) return ClientSecretBasic(secret);
  if (methods.includes('client_secret_post')) return ClientSecretPost(secret);
  throw new ProviderError('it takes a client’s secret neither as client_secret_basic nor as client_secret_post');
}

function nobody(refused: Refused): Result<never, PersonRefused> {
  return err({ ...refused, person: null, name: null });
}

function refusedBy(thrown: unknown): Refused {
  if (thrown instanceof AuthorizationResponseError)
    return { code: 'provider_refused', detail: `the provider answered ${wordsOf(new Error(thrown.error))}` };
  if (thrown instanceof ResponseBodyError)
    return {
      code: 'code_refused',
      detail: `the provider’s token endpoint answered ${wordsOf(new Error(thrown.error))}`,
    };
  return refusalOf(thrown) ?? { code: 'provider_unavailable', detail: wordsOf(thrown) };
}
