/** How far each receiver of the audit log is. Its place moves by compare-and-set; that an operator moved it is an audit record. */
import { type Db, ONE, PARAM, prepare, prepareInsert, type Statement, sqlBuilder } from './database.ts';
import type { Tables } from './tables.ts';

export interface SinkState {
  readonly name: string;
  /** Records up to this one were there before it began. */
  readonly since: number;
  /** The receiver has every record up to this one that its filter lets through. */
  readonly acked: number;
  /** Where it began, or where an operator put it last: of itself nothing goes out again from before. */
  readonly placed: number;
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
type Place = Pick<Row, 'acked' | 'placed' | 'attempts' | 'failing_since_us' | 'last_error' | 'acked_us'>;

export class SinkRecords {
  readonly #find: Statement<[string], Row>;
  readonly #insert: Statement<unknown[]>;
  readonly #put: Statement<[number, number, number, number | null, string | null, number | null, string, number]>;

  constructor(db: Db) {
    this.#find = prepare(db, sqlBuilder.selectFrom('sinks').selectAll().where('name', '=', PARAM).limit(ONE));
    this.#insert = prepareInsert(db, 'sinks', ['name', 'since', 'acked', 'placed', 'attempts']);
    const place = {
      acked: PARAM,
      placed: PARAM,
      attempts: PARAM,
      failing_since_us: PARAM,
      last_error: PARAM,
      acked_us: PARAM,
    };
    const at = sqlBuilder.updateTable('sinks').set(place).where('name', '=', PARAM).where('acked', '=', PARAM);
    this.#put = prepare(db, at);
  }

  find(name: string): SinkState | null {
    const row = this.#find.get(name);
    if (row === undefined) return null;
    const { since, acked, placed, attempts, failing_since_us, last_error, acked_us } = row;
    return {
      name,
      since,
      acked,
      placed,
      attempts,
      failingSinceUs: failing_since_us,
      lastError: last_error,
      ackedUs: acked_us,
    };
  }

  add(name: string, acked: number): void {
    this.#insert.run(name, acked, acked, acked, 0);
  }

  /** @returns false if the place is another one by now */
  ack(name: string, from: number, to: number, nowUs: number): boolean {
    return this.#change(name, from, ({ placed }) => ({ ...WELL, acked: to, placed, acked_us: nowUs }));
  }

  fail(name: string, at: number, error: string, nowUs: number): void {
    this.#change(name, at, ({ attempts, failing_since_us, ...rest }) => ({
      ...rest,
      attempts: attempts + 1,
      failing_since_us: failing_since_us ?? nowUs,
      last_error: error,
    }));
  }

  move(name: string, from: number, to: number): void {
    this.#change(name, from, ({ acked_us }) => ({ ...WELL, acked: to, placed: to, acked_us }));
  }

  #change(name: string, from: number, change: (row: Row) => Place): boolean {
    const row = this.#find.get(name);
    if (row === undefined) return false;
    const { acked, placed, attempts, failing_since_us, last_error, acked_us } = change(row);
    return this.#put.run(acked, placed, attempts, failing_since_us, last_error, acked_us, name, from).changes === 1;
  }
}

const WELL = { attempts: 0, failing_since_us: null, last_error: null };
