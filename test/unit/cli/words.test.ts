/** Words for people: what is not there is named with the next command, one is one, and what nobody has set up says where to. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { human } from '../../../src/cli/fsck.ts';
import { notFound } from '../../../src/cli/not-found.ts';
import { createScreen } from '../../../src/cli/screen.ts';
import { dataPaths } from '../../../src/config/data-dir.ts';
import { plural, pluralIs } from '../../../src/core/plural.ts';
import { LOCK_FILE } from '../../../src/journal/files.ts';
import { takeLock } from '../../../src/journal/lock.ts';
import { type CliFixture, createCliFixture, fsckReport } from '../../support/cli-fixture.ts';

let cli: CliFixture;
before(async () => {
  cli = await createCliFixture();
});
after(() => cli.close());

const NOBODY = '01890000-0000-7000-8000-000000000000';

test('what is not there: the id that was given, the next command, exit 3, and the code of the node', async () => {
  const asked: readonly (readonly [command: string, id: string, see: string, code: string])[] = [
    [`query ${NOBODY}`, NOBODY, 'query', 'refused'],
    [`retract ${NOBODY}`, NOBODY, 'query', 'refused'],
    [`tombstone add ${NOBODY}`, NOBODY, 'query', 'fact_not_found'],
    [`quarantine promote ${NOBODY} --reason x`, NOBODY, 'query', 'fact_unknown'],
    ['case show 42', '42', 'case list', 'case_unknown'],
    ['case ack 42', '42', 'case list', 'case_unknown'],
    ['approval show 7', '7', 'approval list', 'proposal_unknown'],
    ['approval reject 7 --reason x', '7', 'approval list', 'proposal_unknown'],
    ['audit show 4242', '4242', 'audit list', 'refused'],
    [`explain ${NOBODY} nobody`, 'nobody', 'peer list', 'refused'],
  ];
  for (const [command, id, see, code] of asked) {
    const ran = await cli.run(`${command} --json`);
    const said = `${command}: ${ran.stderr}`;
    assert.equal(ran.code, 3, said);
    assert.ok(ran.stderr.includes(`got ${JSON.stringify(id)}, which none has\nSee: stigmem-peerd ${see}\n`), said);
    assert.equal(ran.json().error.code, code, said);
  }
  assert.match((await cli.run(`query ${NOBODY}`)).stderr, /a fact that is here and that this key may see/);
  assert.equal(notFound(['garden not found'], 'refused', { fact: NOBODY }), null, 'of nothing that was asked for');
});

test('one is one', () => {
  assert.deepEqual(
    [plural(0, 'fact'), plural(1, 'fact'), plural(12_789, 'fact'), plural(1, 'entry', 'entries')],
    ['0 facts', '1 fact', '12,789 facts', '1 entry'],
  );
  assert.deepEqual([pluralIs(1, 'entry', 'entries'), pluralIs(2, 'entry', 'entries')], ['1 entry is', '2 entries are']);
  const report = fsckReport({}, 0);
  const checked = { ...report.checked, entries: 1, audit: 1, page_entries: 1, evidence: 1, tiles: 2 };
  const text = human({ ...report, checked }, createScreen({ write: () => {}, isTTY: false, columns: 80, rows: 1 }, {}));
  assert.match(text, /1 entry, 1 audit, 2 tiles, 1 page entry, 1 evidence/);
});

test('lists and status say one fact, one record, one entry', async () => {
  const said = await cli.run(
    'assert --entity stigmem://example/h/1 --relation a:b --value x --source stigmem://example/agent/a --scope company',
  );
  assert.equal(said.code, 0, said.stderr);
  assert.match((await cli.run('query')).stdout, /\n\n1 fact\n$/);
  assert.match((await cli.run('status')).stdout, /journal +1 fact, audit log \d+ records?\n/);
});

test('no place to ship to: which table of which file, and how', async () => {
  const none = await cli.run('export worm status');
  const { config } = dataPaths(cli.dir);
  assert.equal(none.code, 0, none.stderr);
  assert.ok(none.stdout.includes(`Set target in [worm] of ${config}, to a folder or s3://`), none.stdout);
  const other = await createCliFixture();
  appendFileSync(dataPaths(other.dir).config, '\n');
  const path = join(other.dir, '..', 'worm');
  const ran = await other.run('export worm status', { env: { STIGMEM_PEERD_WORM_TARGET: path } });
  await other.close();
  assert.match(ran.stdout, /target is set in .*config\.toml, and no daemon runs with it\. Start it/);
});

test('keys of a node that runs: stop it, change them, start it; no API is promised that there is not', async () => {
  const other = await createCliFixture();
  const lock = takeLock(join(other.dir, LOCK_FILE));
  const ran = await other.run('keys rotate log');
  lock.release();
  await other.close();
  assert.equal(ran.code, 5);
  assert.match(
    ran.stderr,
    /another stigmem-peerd works on this data folder \(.* is locked\): stop it first\nKeys are changed while the daemon is stopped: stop it, then stigmem-peerd keys rotate log, then start it\.\n$/,
  );
});
