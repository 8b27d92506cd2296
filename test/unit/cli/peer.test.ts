import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { readPeerFile } from '../../../src/config/peer-file.ts';
import { parseVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { type CliFixture, createCliFixture } from '../../support/cli-fixture.ts';

const GLOBEX = '12D3KooWNoN9sn86jWjb9F2u6czwcaJuLR2nZSzLekFnhtpxV5Ue';
const UMBRELLA = '12D3KooWDZ2VFAaWAcDVyENYa6bHbUdnEmx1Fhw57cTP8dQEL5us';
const LOG_KEY = '--log-key globex.example/journal/0+0a1b2c3d+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
const ADD = `peer add globex --node-id stigmem://globex.example --peer-id ${GLOBEX} ${LOG_KEY}`;

let cli: CliFixture;
let file: string;
beforeEach(async () => {
  cli = await createCliFixture();
  file = join(cli.dir, 'peers', 'globex.toml');
});
afterEach(() => cli.close());

test('add writes a whole peer file that nobody else reads, and says what it grants', async () => {
  const { code, stdout } = await cli.run(
    `${ADD} --address /dns4/peerd.globex.example/tcp/4101 --share public company/incident-42,not_after=2027-01-01T00:00:00Z --accept public`,
  );
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^Added globex: .*globex\.toml\nIt may read public, company\/incident-42; we take public from it\.\n$/,
  );
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const read = readPeerFile(file);
  assert.ok(read.ok);
  assert.deepEqual(read.value.namespaces, ['globex.example']);
  assert.deepEqual(read.value.share[1], {
    feed: 'company/incident-42',
    notBeforeMs: null,
    notAfterMs: Date.parse('2027-01-01T00:00:00Z'),
  });
});

test('without grants nothing is granted, and it says so', async () => {
  const { stdout } = await cli.run(ADD);
  assert.match(stdout, /It may read nothing; we take nothing from it\./);
});

test('team facts are granted by a word of their own', async () => {
  const refused = await cli.run(`${ADD} --share team`);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /does not say allow_team = true/);
  assert.equal((await cli.run(`${ADD} --share team --allow-team`)).code, 0);
  const read = readPeerFile(file);
  assert.ok(read.ok && read.value.allowTeam);
});

test('a partner is not overwritten unless asked', async () => {
  await cli.run(`${ADD} --share public`);
  const again = await cli.run(ADD);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /which has a file: .*\nChoose another name, or add --replace\./);
  const replaced = await cli.run(`${ADD} --replace --json`);
  assert.equal(replaced.code, 0);
  assert.equal(replaced.json().replaced, true);
  assert.ok(!readFileSync(file, 'utf8').includes('share = ["public"]'));
});

test('a partner that was cut off, or has to be witnessed, is not let off by a file that is written over it', async () => {
  await cli.run(`${ADD} --share public --disabled`);
  const back = await cli.run(`${ADD} --share public company --replace`);
  assert.equal(back.code, 1);
  assert.match(
    back.stderr,
    /would lose disabled = true\nEdit the file; or remove the partner first: .*peer remove globex/,
  );
  assert.equal((await cli.run(`${ADD} --share company --disabled --replace`)).code, 0);
  await cli.run(`${ADD} --share public --disabled --replace`);
  writeFileSync(
    file,
    `${readFileSync(file, 'utf8').replace('disabled = true\n', '')}[limits]\npage_entries = 5\n[policy]\nanchors = ["local"]\n`,
  );
  const before = readFileSync(file, 'utf8');
  assert.match((await cli.run(`${ADD} --replace`)).stderr, /would lose \[limits\] and \[policy\]/);
  assert.equal(readFileSync(file, 'utf8'), before);
});

const REFUSED: readonly [args: string, code: number, says: RegExp][] = [
  [
    `peer add globex --node-id stigmem://globex.example --peer-id ${GLOBEX}`,
    2,
    /expected --log-key with the log key of the partner: it stands as log_key in its `peer show self`/,
  ],
  [ADD.replace(LOG_KEY, '--log-key 0a1b2c3d'), 2, /log_key: expected a verifier key/],
  [`peer add self --node-id stigmem://g.example --peer-id ${GLOBEX} ${LOG_KEY}`, 2, /"self" is this node/],
  [
    `peer add ../x --node-id stigmem://g.example --peer-id ${GLOBEX} ${LOG_KEY}`,
    2,
    /a peer name is lower-case letters/,
  ],
  [`peer add g --node-id g.example --peer-id ${GLOBEX} ${LOG_KEY}`, 2, /node_id: expected the partner’s node id/],
  [
    `peer add g --node-id stigmem://g.example --peer-id 12D3 ${LOG_KEY}`,
    2,
    /it is not a peer id: copy it from the partner/,
  ],
  [
    `peer add g --node-id stigmem://acme.example --peer-id ${GLOBEX} ${LOG_KEY}`,
    2,
    /got this node’s own, stigmem:\/\/acme\.example/,
  ],
  [`${ADD} --share local`, 2, /expected --share with a feed such as public, got "local": local facts never leave/],
  [`${ADD} --accept publc`, 2, /expected --accept with a feed such as public, got "publc"/],
  [`${ADD} --address 127.0.0.1:4101`, 2, /addresses: expected a list of TCP multiaddrs/],
  [`${ADD} --address /ip4/127.0.0.1/tcp/1/p2p/${UMBRELLA}`, 2, /ends in another peer id/],
];
for (const [args, code, says] of REFUSED) {
  test(`refused: ${args}`, async () => {
    const ran = await cli.run(args);
    assert.equal(ran.code, code);
    assert.match(ran.stderr, says);
    assert.ok(!existsSync(file));
  });
}

