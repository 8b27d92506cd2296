import { isAuthority } from './node-id.ts';
import { err, ok, type Result } from './result.ts';

/** Who may see a fact. `local` never leaves the node. */
export const SCOPES = ['local', 'team', 'company', 'public'] as const;
export type Scope = (typeof SCOPES)[number];

/** Longest feed name: `from/` + authority + `/` + scope, with room. */
const MAX_FEED_CHARS = 300;
const GARDEN_SLUG = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/;

/** Tells whether a text names one of {@link SCOPES}. */
export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}

/**
 * The last segment of a garden id (`stigmem://acme.example/garden/incident-42` or plain `incident-42`): the part
 * that feed names carry. Null if it could not stand in a feed name.
 */
export function gardenSlug(gardenId: string): string | null {
  const slug = gardenId.slice(gardenId.lastIndexOf('/') + 1);
  return GARDEN_SLUG.test(slug) ? slug : null;
}

/** The feed of a fact asserted here: its scope, or `<scope>/<garden slug>` inside a garden. */
export function feedOf(fact: {
  readonly scope: string;
  readonly garden_id: string | null;
}): Result<string, 'scope_unknown' | 'garden_malformed'> {
  if (!isScope(fact.scope)) return err('scope_unknown');
  if (fact.garden_id === null) return ok(fact.scope);
  const slug = gardenSlug(fact.garden_id);
  return slug === null ? err('garden_malformed') : ok(`${fact.scope}/${slug}`);
}

/** The feed of a fact received: `from/<authority of its origin>/<scope>`. A relay's grant is separate from its own. */
export function receivedFeed(
  authority: string,
  scope: string,
): Result<string, 'scope_unknown' | 'authority_malformed'> {
  if (!isScope(scope)) return err('scope_unknown');
  return isAuthority(authority) ? ok(`from/${authority}/${scope}`) : err('authority_malformed');
}

export type FeedName =
  | { readonly kind: 'own'; readonly scope: Scope; readonly garden: string | null }
  | { readonly kind: 'received'; readonly scope: Scope; readonly authority: string };

/** Reads a feed name into what it covers. One feed has one spelling. */
export function parseFeed(name: string): Result<FeedName, 'feed_malformed'> {
  if (name.length > MAX_FEED_CHARS) return err('feed_malformed');
  const [first = '', second, third, ...rest] = name.split('/');
  if (rest.length > 0) return err('feed_malformed');
  if (first === 'from') {
    if (second === undefined || third === undefined || !isAuthority(second) || !isScope(third))
      return err('feed_malformed');
    return ok({ kind: 'received', scope: third, authority: second });
  }
  if (!isScope(first) || third !== undefined) return err('feed_malformed');
  if (second === undefined) return ok({ kind: 'own', scope: first, garden: null });
  return GARDEN_SLUG.test(second) ? ok({ kind: 'own', scope: first, garden: second }) : err('feed_malformed');
}

/** Tells whether a text is a feed name. */
export function isFeed(name: string): boolean {
  return parseFeed(name).ok;
}
