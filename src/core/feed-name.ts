import type { Entry } from './entry.ts';
import { authorityOf } from './node-id.ts';
import type { Result } from './result.ts';
import { feedOf, receivedFeed } from './scope.ts';

/** The feed that a received fact has in the log of the peer that gave it: that peer's own, or one that it relays. */
export function givenFeed(
  fact: Pick<Entry, 'origin' | 'scope' | 'garden_id' | 'received_from'>,
): Result<string, string> {
  return fact.origin?.node_id === fact.received_from ? feedOf(fact) : feedNameOf(fact);
}

/** The feed that a fact belongs to. */
export function feedNameOf(fact: Pick<Entry, 'origin' | 'scope' | 'garden_id'>): Result<string, string> {
  if (fact.origin === null) return feedOf(fact);
  return receivedFeed(authorityOf(fact.origin.node_id) ?? fact.origin.node_id, fact.scope);
}
