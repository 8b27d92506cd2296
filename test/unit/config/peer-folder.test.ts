import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openPeerFolder, type PeerFolder, type PeerFolderChange } from '../../../src/config/peer-folder.ts';
import { problemText } from '../../../src/config/problem.ts';
import { watchPeers } from '../../../src/config/watch-peers.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';

const OWN = 'stigmem://acme.example';
const IDS = await Promise.all(
  [1, 2, 3].map(async (byte) => (await identityFromSeed(new Uint8Array(32).fill(byte))).peerId),
);
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'peerd-peers-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function put(name: string, who: number, more = ''): void {
  const text = `node_id = "stigmem://p${who}.example"\npeer_id = "${IDS[who]}"\n${more}`;
  writeFileSync(join(dir, `.${name}.tmp`), text);
  renameSync(join(dir, `.${name}.tmp`), join(dir, `${name}.toml`));
}

const names = (folder: PeerFolder) => [...folder.state().peers.keys()];
const said = (folder: PeerFolder) => folder.state().problems.map((p) => problemText(p).replaceAll(`${dir}/`, ''));
const summary = (change: PeerFolderChange | null) =>
  change && [change.added, change.changed, change.removed].map((list) => list.map(({ name }) => name).join());

test('tells what was added, changed and removed, once', () => {
  put('a', 0);
  const folder = openPeerFolder(dir, OWN);
  assert.deepEqual(names(folder), ['a']);
  assert.equal(folder.rescan(), null);

  put('b', 1);
  assert.deepEqual(summary(folder.rescan()), ['b', '', '']);
  put('a', 0, 'share = ["public"]\n');
  assert.deepEqual(summary(folder.rescan()), ['', 'a', '']);
  assert.equal(folder.rescan(), null);
  rmSync(join(dir, 'a.toml'));
  assert.deepEqual(summary(folder.rescan()), ['', '', 'a']);
  assert.deepEqual(names(folder), ['b']);
});

test('files that are as they were are not compared: thousands of them are looked at every two seconds', (t) => {
  for (let i = 0; i < 300; i++) writeFileSync(join(dir, `p${i}.toml`), `node_id = "stigmem://n${i}.example"\n`);
  put('a', 0);
  put('b', 1);
  const folder = openPeerFolder(dir, OWN);
  const stringify = t.mock.method(JSON, 'stringify');
  assert.equal(folder.rescan(), null);
  assert.equal(stringify.mock.callCount(), 0, 'nothing has changed');
  put('a', 0, 'share = ["public"]\n');
  assert.deepEqual(summary(folder.rescan()), ['', 'a', '']);
  assert.ok(stringify.mock.callCount() < 10, `${stringify.mock.callCount()} for one file that has changed`);
});

test('other files are passed over', () => {
  writeFileSync(join(dir, 'README.md'), '# Peers');
  writeFileSync(join(dir, '.hidden.toml'), 'nonsense');
  writeFileSync(join(dir, '.a.toml.123.tmp'), 'nonsense');
  const folder = openPeerFolder(dir, OWN);
  assert.deepEqual(folder.state(), { peers: new Map(), problems: [], unread: 0 });
});

test('rewriting a file with the same meaning is no change', () => {
  put('a', 0);
  const folder = openPeerFolder(dir, OWN);
  put('a', 0, '# a comment\n');
  assert.equal(folder.rescan(), null);
});

test('a broken file keeps the last good version of its peer and touches no other', () => {
  put('a', 0, 'share = ["public"]\n');
  put('b', 1);
  const folder = openPeerFolder(dir, OWN);
  put('a', 0, 'share = ["publc"]\n');
  put('b', 1, 'disabled = true\n');
  const change = folder.rescan();
  assert.deepEqual(summary(change), ['', 'b', '']);
  assert.deepEqual(
    folder
      .state()
      .peers.get('a')
      ?.share.map(({ feed }) => feed),
    ['public'],
  );
  assert.equal(said(folder).length, 1);
  assert.match(said(folder).join(), /^a\.toml:3: share: expected a list of grants/);

  put('a', 0);
  assert.deepEqual(summary(folder.rescan()), ['', 'a', '']);
  assert.deepEqual(said(folder), []);
});

test('a file that was never good is no peer, and is reported', () => {
  writeFileSync(join(dir, 'a.toml'), 'peer_id = 3\n');
  const folder = openPeerFolder(dir, OWN);
  assert.deepEqual(names(folder), []);
  assert.equal(said(folder).length, 2);
  assert.equal(folder.state().unread, 1, 'whom it names is not known');
});

