/** What a provider says of itself: fetched, checked, kept for a while, and fetched again. */
import {
  type AuthorizationServer,
  allowInsecureRequests,
  customFetch,
  discoveryRequest,
  JSON_ATTRIBUTE_COMPARISON,
  OperationProcessingError,
  processDiscoveryResponse,
} from 'oauth4webapi';
import { isLoopback } from '../config/checks.ts';
import type { OidcConfig } from '../config/oidc-settings.ts';
import { shortened } from '../core/shortened.ts';
import type { ProviderFetch } from './provider-fetch.ts';

/** Providers change endpoints and algorithms seldom, and keep the old ones for days. */
const FRESH_MS = 3_600_000;
/** A provider that is asked for its discovery document in vain is not asked again by each person who tries. */
const AFTER_FAILURE_MS = 10_000;
const MAX_SHOWN_CHARS = 200;

/** A provider that cannot be used; the message says why, and what to look at. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
}

export interface Discovered {
  /** With the algorithms that both sides take, and endpoints that were checked. */
  readonly server: AuthorizationServer;
  /** How far its clock is ahead of ours, by its own `Date`; null: it sent none. */
  readonly clockSkewMs: number | null;
}

export interface DiscoveryDeps {
  readonly config: Pick<OidcConfig, 'issuer' | 'algorithms'>;
  readonly fetch: ProviderFetch;
  readonly nowMs: () => number;
}

export class Discovery {
  readonly #deps: DiscoveryDeps;
  #found: { readonly discovered: Discovered; readonly atMs: number } | null = null;
  #failed: { readonly error: ProviderError; readonly atMs: number } | null = null;
  #asking: Promise<Discovered> | null = null;

  constructor(deps: DiscoveryDeps) {
    this.#deps = deps;
  }

  /** Why it could not be had when it was last asked for; null: it could, or was not asked yet. */
  get fault(): string | null {
    return this.#failed?.error.message ?? null;
  }

  /**
   * What is kept while it is fresh; else asks, and goes on with what is kept when nothing better can be had.
   * @throws ProviderError
   */
  async get(): Promise<Discovered> {
    const nowMs = this.#deps.nowMs();
    if (this.#found !== null && isWithin(this.#found.atMs, FRESH_MS, nowMs)) return this.#found.discovered;
    if (this.#failed !== null && isWithin(this.#failed.atMs, AFTER_FAILURE_MS, nowMs))
      return this.#keptOr(this.#failed.error);
    try {
      return await this.ask();
    } catch (thrown) {
      return this.#keptOr(thrown as ProviderError);
    }
  }

  /**
   * Asks now; who asks meanwhile gets the same answer.
   * @throws ProviderError
   */
  ask(): Promise<Discovered> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  #keptOr(error: ProviderError): Discovered {
    if (this.#found === null) throw error;
    return this.#found.discovered;
  }

  async #ask(): Promise<Discovered> {
    try {
      const discovered = await discover(this.#deps);
      this.#found = { discovered, atMs: this.#deps.nowMs() };
      this.#failed = null;
      return discovered;
    } catch (thrown) {
      const error = thrown instanceof ProviderError ? thrown : new ProviderError(wordsOf(thrown), { cause: thrown });
      this.#failed = { error, atMs: this.#deps.nowMs() };
      throw error;
    }
  }
}

/** A clock that was put back makes nothing fresh again. */
function isWithin(atMs: number, spanMs: number, nowMs: number): boolean {
  return nowMs >= atMs && nowMs - atMs < spanMs;
}

async function discover({ config, fetch, nowMs }: DiscoveryDeps): Promise<Discovered> {
  const issuer = new URL(config.issuer);
  const isPlain = issuer.protocol === 'http:';
  const response = await discoveryRequest(issuer, { [customFetch]: fetch, [allowInsecureRequests]: isPlain });
  const dateMs = Date.parse(response.headers.get('date') ?? '');
  if (response.status !== 200) throw new ProviderError(`it answered ${response.status} for its discovery document`);
  const server = await processDiscoveryResponse(issuer, response).catch(otherName);
  if (server.issuer !== config.issuer) throw misnamed(server.issuer);
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) endpoint(server, name, isPlain);
  const algorithms = algorithmsOf(server, config.algorithms);
  return {
    server: { ...server, id_token_signing_alg_values_supported: algorithms },
    // Whole seconds of theirs: half of one is what they are late on average.
    clockSkewMs: Number.isNaN(dateMs) ? null : Math.round(dateMs + 500 - nowMs()),
  };
}

function otherName(thrown: unknown): never {
  if (!(thrown instanceof OperationProcessingError) || thrown.code !== JSON_ATTRIBUTE_COMPARISON) throw thrown;
  throw misnamed((thrown.cause as { readonly body: { readonly issuer: unknown } }).body.issuer);
}

function misnamed(issuer: unknown): ProviderError {
  return new ProviderError(`it calls itself ${short(String(issuer))}: oidc.issuer has to be exactly its name`);
}

/** An endpoint of the document, as a URL that may be used. @throws ProviderError */
export function endpoint(
  server: AuthorizationServer,
  name: 'authorization_endpoint' | 'token_endpoint' | 'jwks_uri' | 'end_session_endpoint',
  isPlain: boolean,
): URL {
  const url = URL.parse(String(server[name] ?? ''));
  if (url === null) throw new ProviderError(`its discovery document has no ${name}`);
  const isHere = isPlain && url.protocol === 'http:' && isLoopback(url.hostname);
  if (url.protocol !== 'https:' && !isHere)
    throw new ProviderError(`${name} of its discovery document is ${short(url.href)}, which is not https`);
  return url;
}

function algorithmsOf(server: AuthorizationServer, allowed: readonly string[]): string[] {
  const said: unknown = server.id_token_signing_alg_values_supported;
  // OpenID Connect Discovery §3 has it required, and RS256 in it.
  const made: readonly unknown[] = Array.isArray(said) ? said : ['RS256'];
  const both = allowed.filter((name) => made.includes(name));
  if (both.length > 0) return both;
  throw new ProviderError(
    `it signs tokens with ${short(made.map(String).join(', '))}; oidc.algorithms has none of these`,
  );
}

/** In a sentence of ours: whatever is behind it, with what others wrote cut short. */
export function wordsOf(thrown: unknown): string {
  return short(thrown instanceof Error ? thrown.message : String(thrown));
}

function short(text: string): string {
  return shortened(text, MAX_SHOWN_CHARS);
}
