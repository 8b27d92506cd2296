/**
 * How the provider is asked: by the node's own client, bounded in bytes and time, redirects not followed. The operator named the
 * issuer; what the issuer names elsewhere is asked for only at public addresses, so that a provider cannot send this node into the
 * network that it stands in.
 */
import type { CustomFetchOptions } from 'oauth4webapi';
import type { HttpClient } from '../outbound/http-client.ts';

/** Discovery document, keys, tokens: a few kilobytes each, with hundreds of groups some ten. */
export const MAX_ANSWER_BYTES = 262_144;
const TIMEOUT_MS = 5_000;

export interface ProviderClients {
  /** For the origin that the operator wrote down. */
  readonly named: HttpClient;
  /** For what it names on other origins. */
  readonly foreign: HttpClient;
}

export type ProviderFetch = (
  url: string,
  options: CustomFetchOptions<string, URLSearchParams | undefined>,
) => Promise<Response>;

export function providerFetch(issuer: string, { named, foreign }: ProviderClients): ProviderFetch {
  const { origin } = new URL(issuer);
  return (url, { method, headers, body }) => {
    const client = new URL(url).origin === origin ? named : foreign;
    const request = { method, headers, maxBytes: MAX_ANSWER_BYTES, signal: AbortSignal.timeout(TIMEOUT_MS) };
    return client.send(url, body === undefined ? request : { ...request, body: body.toString() });
  };
}
