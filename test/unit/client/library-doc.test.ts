import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { declarations, filled, namesIn, PAGE } from '../../support/library-declarations.ts';

const page = readFileSync(PAGE, 'utf8');
const entry = new URL('../../../src/client/core.ts', import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), 'library-doc-'));
after(() => rmSync(folder, { recursive: true }));

test('every export is documented, once', () => {
  const names = namesIn(page);
  assert.deepEqual(names.toSorted(), [...declarations().keys()].sort());
});

test('the declarations on the page are those of the source', () => {
  assert.equal(filled(page), page, 'bring it up to date: node test/support/library-declarations.ts');
});

const examples = [...page.matchAll(/## ([^\n]+)\n(?:(?!\n## )[\s\S])*?```js\n([\s\S]*?)```/g)];

test('each group has an example', () => {
  assert.equal(examples.length, page.match(/<!-- declares/g)?.length);
  assert.equal(examples.length, page.match(/^```js$/gm)?.length);
});

for (const [place, [, heading = '', code = '']] of examples.entries()) {
  test(`the example under "${heading}" runs`, async () => {
    const file = join(folder, `${place}.mjs`);
    writeFileSync(file, code.replace("'stigmem-peerd/core'", `'${entry}'`));
    await import(pathToFileURL(file).href);
  });
}
