import Database from 'better-sqlite3';
import {
  type Compilable,
  DummyDriver,
  Kysely,
  type RawBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely';
import { JournalError } from './errors.ts';
import { type Cell, locatorSums, SUMMED_COLUMNS, type Summed, type SummedColumn } from './locator.ts';
import { MIGRATIONS } from './schema.ts';
import type { SummedTable, Tables } from './tables.ts';

export type Db = Database.Database;

/**
 * Writes each parameter as `+?`, which has the same value. The planner reads a bare one in `x = ?` or `LIMIT ?` to choose by
 * it, and pays with compiling the statement again whenever it is bound: a look-up took 12 µs instead of 2.
 */
class StableQueryCompiler extends SqliteQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return '+?';
  }
}

/**
 * Builds queries; never runs them. A query is built and compiled once and then run as a prepared statement, which costs
 * what raw SQL costs; through Kysely's own executor a row costs two and a half times as much.
 */
export const sqlBuilder: Kysely<Tables> = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new StableQueryCompiler(),
  },
});

/** Stands for a bound parameter when a query is built: its value is never used. */
export const PARAM = 0 as never;

/** Kysely binds a plain LIMIT; this literal leaves a statement with the parameters of its conditions alone. */
export const ONE: RawBuilder<1> = sql.lit(1);

/**
 * A query over one connection, compiled when it is run for the first time: of the some hundred that belong to a journal most
 * callers run a few, and compiling all of them took two thirds of the time that opening it took.
 */
export class Statement<Params extends unknown[], Row = unknown> {
  readonly #db: Db;
  readonly #query: Compilable;
  #isPlucked = false;
  #compiled: Database.Statement<Params, Row> | undefined;

  constructor(db: Db, query: Compilable) {
    this.#db = db;
    this.#query = query;
  }

  /** Rows are from now on the values of their first column. */
  pluck(): this {
    this.#isPlucked = true;
    return this;
  }

  get(...params: Params): Row | undefined {
    return this.#ready().get(...params);
  }

  all(...params: Params): Row[] {
    return this.#ready().all(...params);
  }

  iterate(...params: Params): IterableIterator<Row> {
    return this.#ready().iterate(...params);
  }

  run(...params: Params): Database.RunResult {
    return this.#ready().run(...params);
  }

  #ready(): Database.Statement<Params, Row> {
    if (this.#compiled === undefined) {
      this.#compiled = this.#db.prepare<Params, Row>(this.#query.compile().sql);
      if (this.#isPlucked) this.#compiled.pluck();
    }
    return this.#compiled;
  }
}

/** Parameters are bound by position, in the order in which the query names them. */
export function prepare<Params extends unknown[], Row = unknown>(db: Db, query: Compilable): Statement<Params, Row> {
  return new Statement<Params, Row>(db, query);
}

/** Insert statement over `columns`, bound by position. */
export function prepareInsert<T extends keyof Tables>(
  db: Db,
  table: T,
  columns: readonly (keyof Tables[T] & string)[],
): Statement<unknown[]> {
  const values = Object.fromEntries(columns.map((column) => [column, PARAM]));
  return prepare(db, sqlBuilder.insertInto(table).values(values as never));
}

/** Inserts rows with their locator sums. */
export function prepareSummedInsert<T extends SummedTable>(db: Db, table: T): (row: Summed<T>) => void {
  const columns: readonly SummedColumn<T>[] = SUMMED_COLUMNS[table];
  const insert = prepareInsert(db, table, [...columns, 'sum1', 'sum2'] as never);
  return (row) => {
    const { sum1, sum2 } = locatorSums(table, row);
    const cells: Cell[] = columns.map((column) => row[column]);
    cells.push(sum1, sum2);
    insert.run(cells);
  };
}

/** 20,000 pages of 4 KiB: WAL checkpoints while catching up cost a quarter of what they cost at the default of 1,000. */
const WAL_CHECKPOINT_PAGES = 20_000;

export interface OpenOptions {
  readonly readonly: boolean;
  /** Page cache, MiB. */
  readonly cacheMiB: number;
  /** Told before each migration, with the last one: those over a large journal take seconds. */
  readonly onMigration?: (version: number, last: number) => void;
}

/** Opens an initialised journal. `synchronous` is FULL: what a signed checkpoint covers must survive a power cut. */
export function openDatabase(file: string, options: OpenOptions): Db {
  const db = new Database(file, { readonly: options.readonly, fileMustExist: true, timeout: 5_000 });
  if (!options.readonly) {
    db.pragma('journal_mode = WAL');
    // What is erased leaves no bytes behind; appending frees next to nothing, so that it costs nothing.
    db.pragma('secure_delete = ON');
    db.pragma('synchronous = FULL');
    db.pragma(`wal_autocheckpoint = ${WAL_CHECKPOINT_PAGES}`);
    db.pragma('journal_size_limit = 67108864');
  }
  db.pragma(`cache_size = ${-options.cacheMiB * 1024}`);
  db.pragma('trusted_schema = OFF');
  const version = Number(db.pragma('user_version', { simple: true }));
  if (!options.readonly && version > 0) migrate(db, options.onMigration);
  if (version === 0 || version > MIGRATIONS.length) {
    db.close();
    throw new JournalError(
      'schema_unknown',
      version === 0
        ? `${file} is not an initialised journal: run \`stigmem-peerd init\` first. If the node has one, the file was lost: restore a snapshot (docs/OPERATIONS.md, Backup and restore)`
        : `${file} has schema ${version}, this program knows up to ${MIGRATIONS.length}: a newer stigmem-peerd has opened it. Run that one, or restore the backup that was made before the upgrade`,
    );
  }
  return db;
}

/**
 * Runs `work` as one transaction without waiting for the disk. A power cut may undo it; the next synced commit makes it
 * durable too. For what is made again from the journal, and nothing else.
 */
export function unsynced<T>(db: Db, work: () => T): T {
  db.pragma('synchronous = NORMAL');
  try {
    return db.transaction(work)();
  } finally {
    // Still in it, the connection can be used for nothing any more, and what ended it is what has to be told.
    if (!db.inTransaction) db.pragma('synchronous = FULL');
  }
}

/** Runs the migrations that `db` has not had. Each is one transaction with its version: a crash leaves the one before. */
export function migrate(db: Db, onMigration: (version: number, last: number) => void = () => {}): void {
  const done = Number(db.pragma('user_version', { simple: true }));
  MIGRATIONS.slice(done).forEach((sql, offset) => {
    onMigration(done + offset + 1, MIGRATIONS.length);
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${done + offset + 1}`);
    })();
  });
}

/** Largest key of a table, 0 when it is empty. */
export function lastKey(db: Db, table: keyof Tables, key: string): number {
  return prepareLastKey(db, table, key)();
}

/** The same for whoever asks again: the query is built and compiled when it is first asked for, and once. */
export function prepareLastKey(db: Db, table: keyof Tables, key: string): () => number {
  let statement: Statement<[], number | null> | undefined;
  return () => {
    statement ??= prepare<[], number | null>(
      db,
      sqlBuilder.selectFrom(table).select((q) => q.fn.max(q.ref(key as never)).as('last')),
    ).pluck();
    return Number(statement.get() ?? 0);
  };
}
