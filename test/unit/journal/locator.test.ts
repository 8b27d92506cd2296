import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { type Cell, locate, locatorSums, SUMMED_COLUMNS, type Summed } from '../../../src/journal/locator.ts';
import { MIGRATIONS } from '../../../src/journal/schema.ts';
import type { SummedTable } from '../../../src/journal/tables.ts';

const TABLES = Object.keys(SUMMED_COLUMNS) as SummedTable[];

function model(): Database.Database {
  const db = new Database(':memory:');
  for (const sql of MIGRATIONS) db.exec(sql);
  return db;
}

const cell: fc.Arbitrary<Cell> = fc.oneof(
  fc.string(),
  fc.maxSafeNat(),
  fc.double({ noNaN: true, min: 0, max: 1 }),
  fc.uint8Array({ maxLength: 64 }),
  fc.constant(null),
);

function isSame(a: Cell, b: Cell): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return Object.is(a, b) || (a === 0 && b === 0);
}

for (const table of TABLES) {
  describe(table, () => {
    const columns: readonly string[] = SUMMED_COLUMNS[table];

    test('sums cover every stored column, in the order of the schema', () => {
      const db = model();
      const stored = db
        .prepare<[], { name: string; hidden: number }>(`PRAGMA table_xinfo(${table})`)
        .all()
        .filter(({ hidden }) => hidden === 0)
        .map(({ name }) => name);
      db.close();
      assert.deepEqual([...columns, 'sum1', 'sum2'].sort(), stored.sort());
    });

    test('any change of any one column is located', () => {
      const rows = fc.tuple(...columns.map(() => cell));
      fc.assert(
        fc.property(rows, fc.nat(columns.length - 1), cell, (cells, at, other) => {
          fc.pre(!isSame(cells[at] as Cell, other));
          const row = Object.fromEntries(columns.map((name, i) => [name, cells[i]])) as Summed<typeof table>;
          const sums = locatorSums(table, row);
          assert.equal(locate(table, { ...row, ...sums }), undefined);
          const changed = { ...row, ...sums, [columns[at] as string]: other };
          // A number and a text may share a checksum; a stored column keeps its type.
          fc.pre(typeof cells[at] === typeof other || other === null || cells[at] === null);
          assert.equal(locate(table, changed), columns[at]);
        }),
        { numRuns: 300 },
      );
    });

    test('a changed sum is located, and two changed columns are not taken for one', () => {
      const row = Object.fromEntries(columns.map((name, i) => [name, `cell ${i}`])) as Summed<typeof table>;
      const sums = locatorSums(table, row);
      assert.equal(locate(table, { ...row, ...sums, sum1: sums.sum1 + 1 }), 'sum1');
      assert.equal(locate(table, { ...row, ...sums, sum2: sums.sum2 - 1 }), 'sum2');
      const [first, second] = columns as [string, string];
      const both = { ...row, ...sums, [first]: 'x', [second]: 'y' };
      assert.equal(locate(table, both), 'several');
    });
  });
}

test('null and the empty text, a number and its negative are different', () => {
  const row = { feed_id: 0, name: '' as Cell };
  const sums = locatorSums('feeds', row);
  assert.equal(locate('feeds', { ...row, ...sums, name: null }), 'name');
  const five = { feed_id: 5, name: 'x' };
  assert.equal(locate('feeds', { ...five, ...locatorSums('feeds', five), feed_id: -5 }), 'feed_id');
});
