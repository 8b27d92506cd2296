import type { Entry } from './entry.ts';
import { authorityOf } from './node-id.ts';
import type { Result } from './result.ts';
import { feedOf, receivedFeed } from './scope.ts';

/** The feed that a fact belongs to. */
export function feedNameOf(fact: Pick<Entry, 'origin' | 'scope' | 'garden_id'>): Result<string, string> {
  if (fact.origin === null) return feedOf(fact);
  return receivedFeed(authorityOf(fact.origin.node_id) ?? fact.origin.node_id, fact.scope);
}
