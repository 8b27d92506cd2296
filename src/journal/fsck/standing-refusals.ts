/** Places of stored pages whose entries were refused and not taken since, as the journal says it. */
import { positionsOf } from '../../core/runs.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import { readPlaces, reasonsIn } from '../page-refusals.ts';
import type { PageRow } from '../tables-peers.ts';

export class StandingRefusals {
  readonly #refused: Statement<[number], string>;
  readonly #taken: Statement<[number], string>;

  constructor(db: Db) {
    const refused = sqlBuilder.selectFrom('page_refusals').select('places').where('page_id', '=', PARAM);
    this.#refused = prepare<[number]>(db, refused).pluck() as Statement<[number], string>;
    const taken = sqlBuilder.selectFrom('page_retries').select('places').where('page_id', '=', PARAM);
    this.#taken = prepare<[number]>(db, taken).pluck() as Statement<[number], string>;
  }

  /** By their place in the feed. */
  of({ page_id, after_seq, to_seq }: Pick<PageRow, 'page_id' | 'after_seq' | 'to_seq'>): ReadonlySet<number> {
    const refused = reasonsIn(this.#refused.get(page_id) ?? '', after_seq, to_seq) ?? [];
    const standing = new Set(refused.map(([place]) => place));
    for (const text of this.#taken.all(page_id))
      for (const place of positionsOf(readPlaces(text, after_seq, to_seq) ?? [])) standing.delete(place);
    return standing;
  }
}
