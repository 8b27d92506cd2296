/** Facts that the journal holds, as far as what a peer sends is compared with them. */
import type { Entry } from '../core/entry.ts';
import type { SeenFact } from '../verify/seen-fact.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { entryOf } from './entry-row.ts';
import type { Asserted, Erasures } from './erasures.ts';
import type { EntryRow } from './tables-logs.ts';

export class SeenFacts {
  readonly #byId: Statement<[string], EntryRow>;

  readonly #erasures: Pick<Erasures, 'seen'>;

  /** @param erasures knows the ids of facts whose bodies are gone */
  constructor(db: Db, erasures: Pick<Erasures, 'seen'>) {
    this.#erasures = erasures;
    this.#byId = prepare(db, sqlBuilder.selectFrom('entries').selectAll().where('fact_id', '=', PARAM));
  }

  /** Those of the given ids that are held, or whose bodies are gone. */
  find(ids: readonly string[], asserted: Asserted): ReadonlyMap<string, SeenFact> {
    const found = new Map<string, SeenFact>();
    for (const id of ids) {
      const row = this.#byId.get(id);
      const fact = row === undefined ? this.#erasures.seen(id, asserted) : seenFact(entryOf(row));
      if (fact !== undefined) found.set(id, fact);
    }
    return found;
  }
}

function seenFact(entry: Entry): SeenFact {
  const { node_id = null, leaf_hash = null } = entry.origin ?? {};
  return { ...entry, node_id, origin_leaf: leaf_hash };
}
