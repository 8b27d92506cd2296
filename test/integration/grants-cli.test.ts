/** `grant`, `explain` and `disclosed` on the command line, over a data folder whose node does not run. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { grantText } from '../../src/core/disclosure.ts';
import { type CliFixture, createCliFixture, type Ran } from '../support/cli-fixture.ts';
import { createFolder, type DataFolder, type FolderApi, openFolderApi } from '../support/data-folder.ts';
import { NAMED_KEY } from '../support/log-vkey.ts';

const PEER_ID = '12D3KooWNoN9sn86jWjb9F2u6czwcaJuLR2nZSzLekFnhtpxV5Ue';
const GLOBEX = 'stigmem://globex.example';
const peerFile = (lines: string): string =>
  `node_id = "${GLOBEX}"\npeer_id = "${PEER_ID}"\nlog_key = "${NAMED_KEY}"\n${lines}`;

let folder: DataFolder;
let api: FolderApi;
let cli: CliFixture;
let proposed: string;
const ids: string[] = [];
before(async () => {
  folder = await createFolder();
  const lines = 'share = ["public", { feed = "company", not_after = 2020-01-01T00:00:00Z }]\n';
  writeFileSync(join(folder.dir, 'peers', 'globex.toml'), peerFile(lines), { mode: 0o600 });
  proposed = join(folder.dir, 'proposed.toml');
  api = await openFolderApi(folder);
  cli = await createCliFixture();
  // The commands of this process, and the API over the real folder.
  cli.node.openOffline = async () => ({
    fetch: async (request) => {
      const headers = new Headers(request.headers);
      headers.set('authorization', `Bearer ${folder.keys.admin}`);
      return api.api.fetch(new Request(request, { headers }));
    },
    close: async () => undefined,
  });
  for (const scope of ['public', 'public', 'company', 'team']) {
    const value = { type: 'text', v: `value ${ids.length}` };
    const body = { entity: `e:${ids.length}`, relation: 'x:note', source: 's', value, scope };
    const response = await api.send('/v1/facts', { as: 'full', body });
    assert.equal(response.status, 201);
    ids.push(((await response.json()) as { id: string }).id);
  }
  const grant = grantText(GLOBEX, { feed: 'public', notBeforeMs: null, notAfterMs: null });
  await api.base.writer.disclose({ peer: GLOBEX, feed: 'public', after: 0, to: 1, treeSize: 2, grant });
});
after(async () => {
  await cli.close();
  await api.close();
  folder.remove();
});

function run(...args: readonly string[]): Promise<Ran> {
  return cli.runBare([...args, '--data', folder.dir]);
}

test('grant preview: what it may read, what not and why', async () => {
  const { code, stdout, stderr } = await run('grant', 'preview', 'globex');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^globex may read 2 facts now\./);
  assert.match(stdout, /public +2 +1 +0 +sent: globex is granted public/);
  assert.match(
    stdout,
    /company +1 +not sent because the grant of company to globex ended at 2020-01-01T00:00:00\.000Z/,
  );
  assert.match(stdout, /team +1 +not sent because the file of globex does not say allow_team = true/);
  assert.ok(stdout.includes(ids[1] ?? ''), 'the newest fact is named');
  const one = await run('grant', 'preview', 'globex', '--limit', '1', '--json');
  assert.deepEqual(
    JSON.parse(one.stdout).examples.map(({ fact_id }: { fact_id: string }) => fact_id),
    [ids[1]],
  );
  assert.equal((await run('grant', 'preview', 'nobody')).code, 3);
});

test('explain: the rule, and whether it was given', async () => {
  const given = await run('explain', ids[0] ?? '', 'globex');
  assert.match(
    given.stdout,
    /^public 1: sent: globex is granted public\.\nGiven .* with public 1 to 1, under \{"feed":"public",/,
  );
  assert.match(given.stdout, /globex has signed no receipt for it yet\./);
  const not = await run('explain', ids[3] ?? '', GLOBEX);
  assert.match(not.stdout, /^team 1: not sent because .* allow_team = true\.\nIt was never given to globex\.\n$/);
  assert.equal((await run('explain', 'no-such-fact', 'globex')).code, 3);
});

test('grant diff: counts and examples, nothing written', async () => {
  writeFileSync(proposed, peerFile('share = ["company", "team"]\nallow_team = true\n'));
  const { code, stdout, stderr } = await run('grant', 'diff', proposed);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^For stigmem:\/\/globex\.example \(in force: globex\): 2 facts would start to flow\.\n/);
  assert.match(stdout, /Of what stops, it was given 1 fact already; they stay there\./);
  assert.ok(stdout.includes(ids[2] ?? '') && stdout.includes(ids[3] ?? ''));
  assert.match((await run('grant', 'diff', 'globex')).stdout, /^Nothing changes for stigmem:\/\/globex\.example/);
  writeFileSync(proposed, peerFile('share = ["local"]\n'));
  const refused = await run('grant', 'diff', proposed);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /local facts never leave their node/);
});

test('disclosed: by feed and grant, run by run, and for one fact', async () => {
  const all = await run('disclosed', 'globex', '--runs');
  assert.match(all.stdout, /public +1 +1 +1 +\S+ +\S+ +sha256:[0-9a-f]{64}/);
  assert.match(all.stdout, /SENT +FEED +FROM +TO +GRANT/);
  assert.match((await run('disclosed', GLOBEX, '--fact', ids[0] ?? '')).stdout, /public +1 +1 +sha256:/);
  assert.match((await run('disclosed', 'globex', '--fact', ids[1] ?? '')).stdout, /was never given/);
  assert.match((await run('disclosed', 'nobody')).stderr, /got "nobody", which has no file under peers/);
  assert.match((await run('disclosed', 'stigmem://hooli.example')).stdout, /was never given anything\.$/m);
});
