import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScreen } from '../../../src/cli/screen.ts';

const screen = createScreen({ write: () => undefined, isTTY: false, columns: undefined, rows: undefined }, {});
const colored = createScreen({ write: () => undefined, isTTY: true, columns: 80, rows: 40 }, {});

test('names and values, lines below each other', () => {
  const rows = [
    ['seq', 42],
    ['evidence hash', null],
    ['evidence', { lines: ['{', '  "a": 1', '}'] }],
  ] as const;
  const plain = 'seq            42\nevidence hash  –\nevidence       {\n                 "a": 1\n               }';
  assert.equal(screen.pairs(rows), plain);
  const bold = colored.pairs(rows);
  assert.ok(bold.startsWith('\u001b[1mseq\u001b[22m            42\n'), JSON.stringify(bold));
});

test('evidence of thousands of lines is shown at once', () => {
  const lines = Array.from({ length: 20_000 }, (_, at) => `  "field ${at}": "value"`);
  const started = performance.now();
  const text = screen.pairs([['evidence', { lines }]]);
  assert.equal(text.split('\n').length, lines.length);
  assert.ok(performance.now() - started < 2_000, 'it took minutes for hundreds');
});
