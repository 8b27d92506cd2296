/** Which requests a server on this machine answers at all, before any route is looked at. */
import { isIP } from 'node:net';

/** Names under which a page on this machine may reach us. Anything else in Host is a name that was pointed here. */
const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
/** Methods that change nothing (RFC 9110 §9.2.1). */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** What a browser and everybody else tell of where a request comes from. */
export interface Asked {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Set by browsers, and by no script. */
  readonly fetchSite: string | undefined;
  readonly fetchMode: string | undefined;
}

export interface HostRule {
  /** The server listens on loopback itself, without a proxy that has its own names. */
  readonly onLoopback: boolean;
  /** Lower-case names that are ours; `*.acme.example` is any one name in that place. */
  readonly names: ReadonlySet<string>;
}

/** Tells whether an address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/**
 * Refuses what a browser sends for somebody else's page. DNS rebinding makes a foreign page same-origin with our
 * address, but the Host header still carries the foreign name; requests across origins carry Origin or Sec-Fetch-Site.
 *
 * @returns why the request is refused, or null
 */
export function whyForeign(asked: Asked, rule: HostRule): string | null {
  const host = asked.host?.toLowerCase();
  if (host === undefined || host === '') return 'the Host header is missing';
  if (!isOwnName(host, rule)) return foreignName(rule);
  if (asked.origin !== undefined && originHost(asked.origin) !== host)
    return 'requests from pages of another origin are refused';
  return isFromElsewhere(asked) ? 'requests from pages of another site are refused' : null;
}

/** A link to us may be followed from anywhere; nothing else that a page of another site starts is answered. */
function isFromElsewhere({ method, fetchSite, fetchMode }: Asked): boolean {
  if (fetchSite === undefined || fetchSite === 'same-origin' || fetchSite === 'none') return false;
  return !SAFE_METHODS.has(method) || fetchMode !== 'navigate';
}

function isOwnName(host: string, { onLoopback, names }: HostRule): boolean {
  const name = host.replace(/:\d{1,5}$/, '');
  if (LOOPBACK_NAMES.has(name) || isLoopback(name)) return true;
  // Nobody can point an address elsewhere; on loopback none but its own leads here.
  if (isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0 && !onLoopback) return true;
  return names.has(name) || names.has(name.replace(/^[^.]+\./, '*.'));
}

function foreignName({ onLoopback }: HostRule): string {
  return onLoopback
    ? 'this API answers on loopback only, under 127.0.0.1, localhost or [::1]; the Host header names another host'
    : 'the Host header names another host than this API has; its names are those of its certificate, of api.node_url and of api.allowed_hosts';
}

function originHost(origin: string): string | null {
  return /^https?:\/\/([^/?#@\s]+)$/i.exec(origin)?.[1]?.toLowerCase() ?? null;
}
