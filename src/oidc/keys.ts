/** The provider's keys, as a doctor counts them: a sign-in has the library fetch and keep its own. */
import { z } from 'zod';
import { ProviderError } from './discovery.ts';
import type { ProviderFetch } from './provider-fetch.ts';

const KEYS = z.object({
  keys: z.array(z.looseObject({ kty: z.string(), use: z.string().optional() })).max(1_000),
});
const KINDS: ReadonlySet<string> = new Set(['RSA', 'EC', 'OKP']);

/**
 * @returns how many of its keys may sign tokens
 * @throws ProviderError, HttpError
 */
export async function fetchKeys(url: URL, fetch: ProviderFetch): Promise<number> {
  const headers = { accept: 'application/json, application/jwk-set+json' };
  const response = await fetch(url.href, { method: 'GET', headers, body: undefined, redirect: 'manual' });
  if (response.status !== 200) throw new ProviderError(`it answered ${response.status}`);
  const parsed = KEYS.safeParse(await response.json().catch(() => null));
  if (!parsed.success) throw new ProviderError('expected a set of keys in JSON, got something else');
  return parsed.data.keys.filter(({ kty, use = 'sig' }) => KINDS.has(kty) && use === 'sig').length;
}
