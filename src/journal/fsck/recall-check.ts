/** The index of words: what it holds has to follow from the entries that it covers. */
import Database from 'better-sqlite3';
import { sql } from 'kysely';
import { type Db, PARAM, prepare, sqlBuilder } from '../database.ts';
import { hasBody } from '../erased-row.ts';
import { type IndexedFields, indexedText } from '../recall-text.ts';
import { RECALL_INDEX } from '../schema.ts';
import type { FsckContext } from './context.ts';
import type { EntryTotals } from './entry-check.ts';

/** Entries that are indexed anew at a time: memory does not grow with the journal. */
const BATCH = 2_000;
const WORDS = "CREATE VIRTUAL TABLE temp.recall_words USING fts5vocab('main', 'recall_index', 'instance')";
/**
 * One number for a word in an entry, below 2^31, so that no sum overflows. A product: moving a word to another entry
 * changes the sum. Finds damage, not an adversary: the index is derived.
 */
const MARK = sql<number>`sum((doc % 65521 + 1) * ((unicode(term) * 331 + unicode(substr(term, 1 + length(term) / 2)) * 31
  + unicode(substr(term, -1)) * 7 + length(term)) % 32749 + 1))`;

interface WordSum {
  readonly words: number;
  readonly mark: number;
}

/** @param recalled position of the index, as stored */
export function checkRecallIndex(ctx: FsckContext, recalled: number, entries: EntryTotals): void {
  const { findings } = ctx;
  const report = (row: number | null, code: string, detail: string): void =>
    findings.problem({ table: 'recall_index', row, field: 'words', code, detail });
  if (recalled > entries.rows) {
    report(null, 'projection_ahead', `${recalled} entries were indexed, the journal has ${entries.rows}`);
    return;
  }
  if (recalled < entries.rows) {
    const detail = `recall knows ${recalled} of ${entries.rows} entries: the daemon adds the rest`;
    findings.notice('recall_index_behind', detail);
  }
  const derived = derivedSums(ctx, recalled);
  // Words of entries that were changed differ for that reason.
  if (findings.isDamaged('entries')) return;
  const wrong = firstDifference(ctx.db, derived);
  if (wrong === undefined) return;
  const range = `${wrong * BATCH} to ${wrong * BATCH + BATCH - 1}`;
  report(
    wrong * BATCH,
    'recall_index_wrong',
    `words of entries ${range} do not follow from them: the daemon makes it anew`,
  );
}

/** Sums by batch, of an index that is made anew in memory. */
function derivedSums(ctx: FsckContext, recalled: number): ReadonlyMap<number, WordSum> {
  const model = new Database(':memory:');
  try {
    model.exec(RECALL_INDEX);
    model.exec(WORDS);
    const insert = prepare(model, sqlBuilder.insertInto('recall_index').values({ rowid: PARAM, words: PARAM }));
    const sums = new Map<number, WordSum>();
    const close = (batch: number): void => {
      sums.set(batch, total(model));
      model.exec("INSERT INTO recall_index (recall_index) VALUES ('delete-all')");
    };
    let batch = 0;
    for (const row of indexedRows(ctx.db, recalled)) {
      ctx.step('recall_index', row.chain_seq, recalled);
      const own = Math.floor(row.chain_seq / BATCH);
      if (own !== batch) close(batch);
      batch = own;
      insert.run(row.chain_seq, indexedText(row));
    }
    if (recalled > 0) close(batch);
    return sums;
  } finally {
    model.close();
  }
}

/** Compares everything at once; only if that differs is the first batch searched for. */
function firstDifference(db: Db, derived: ReadonlyMap<number, WordSum>): number | undefined {
  db.exec(WORDS);
  try {
    const all = [...derived.values()];
    const words = all.reduce((sum, one) => sum + one.words, 0);
    const mark = all.reduce((sum, one) => sum + one.mark, 0);
    const stored = total(db);
    if (stored.words === words && stored.mark === mark) return undefined;
    const found = byBatch(db);
    const batches = [...new Set([...derived.keys(), ...found.keys()])].sort((a, b) => a - b);
    return batches.find((batch) => {
      const [a, b] = [derived.get(batch), found.get(batch)];
      return a?.words !== b?.words || a?.mark !== b?.mark;
    });
  } finally {
    db.exec('DROP TABLE temp.recall_words');
  }
}

function total(db: Db): WordSum {
  const query = sqlBuilder.selectFrom('recall_words').select([sql<number>`count(*)`.as('words'), MARK.as('mark')]);
  const row = prepare<[], { words: number; mark: number | null }>(db, query).get();
  return { words: row?.words ?? 0, mark: row?.mark ?? 0 };
}

function byBatch(db: Db): ReadonlyMap<number, WordSum> {
  const batch = sql<number>`doc / ${sql.lit(BATCH)}`;
  const query = sqlBuilder
    .selectFrom('recall_words')
    .select([batch.as('batch'), sql<number>`count(*)`.as('words'), MARK.as('mark')])
    .groupBy(batch);
  const rows = prepare<[], WordSum & { batch: number }>(db, query).all();
  return new Map(rows.map(({ batch: key, words, mark }) => [key, { words, mark }]));
}

function indexedRows(db: Db, recalled: number): IterableIterator<IndexedFields & { readonly chain_seq: number }> {
  const query = sqlBuilder
    .selectFrom('entries')
    .select(['chain_seq', 'entity', 'relation', 'value_v', 'scope'])
    .where('chain_seq', '<=', PARAM)
    .where(hasBody)
    .orderBy('chain_seq');
  return prepare<[number], IndexedFields & { chain_seq: number }>(db, query).iterate(recalled);
}
