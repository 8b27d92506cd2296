/**
 * Fills the index of words behind the journal, in order. It may be dropped or emptied at any time: it is made again from
 * the first entry on.
 */
import { sql } from 'kysely';
import { SCOPES } from '../core/scope.ts';
import { type Db, lastKey, PARAM, prepare, type Statement, sqlBuilder, unsynced } from '../journal/database.ts';
import { hasBody } from '../journal/erased-row.ts';
import { Marks } from '../journal/marks.ts';
import { type IndexedFields, indexedText, scopeToken } from '../journal/recall-text.ts';
import { RECALL_INDEX } from '../journal/schema.ts';
import type { EntryRow } from '../journal/tables-logs.ts';

/** Entries of one step. FTS5 collects a transaction's words in memory and writes them sorted. */
const STEP_ENTRIES = 5_000;
/** Entries between two looks at the clock; 16 of the longest values take some 10 ms. */
const SLICE_ENTRIES = 16;
/**
 * Pages that a step may write to join older parts of the index. FTS5's own joining is off: it comes as one large part out
 * of many, up to 0.2 s inside a commit.
 */
const MERGE_PAGES = 16;
const MERGE = "INSERT INTO recall_index (recall_index, rank) VALUES ('merge', ?)";
/** Words that are taken out leave no trace in older parts of the index. */
const OPTIONS = `INSERT INTO recall_index (recall_index, rank) VALUES ('automerge', 0);
INSERT INTO recall_index (recall_index, rank) VALUES ('secure-delete', 1);`;
const POSITION = 'recalled';
const ANY_SCOPE = SCOPES.map((scope) => `"${scopeToken(scope)}"`).join(' OR ');

type Indexed = IndexedFields & Pick<EntryRow, 'chain_seq'>;

export class RecallIndex {
  readonly #db: Db;
  readonly #next: Statement<[number, number], Indexed>;
  readonly #marks: Marks;
  #insert: Statement<[number, string]>;
  #merge: ReturnType<Db['prepare']>;
  #remove: Statement<[number, string]>;
  #position: number;

  constructor(db: Db) {
    this.#db = db;
    this.#next = prepare(
      db,
      sqlBuilder
        .selectFrom('entries')
        .select(['chain_seq', 'entity', 'relation', 'value_v', 'scope'])
        .where('chain_seq', '>', PARAM)
        .where(hasBody)
        .orderBy('chain_seq')
        .limit(PARAM),
    );
    this.#marks = new Marks(db);
    if (!isThere(db)) db.exec(RECALL_INDEX);
    this.#insert = insertInto(db);
    this.#merge = db.prepare(MERGE);
    this.#remove = removeFrom(db);
    this.#position = storedPosition(db);
    if (!this.#isFilledTo(this.#position)) this.rebuild();
    else if (!hasOptions(db)) db.exec(OPTIONS);
  }

  /** `chain_seq` of the last entry whose words can be found. */
  get position(): number {
    return this.#position;
  }

  lag(journalSize: number): number {
    return journalSize - this.#position;
  }

  /**
   * Takes in up to one step of entries, in a transaction of its own.
   *
   * @param isOver asked between entries: the step ends when it says so
   * @returns how many it took
   */
  advance(isOver: () => boolean = () => false): number {
    const from = this.#position;
    if (this.#next.all(from, 1).length === 0) return 0;
    const to = unsynced(this.#db, () => this.#take(from, isOver));
    this.#position = to;
    return to - from;
  }

  /** @returns the last position that was taken */
  #take(from: number, isOver: () => boolean): number {
    let to = from;
    do {
      const rows = this.#next.all(to, SLICE_ENTRIES);
      if (rows.length === 0) break;
      for (const row of rows) this.#insert.run(row.chain_seq, indexedText(row));
      to = rows.at(-1)?.chain_seq ?? to;
    } while (to - from < STEP_ENTRIES && !isOver());
    this.#merge.run(MERGE_PAGES);
    this.#marks.put(POSITION, to);
    return to;
  }

  /** Takes the words of an entry whose body is erased out of the index. The caller holds the transaction. */
  forget(row: Indexed): void {
    if (row.chain_seq <= this.#position) this.#remove.run(row.chain_seq, indexedText(row));
  }

  /** Empties the index; `advance` fills it again. */
  rebuild(): void {
    this.#db.transaction(() => {
      // Dropped, not emptied: the shadow tables may be what is damaged.
      this.#db.exec(`DROP TABLE IF EXISTS recall_index;${RECALL_INDEX}${OPTIONS}`);
      this.#marks.put(POSITION, 0);
    })();
    this.#insert = insertInto(this.#db);
    this.#merge = this.#db.prepare(MERGE);
    this.#remove = removeFrom(this.#db);
    this.#position = 0;
  }

  /** An index that was emptied, or is of another file, lacks the last entry that it should have. */
  #isFilledTo(position: number): boolean {
    try {
      return Number(prepareMatches(this.#db).get(ANY_SCOPE, Number.MAX_SAFE_INTEGER, 1) ?? 0) === position;
    } catch (error) {
      if (isSqliteError(error)) return false;
      throw error;
    }
  }
}

/** Positions of entries that an FTS5 expression finds, newest first. Parameters: expression, exclusive end, limit. */
export function prepareMatches(db: Db): Statement<[string, number, number], number> {
  const query = sqlBuilder
    .selectFrom('recall_index')
    .select('rowid')
    .where(sql<boolean>`recall_index MATCH ${PARAM}`)
    .where('rowid', '<', PARAM)
    .orderBy('rowid', 'desc')
    .limit(PARAM);
  return prepare<[string, number, number], number>(db, query).pluck() as Statement<[string, number, number], number>;
}

function isSqliteError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_');
}

function isThere(db: Db): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'recall_index'").get() !== undefined;
}

function hasOptions(db: Db): boolean {
  const config = db.prepare<[string], number>('SELECT v FROM recall_index_config WHERE k = ?').pluck();
  return config.get('automerge') === 0 && config.get('secure-delete') === 1;
}

function insertInto(db: Db): Statement<[number, string]> {
  return prepare(db, sqlBuilder.insertInto('recall_index').values({ rowid: PARAM, words: PARAM }));
}

function removeFrom(db: Db): Statement<[number, string]> {
  const command = sql`INSERT INTO recall_index (recall_index, rowid, words) VALUES ('delete', ${PARAM}, ${PARAM})`;
  return prepare(db, { compile: () => command.compile(sqlBuilder) });
}

function storedPosition(db: Db): number {
  const stored = new Marks(db).get(POSITION) ?? 0;
  // A position beyond the journal can only be a leftover of another file: start again.
  return stored > lastKey(db, 'entries', 'chain_seq') ? 0 : stored;
}
