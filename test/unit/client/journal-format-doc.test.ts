import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import * as core from '../../../src/client/core.ts';
import { SUMMED_COLUMNS } from '../../../src/journal/locator.ts';
import { DERIVED_TABLES, GUARDED, GUARDED_VIEWS, MIGRATIONS } from '../../../src/journal/schema.ts';

const page = readFileSync(new URL('../../../docs/journal-format.md', import.meta.url), 'utf8');
const shows = (text: string): void => assert.ok(page.includes(text), `the page does not show ${text}`);

test('the worked example is the second entry of the vectors', () => {
  const vectors = JSON.parse(readFileSync(new URL('../../vectors/journal.json', import.meta.url), 'utf8'));
  const [, one] = vectors.entries;
  const decoded = core.decodeEntry(Buffer.from(one.bytes));
  assert.ok(decoded.ok);
  const entry = decoded.value;
  shows(`${core.cidBodyText(entry.confidence, entry)}\n${entry.cid}`);
  shows(`${core.eventText(entry.confidence, entry)}\n${core.eventHashOfText(entry.confidence, entry)}`);
  shows(`${core.linkText(entry)}\n${core.chainHash(entry)}`);
  shows(`\`\`\`\n${core.encodeEntry(entry)}\n\`\`\``);
  const salt = Buffer.from(one.salt, 'base64');
  const hidden = core.commitment(salt, one.bytes);
  shows(`salt        ${salt.toString('hex')}\ncommitment  ${hidden.toString('hex')}`);
  shows(`leaf data   ${core.leafData(hidden).toString('hex')}`);
  shows(`leaf hash   ${core.entryLeafHash(salt, one.bytes).toString('hex')}`);

  const leaves = vectors.entries.map((each: { leaf_hash: string }) => Buffer.from(each.leaf_hash, 'base64'));
  shows(`proof    ${core.inclusionProof(leaves, 1, 3).map(core.encodeBase64).join('\n         ')}`);
  shows(`root     ${core.encodeBase64(core.rootOf(leaves, 3))}`);
  shows(`\`\`\`\n${core.pageProof(leaves, [1, 2], 5).map(core.encodeBase64).join('\n')}\n\`\`\``);
  shows(`\`\`\`\n${vectors.checkpoint.note}\`\`\``);
  shows(`\`\`\`\n${vectors.feed_head.note}\`\`\``);
});

test('the members of an entry are all described, in order', () => {
  const rows = [...page.slice(page.indexOf('## Entry\n')).matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(rows.slice(0, core.ENTRY_KEYS.length), core.ENTRY_KEYS);
});

test('every table and view of the file is described, with its columns in the order of the sums', () => {
  const db = new Database(':memory:');
  for (const sql of MIGRATIONS) db.exec(sql);
  const columns = (table: string): string[] =>
    (db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all() as { name: string }[]).map(({ name }) => name);
  const named = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(' ');

  for (const table of [...Object.keys(GUARDED), ...DERIVED_TABLES]) {
    if (table === 'entries') continue;
    const own = columns(table).filter((name) => name !== 'sum1' && name !== 'sum2');
    shows(`| \`${table}\` | ${named(own)} |`);
  }
  for (const [table, summed] of Object.entries(SUMMED_COLUMNS))
    assert.deepEqual(summed, columns(table).slice(0, summed.length), table);
  const start = page.indexOf('`entries` has, in this order');
  const cells = page
    .slice(start, page.indexOf('### Derived tables'))
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const described = cells.flatMap((line) =>
    [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  assert.deepEqual(described, SUMMED_COLUMNS.entries);
  for (const view of GUARDED_VIEWS) shows(`\`${view}\``);
  db.close();
});