test('a key or node that another file names is not added twice', async () => {
  await cli.run(ADD);
  for (const args of [
    `peer add other --node-id stigmem://globex.example --peer-id ${UMBRELLA} ${LOG_KEY}`,
    `peer add other --node-id stigmem://other.example --peer-id ${GLOBEX} ${LOG_KEY}`,
  ]) {
    const { code, stderr } = await cli.run(args);
    assert.equal(code, 1);
    assert.match(stderr, /one that globex is already/);
  }
});

test('list shows files when the node does not run, and what is wrong with others', async () => {
  assert.match((await cli.run('peer list')).stdout, /No peers\. Make one a code/);
  await cli.run(`${ADD} --share public`);
  writeFileSync(join(cli.dir, 'peers', 'bad.toml'), 'peer_id = 3\n');
  const { stdout } = await cli.run('peer list');
  assert.match(
    stdout,
    /^PEER +NODE +MAY READ +WE TAKE +STATE\nglobex +stigmem:\/\/globex\.example +public +– +node not running\n/,
  );
  assert.match(stdout, /! .*bad\.toml:1: peer_id: expected/);
  const json = (await cli.run('peer list --json')).json();
  assert.equal(json.running, false);
  assert.deepEqual(json.peers[0].share, [{ feed: 'public', not_before: null, not_after: null }]);
  assert.equal(json.problems.length, 2);
});

test('show one, show self, show nobody', async () => {
  await cli.run(`${ADD} --share public`);
  assert.match((await cli.run('peer show globex')).stdout, /node id +stigmem:\/\/globex\.example\n/);
  assert.equal((await cli.run('peer show nobody')).code, 3);
  assert.equal((await cli.run('peer show ../../etc/passwd')).code, 3);

  const self = await cli.run('peer show self');
  assert.match(self.stderr, /Partners cannot reach \/ip4\/127\.0\.0\.1\/tcp\/4101: set listen\.announce/);
  const { node_id, peer_id, addresses, namespaces, toml } = (await cli.run('peer show self --json')).json();
  assert.equal(node_id, 'stigmem://acme.example');
  assert.match(peer_id, /^12D3Koo/);
  assert.deepEqual([addresses, namespaces], [['/ip4/127.0.0.1/tcp/4101'], ['acme.example']]);
  assert.equal(`${toml}\n`, self.stdout);
  const { keys } = (await cli.run('peer show self --json')).json();
  assert.deepEqual(
    keys.map(({ use }: { use: string }) => use),
    ['log', 'audit', 'witness', 'anchor'],
  );
  for (const { vkey, fingerprint } of keys) {
    const key = parseVerifierKey(vkey);
    assert.ok(key.ok, vkey);
    assert.equal(fingerprint, `sha256:${createHash('sha256').update(key.value.publicKey).digest('hex')}`);
    assert.ok(toml.includes(`${vkey}  ${fingerprint}`));
  }
});

test('what a node shows of itself is a peer file for the partner', async () => {
  const { stdout } = await cli.run('peer show self');
  const path = join(cli.dir, 'peers', 'acme.toml');
  writeFileSync(path, stdout);
  const read = readPeerFile(path);
  assert.ok(read.ok);
  assert.equal(read.value.nodeId, 'stigmem://acme.example');
});

test('announced addresses are what partners get', async () => {
  const config = join(cli.dir, 'config.toml');
  writeFileSync(
    config,
    readFileSync(config, 'utf8').replace('announce = []', 'announce = ["/dns4/peerd.acme.example/tcp/4101"]'),
  );
  const { stderr, json } = await cli.run('peer show self --json');
  assert.deepEqual(json().addresses, ['/dns4/peerd.acme.example/tcp/4101']);
  assert.ok(!stderr.includes('cannot reach'));
});

test('remove takes the file away; a second time there is none', async () => {
  await cli.run(ADD);
  const { code, stdout } = await cli.run('peer remove globex');
  assert.equal(code, 0);
  assert.match(stdout, /^Removed globex\. What it gave before stays/);
  assert.ok(!existsSync(file));
  assert.equal((await cli.run('peer remove globex')).code, 3);
});

test('a broken file can be removed, and shown with its problems', async () => {
  writeFileSync(file, 'x = 1');
  const shown = await cli.run('peer show globex');
  assert.equal(shown.code, 1);
  assert.match(shown.stderr, /the file of globex has problems:\n.*unknown key "x"/s);
  assert.equal((await cli.run('peer remove globex')).code, 0);
});

test('resume asks the node', async () => {
  await cli.run(ADD);
  await cli.run('peer resume globex');
  assert.deepEqual(cli.requests, ['POST /v1/federation/peers/globex/resume']);
  assert.equal((await cli.run('peer resume nobody')).code, 3);
});
