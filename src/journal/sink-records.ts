/** How far each receiver of the audit log is. Its place moves by compare-and-set; that an operator moved it is an audit record. */
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { Tables } from './tables.ts';

export interface SinkState {
  readonly name: string;
  /** Records up to this one were there before it began. */
  readonly since: number;
  /** The receiver has every record up to this one that its filter lets through. */
  readonly acked: number;
  /** Tries that failed since something was taken. */
  readonly attempts: number;
  /** µs; null: the last try went through. */
  readonly failingSinceUs: number | null;
  readonly lastError: string | null;
  /** µs, when the place has moved last; null: never. */
  readonly ackedUs: number | null;
}

/** Why a place moves other than by a delivery. `from` is sent next; `pass` is one record that the receiver refuses. */
export type SinkMove =
  | { readonly kind: 'replay'; readonly from: number }
  | { readonly kind: 'skip'; readonly to: number }
  | { readonly kind: 'pass'; readonly seq: number; readonly error: string };

type Row = Tables['sinks'];

export class SinkRecords {
  readonly #find: Statement<[string], Row>;
  readonly #insert: Statement<[string, number, number]>;
  readonly #ack: Statement<[number, number, string, number]>;
  readonly #fail: Statement<[number, string, string, number]>;
  readonly #move: Statement<[number, string, number]>;

  constructor(db: Db) {
    this.#find = prepare(db, sqlBuilder.selectFrom('sinks').selectAll().where('name', '=', PARAM).limit(ONE));
    const fresh = { attempts: 0, failing_since_us: null, last_error: null, acked_us: null };
    this.#insert = prepare(
      db,
      sqlBuilder.insertInto('sinks').values({ name: PARAM, since: PARAM, acked: PARAM, ...fresh }),
    );
    const well = { attempts: 0, failing_since_us: null, last_error: null };
    const at = sqlBuilder.updateTable('sinks').where('name', '=', PARAM).where('acked', '=', PARAM);
    this.#ack = prepare(db, at.set({ acked: PARAM, acked_us: PARAM, ...well }));
    this.#fail = prepare(
      db,
      at.set((q) => ({
        attempts: q('attempts', '+', 1),
        failing_since_us: q.fn.coalesce('failing_since_us', q.val(PARAM)),
        last_error: PARAM,
      })),
    );
    this.#move = prepare(db, at.set({ acked: PARAM, ...well }));
  }

  find(name: string): SinkState | null {
    const row = this.#find.get(name);
    if (row === undefined) return null;
    const { since, acked, attempts, failing_since_us, last_error, acked_us } = row;
    return { name, since, acked, attempts, failingSinceUs: failing_since_us, lastError: last_error, ackedUs: acked_us };
  }

  add(name: string, acked: number): void {
    this.#insert.run(name, acked, acked);
  }

  /** @returns false if the place is another one by now */
  ack(name: string, from: number, to: number, nowUs: number): boolean {
    return this.#ack.run(to, nowUs, name, from).changes === 1;
  }

  fail(name: string, at: number, error: string, nowUs: number): void {
    this.#fail.run(nowUs, error, name, at);
  }

  move(name: string, from: number, to: number): void {
    this.#move.run(to, name, from);
  }
}
