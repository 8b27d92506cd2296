/**
 * Fills the index of words behind the journal, in order. It may be dropped or emptied at any time: it is made again from
 * the first entry on.
 */
import { sql } from 'kysely';
import { SCOPES } from '../core/scope.ts';
import { type Db, lastKey, PARAM, prepare, type Statement, sqlBuilder } from '../journal/database.ts';
import { type IndexedFields, indexedText, scopeToken } from '../journal/recall-text.ts';
import { RECALL_INDEX } from '../journal/schema.ts';
import type { EntryRow } from '../journal/tables.ts';

/** Entries of one step. FTS5 collects a transaction's words in memory and writes them sorted. */
const STEP_ENTRIES = 5_000;
const POSITION = 'recalled';
const ANY_SCOPE = SCOPES.map((scope) => `"${scopeToken(scope)}"`).join(' OR ');

type Indexed = IndexedFields & Pick<EntryRow, 'chain_seq'>;

export class RecallIndex {
  readonly #db: Db;
  readonly #next: Statement<[number, number], Indexed>;
  readonly #save: Statement<unknown[]>;
  #insert: Statement<[number, string]>;
  #position: number;

  constructor(db: Db) {
    this.#db = db;
    this.#next = prepare(
      db,
      sqlBuilder
        .selectFrom('entries')
        .select(['chain_seq', 'entity', 'relation', 'value_v', 'scope'])
        .where('chain_seq', '>', PARAM)
        .orderBy('chain_seq')
        .limit(PARAM),
    );
    this.#save = prepare(db, sqlBuilder.replaceInto('state').values({ name: PARAM, value: PARAM }));
    if (!isThere(db)) db.exec(RECALL_INDEX);
    this.#insert = insertInto(db);
    this.#position = storedPosition(db);
    if (!this.#isFilledTo(this.#position)) this.rebuild();
  }

  /** `chain_seq` of the last entry whose words can be found. */
  get position(): number {
    return this.#position;
  }

  lag(journalSize: number): number {
    return journalSize - this.#position;
  }

  /** Takes in up to one step of entries, in a transaction of its own. @returns how many it took */
  advance(maxEntries: number = STEP_ENTRIES): number {
    const rows = this.#next.all(this.#position, Math.min(maxEntries, STEP_ENTRIES));
    const last = rows.at(-1)?.chain_seq;
    if (last === undefined) return 0;
    this.#db.transaction(() => {
      for (const row of rows) this.#insert.run(row.chain_seq, indexedText(row));
      this.#save.run(POSITION, last);
    })();
    this.#position = last;
    return rows.length;
  }

  /** Empties the index; `advance` fills it again. */
  rebuild(): void {
    this.#db.transaction(() => {
      // Dropped, not emptied: the shadow tables may be what is damaged.
      this.#db.exec(`DROP TABLE IF EXISTS recall_index;${RECALL_INDEX}`);
      this.#save.run(POSITION, 0);
    })();
    this.#insert = insertInto(this.#db);
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

function insertInto(db: Db): Statement<[number, string]> {
  return prepare(db, sqlBuilder.insertInto('recall_index').values({ rowid: PARAM, words: PARAM }));
}

function storedPosition(db: Db): number {
  const query = sqlBuilder.selectFrom('state').select('value').where('name', '=', PARAM);
  const stored = Number(prepare<[string], number>(db, query).pluck().get(POSITION) ?? 0);
  // A position beyond the journal can only be a leftover of another file: start again.
  return stored > lastKey(db, 'entries', 'chain_seq') ? 0 : stored;
}
