import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FactBook } from './fact-book.ts';
import { percentile, type Sample, slopePerHour } from './figures.ts';
import { drawSvg } from './picture.ts';
import { csvOf, pictureOf, type Row } from './table.ts';

test('percentiles are values that were measured', () => {
  const values = [5, 1, 4, 2, 3];
  assert.deepEqual(
    [0, 0.5, 0.99, 1].map((share) => percentile(values, share)),
    [1, 3, 5, 5],
  );
  assert.ok(Number.isNaN(percentile([], 0.5)));
});

test('a slope is that of each process, whatever level it starts at, behind its warm-up', () => {
  const life = (name: string, fromS: number, level: number): Sample[] =>
    Array.from({ length: 100 }, (_, i) => ({
      atS: fromS + i * 10,
      life: name,
      ageS: i * 10,
      // 36 a second for a minute, then one in 100 s.
      value: level + Math.min(i * 10, 60) * 36 + Math.max(0, i * 10 - 60) / 100,
    }));
  const samples = [...life('a', 0, 100), ...life('b', 500, 900), ...life('a again', 1_000, 50)];
  assert.ok(Math.abs(slopePerHour(samples, 60) - 36) < 1e-6);
  assert.ok(slopePerHour(samples, 0) > 100);
  assert.ok(Number.isNaN(slopePerHour(samples, 5_000)));
});

test('the book knows what is missing, what is there twice or changed, and what took how long', () => {
  const down = new Set<number>();
  const book = new FactBook((node) => down.has(node));
  const told = [
    { entity: 'e1', value: 'a' },
    { entity: 'e2', value: 'b' },
  ];
  book.asserting(0, told, 1_000);
  assert.deepEqual(book.missing(2), [], 'nothing is owed before it is acknowledged');
  book.stored(told);
  for (const fact of told) book.seen(0, fact, 1_001);
  book.seen(1, { entity: 'e1', value: 'a' }, 1_020);
  assert.deepEqual(book.missing(2), ['e2 is not at 1']);
  down.add(1);
  book.seen(1, { entity: 'e2', value: 'x' }, 1_500);
  book.seen(1, { entity: 'e2', value: 'b' }, 1_600);
  book.seen(1, { entity: 'another’s', value: '' }, 1_600);
  assert.deepEqual(book.problems, ['node 1 shows e2 changed: x', 'node 1 shows e2 twice']);
  assert.deepEqual(book.takeLags(), [
    { ms: 20, undisturbed: true },
    { ms: 500, undisturbed: false },
    { ms: 600, undisturbed: false },
  ]);
  assert.deepEqual([book.takeLags(), book.missing(2), book.asserted], [[], [], 2]);
});

const node = (rssMiB: number) => ({ life: 'n', ageS: 1, rssMiB, handles: 60, cpuS: 1.5, refused: 2 });
const ROWS: readonly Row[] = [
  { atS: 10, load: 1.234, asserted: 4, lags: [{ ms: 10, undisturbed: true }], nodes: [node(150), node(160)] },
  { atS: 20, load: 2, asserted: 5, lags: [], nodes: [node(151), undefined] },
];

test('a node that is down is a gap in the table and in the picture', () => {
  const [head, first, second, end] = csvOf(ROWS, 2).split('\n');
  assert.equal(
    head,
    't_s,load,facts,arrivals,lag_p50_ms,lag_p99_ms,lag_max_ms,refused,cpu_s,rss_mib_n0,rss_mib_n1,fds_n0,fds_n1',
  );
  assert.equal(first, '10,1.23,4,1,10,10,10,4,3.0,150,160,60,60');
  assert.equal(second, '20,2.00,5,0,,,,2,1.5,151,,60,');
  assert.equal(end, '');
  const svg = pictureOf(ROWS, 2);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
});

test('texts in a picture are text', () => {
  const svg = drawSvg('<script>', [0, 1], [{ title: 'a & b', unit: 'x', isLogarithmic: false, lines: [] }]);
  assert.match(svg, /&lt;script>/);
  assert.match(svg, /a &amp; b/);
});
