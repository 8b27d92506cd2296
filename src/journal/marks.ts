import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';

/** Rows of `state`: how far something has come that follows the journal. Each may be lost: what it marks then begins anew. */
export class Marks {
  readonly #get: Statement<[string], { value: number }>;
  readonly #put: Statement<[string, number]>;
  readonly #drop: Statement<[string]>;

  constructor(db: Db) {
    this.#get = prepare(db, sqlBuilder.selectFrom('state').select('value').where('name', '=', PARAM));
    this.#put = prepare(db, sqlBuilder.replaceInto('state').values({ name: PARAM, value: PARAM }));
    this.#drop = prepare(db, sqlBuilder.deleteFrom('state').where('name', '=', PARAM));
  }

  /** undefined: it is lost, or was never put. */
  get(name: string): number | undefined {
    return this.#get.get(name)?.value;
  }

  put(name: string, value: number): void {
    this.#put.run(name, value);
  }

  drop(name: string): void {
    this.#drop.run(name);
  }
}
