/** What the index of words holds of a fact. Projection and fsck have to agree on it. */
import type { EntryRow } from './tables-logs.ts';

export type IndexedFields = Pick<EntryRow, 'entity' | 'relation' | 'value_v' | 'scope'>;

/** The text of a fact that is indexed, and the token of its scope. */
export function indexedText(row: IndexedFields): string {
  return `${searchedText(row)} ${scopeToken(row.scope)}`;
}

/** What of a fact can be found by its words. */
export function searchedText(fact: Pick<IndexedFields, 'entity' | 'relation' | 'value_v'>): string {
  return `${fact.entity} ${fact.relation} ${fact.value_v}`;
}

/**
 * A token that stands for a scope, in a private-use character that no query can contain: a fact is found within its
 * scope without looking at the others.
 */
export function scopeToken(scope: string): string {
  return `\ue000${scope}`;
}
