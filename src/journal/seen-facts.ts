/** Facts that the journal holds, as far as what a peer sends is compared with them. */
import type { SeenFact } from '../verify/seen-fact.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { entryOf } from './entry-row.ts';
import type { EntryRow } from './tables.ts';

export class SeenFacts {
  readonly #byId: Statement<[string], EntryRow>;

  constructor(db: Db) {
    this.#byId = prepare(db, sqlBuilder.selectFrom('entries').selectAll().where('fact_id', '=', PARAM));
  }

  /** Those of the given ids that are held. */
  find(ids: readonly string[]): ReadonlyMap<string, SeenFact> {
    const found = new Map<string, SeenFact>();
    for (const id of ids) {
      const row = this.#byId.get(id);
      if (row === undefined) continue;
      const entry = entryOf(row);
      const { node_id = null, leaf_hash = null } = entry.origin ?? {};
      found.set(id, { ...entry, node_id, origin_leaf: leaf_hash });
    }
    return found;
  }
}
