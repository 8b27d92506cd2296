/** What a query becomes: letters and digits, each run of them one token of FTS5, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { RECALL_INDEX } from '../../../src/journal/schema.ts';
import { countWords, termsOf } from '../../../src/projections/recall-words.ts';

const db = new Database(':memory:');
db.exec(RECALL_INDEX);
const match = db.prepare('SELECT rowid FROM recall_index WHERE recall_index MATCH ?');
const insert = db.prepare('INSERT INTO recall_index (rowid, words) VALUES (?, ?)');

test('every letter and digit of Unicode stands inside one token', () => {
  for (let code = 0x30; code < 0x110000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    for (const term of termsOf(`a${String.fromCodePoint(code)}b`)) {
      // A run that FTS5 would cut in two is a phrase, which an index without positions refuses.
      assert.doesNotThrow(() => match.all(term.match), `U+${code.toString(16)}`);
    }
  }
});

test('no text reaches the query syntax', () => {
  const syntax = fc.constantFrom(
    '"',
    "'",
    '*',
    '^',
    ':',
    '(',
    ')',
    '{',
    '}',
    '-',
    '+',
    ' NEAR ',
    ' OR ',
    ' NOT ',
    '\0',
  );
  const hostile = fc.array(fc.oneof(syntax, fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 30 });
  fc.assert(
    fc.property(hostile, (parts) => {
      const terms = termsOf(parts.join(''));
      assert.ok(terms.length <= 24);
      for (const term of terms) {
        assert.match(term.match, /^"[\p{L}\p{N}]+"$/u);
        match.all(term.match);
      }
      if (terms.length > 0) match.all(terms.map((term) => term.match).join(' AND '));
    }),
    { numRuns: 2_000 },
  );
});

test('what is found does not depend on case, accents or how they are encoded', () => {
  insert.run(1, 'stigmem://acme.example/Straße Ångström nai\u0308ve ЁЛКА');
  for (const word of ['ångstrom', 'ANGSTRÖM', 'naïve', 'NAIVE', 'na\u00efve', 'ёлка', 'straße', 'acme']) {
    const [term] = termsOf(word);
    assert.deepEqual(match.all(term?.match), [{ rowid: 1 }], word);
    const { counts } = countWords('stigmem://acme.example/Straße Ångström nai\u0308ve ЁЛКА');
    assert.equal(counts.get(term?.folded ?? ''), 1, word);
  }
});

test('each word counts once, overlong ones are left out', () => {
  assert.deepEqual(
    termsOf(`up UP Up. ${'x'.repeat(65)} down`).map(({ folded }) => folded),
    ['up', 'down'],
  );
  assert.deepEqual(termsOf('… — !'), []);
});
