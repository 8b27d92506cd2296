import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable } from '../../../src/cli/printable.ts';

test('what has nothing to see, moves the cursor or turns the line is written out', () => {
  assert.equal(printable('Zoë 山 é ✓'), 'Zoë 山 é ✓');
  assert.equal(printable('a\u001b[2J\u202eb\u200b'), 'a\\u{1b}[2J\\u{202e}b\\u{200b}');
  assert.equal(printable('a\u3164\u115f\uffa0\u034f\ufe0fb'), 'a\\u{3164}\\u{115f}\\u{ffa0}\\u{34f}\\u{fe0f}b');
  assert.equal(printable('a\u{e0061}b\ud800'), 'a\\u{e0061}b\\u{d800}');
});
