import type { FeedGrant as Grant } from '../core/disclosure.ts';
import { err, ok, type Result } from '../core/result.ts';
import { grantedFeedFault } from './checks.ts';
import { shown } from './problem.ts';

/** What completes "expected …" for one grant. */
export const GRANT_FORM =
  'a feed such as "public", or { feed = "company/incident-42", not_before = 2027-01-01T00:00:00Z, not_after = … }';

/** The feeds of those grants that cover this moment, each once, in the order of the grants. */
export function grantsInForce(grants: readonly Grant[], nowMs: number): readonly string[] {
  const now = grants.filter(
    ({ notBeforeMs, notAfterMs }) =>
      (notBeforeMs === null || notBeforeMs <= nowMs) && (notAfterMs === null || nowMs < notAfterMs),
  );
  return [...new Set(now.map(({ feed }) => feed))];
}

/** Reads one grant as TOML gives it. The error is a reason to put behind "expected …, got …". */
export function readGrant(value: unknown): Result<Grant, string> {
  if (typeof value === 'string') return withFeed(value, null, null);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return err('it is neither a text nor a table');
  const members = new Map<string, unknown>(Object.entries(value));
  const strange = [...members.keys()].find((name) => !['feed', 'not_before', 'not_after'].includes(name));
  if (strange !== undefined) return err(`unknown key ${shown(strange)}`);

  const feed = members.get('feed');
  if (typeof feed !== 'string') return err('feed is missing');
  const notBefore = readInstant('not_before', members.get('not_before'));
  if (!notBefore.ok) return notBefore;
  const notAfter = readInstant('not_after', members.get('not_after'));
  if (!notAfter.ok) return notAfter;
  if (notBefore.value !== null && notAfter.value !== null && notAfter.value <= notBefore.value) {
    return err('not_after is not later than not_before, so it would never be in force');
  }
  return withFeed(feed, notBefore.value, notAfter.value);
}

/** Reads a grant from the command line: `public`, or `feed,not_before=…,not_after=…`. */
export function readGrantText(text: string): Result<Grant, string> {
  const [feed = '', ...options] = text.split(',');
  const pairs = options.map((option) => {
    const equals = option.indexOf('=');
    return [option.slice(0, Math.max(equals, 0)), option.slice(equals + 1)];
  });
  return readGrant(options.length === 0 ? feed : { feed, ...Object.fromEntries(pairs) });
}

function withFeed(feed: string, notBeforeMs: number | null, notAfterMs: number | null): Result<Grant, string> {
  const fault = grantedFeedFault(feed);
  return fault === null ? ok({ feed, notBeforeMs, notAfterMs }) : err(fault);
}

/** TOML date-times come as dates of their parser; texts in quotes are taken in the same form. */
function readInstant(name: string, value: unknown): Result<number | null, string> {
  if (value === undefined) return ok(null);
  const iso = value instanceof Date ? value.toISOString() : value;
  // Without an offset the same file would mean another moment on another machine.
  const complete =
    typeof iso === 'string' && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(iso);
  const ms = complete ? Date.parse(iso) : Number.NaN;
  return Number.isNaN(ms) ? err(`${name} is a time with its offset, such as 2027-01-01T00:00:00Z`) : ok(ms);
}
