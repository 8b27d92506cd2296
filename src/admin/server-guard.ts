/** Which requests a server on this machine answers at all, before any route is looked at. */

/** Names under which a page on this machine may reach us. Anything else in Host is a name that was pointed here. */
const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Tells whether an address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/**
 * Refuses what a browser sends for somebody else's page. DNS rebinding makes a foreign page same-origin with a
 * loopback address, but the Host header still carries the foreign name; requests across origins carry Origin.
 *
 * @param onLoopback whether the server listens on loopback itself, without a proxy that has its own names
 * @returns why the request is refused, or null
 */
export function whyForeign(
  headers: { host: string | undefined; origin: string | undefined },
  onLoopback: boolean,
): string | null {
  const host = headers.host?.toLowerCase();
  if (host === undefined || host === '') return 'the Host header is missing';
  if (onLoopback && !isLoopbackName(host)) {
    return 'this API answers on loopback only, under 127.0.0.1, localhost or [::1]; the Host header names another host';
  }
  if (headers.origin === undefined) return null;
  return originHost(headers.origin) === host ? null : 'requests from pages of another origin are refused';
}

function isLoopbackName(host: string): boolean {
  const name = host.replace(/:\d{1,5}$/, '');
  return LOOPBACK_NAMES.has(name) || isLoopback(name);
}

function originHost(origin: string): string | null {
  return /^https?:\/\/([^/?#@\s]+)$/i.exec(origin)?.[1]?.toLowerCase() ?? null;
}