test('removing a broken file removes its peer', () => {
  put('a', 0);
  const folder = openPeerFolder(dir, OWN);
  writeFileSync(join(dir, 'a.toml'), '=');
  folder.rescan();
  assert.deepEqual(names(folder), ['a']);
  assert.equal(folder.state().unread, 0, 'whom it names is known');
  rmSync(join(dir, 'a.toml'));
  assert.deepEqual(summary(folder.rescan()), ['', '', 'a']);
});

test('a partner has one file: the first by name keeps the key', () => {
  put('b', 0);
  const folder = openPeerFolder(dir, OWN);
  put('c', 0);
  folder.rescan();
  assert.deepEqual(names(folder), ['b']);
  assert.deepEqual(said(folder), [
    'c.toml: node_id: b.toml names the same partner already. Keep one of the two files.',
  ]);
  rmSync(join(dir, 'b.toml'));
  assert.deepEqual(summary(folder.rescan()), ['c', '', 'b']);
});

test('two files with one key and different names of nodes', () => {
  put('a', 0);
  writeFileSync(join(dir, 'b.toml'), `node_id = "stigmem://evil.example"\npeer_id = "${IDS[0]}"\n`);
  const folder = openPeerFolder(dir, OWN);
  assert.deepEqual(names(folder), ['a']);
  assert.match(said(folder).join(), /^b\.toml: peer_id: a\.toml names the same partner already/);
});

test('this node itself is no peer', () => {
  writeFileSync(join(dir, 'a.toml'), `node_id = "${OWN}"\npeer_id = "${IDS[0]}"\n`);
  const folder = openPeerFolder(dir, OWN);
  assert.deepEqual(names(folder), []);
  assert.match(said(folder).join(), /expected a partner, got this node itself/);
});

test('a folder that cannot be read keeps the peers known, says so once, and recovers', () => {
  put('a', 0);
  const folder = openPeerFolder(dir, OWN);
  renameSync(dir, `${dir}.away`);
  const change = folder.rescan();
  assert.deepEqual(summary(change), ['', '', '']);
  assert.match(said(folder).join(), /expected a readable folder of peer files, got ENOENT/);
  assert.equal(folder.rescan(), null);
  assert.deepEqual(names(folder), ['a']);
  assert.equal(folder.state().unread, 1);
  renameSync(`${dir}.away`, dir);
  assert.deepEqual(summary(folder.rescan()), ['', '', '']);
  assert.deepEqual(said(folder), []);
});

test('a folder in place of a file is a problem of that name alone', () => {
  put('a', 0);
  mkdirSync(join(dir, 'b.toml'));
  const folder = openPeerFolder(dir, OWN);
  assert.deepEqual(names(folder), ['a']);
  assert.match(said(folder).join(), /b\.toml: expected a readable file, got EISDIR/);
});

test('the watch tells of a new file, and of nothing after it is closed', { timeout: 20_000 }, async () => {
  const folder = openPeerFolder(dir, OWN);
  // The watch alone must not keep a process alive, so the test has to while it waits.
  const alive = setInterval(() => undefined, 1_000);
  const changes: PeerFolderChange[] = [];
  await new Promise<void>((resolve) => {
    const close = watchPeers(dir, folder, (change) => {
      changes.push(change);
      close();
      resolve();
    });
    put('a', 0);
  });
  clearInterval(alive);
  assert.deepEqual(changes.map(summary), [['a', '', '']]);
});

test('what was written before the watch began is told without waiting for the next look', {
  timeout: 20_000,
}, async (t) => {
  const folder = openPeerFolder(dir, OWN);
  put('a', 0);
  const alive = setTimeout(() => undefined, 20_000);
  // No poll comes.
  t.mock.timers.enable({ apis: ['setInterval'] });
  const change = await new Promise<PeerFolderChange>((resolve) => {
    const close = watchPeers(dir, folder, (found) => {
      close();
      resolve(found);
    });
  });
  clearTimeout(alive);
  assert.deepEqual(summary(change), ['a', '', '']);
});

test('where notices are not to be had the folder is looked at all the same', { timeout: 20_000 }, async () => {
  rmSync(dir, { recursive: true });
  const folder = openPeerFolder(dir, OWN);
  const alive = setInterval(() => undefined, 1_000);
  await new Promise<void>((resolve) => {
    const close = watchPeers(dir, folder, () => {
      close();
      resolve();
    });
    mkdirSync(dir);
    put('a', 0);
  });
  clearInterval(alive);
  assert.deepEqual(names(folder), ['a']);
});
