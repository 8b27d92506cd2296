/** Records in a store that forgets nothing: read back with public keys alone, gone on with after any crash, and empty of bodies. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WormRecords } from '../../../src/journal/worm-records.ts';
import { openDocument } from '../../../src/wire/signed-document.ts';
import { MAX_MANIFEST_BYTES, MAX_SEGMENT_BYTES, manifestPath, WORM_MANIFEST } from '../../../src/wire/worm-manifest.ts';
import { FolderStore } from '../../../src/worm/folder-store.ts';
import {
  appendOwn,
  fillJournal,
  LOG_KEY,
  newJournal,
  openJournal,
  openRaw,
  temporaryFolder,
} from '../../support/journal-fixture.ts';
import { filesBelow } from '../../support/published.ts';
import { copyJournal, tamper } from '../../support/tampering.ts';
import { DyingStore, find, readBack, ship, wormSource } from '../../support/worm-source.ts';

/** Files that the test can remove. */
function plainStore(folder: string): FolderStore {
  return new FolderStore(folder, async () => {});
}

function withCode(code: string) {
  return (error: unknown) => error instanceof Error && 'code' in error && error.code === code;
}

test('everything is read back: both trees, every anchor, the chain; a second round ships what is new', async (t) => {
  const [folder, out] = [temporaryFolder(t), join(temporaryFolder(t), 'worm')];
  const journal = newJournal(folder);
  fillJournal(journal, 600);
  const source = wormSource(folder, journal);
  const store = plainStore(out);
  const first = await ship(store, source);
  assert.equal(first.place.number, 1);
  assert.equal((await ship(store, source, first.place)).segments, 0, 'nothing new is nothing to ship');
  appendOwn(journal, 5);
  const second = await ship(store, source, first.place);
  assert.deepEqual([second.place.number, second.records], [2, 5]);
  const report = await readBack(store);
  assert.deepEqual(report.problems, []);
  assert.deepEqual([report.manifests, report.ends], [2, await source.ends()]);
  assert.ok(report.ends.audit > 0 && report.ends.anchors > 0 && report.ends.receipts > 0);
  for (const path of filesBelow(out).keys()) assert.equal(statSync(join(out, path)).mode & 0o222, 0, path);
  journal.close();
});

test('a segment holds ten thousand records, and the next one goes on behind it', async (t) => {
  const [folder, out] = [temporaryFolder(t), join(temporaryFolder(t), 'worm')];
  const journal = newJournal(folder);
  t.after(() => journal.close());
  for (let batch = 0; batch < 11; batch++) appendOwn(journal, 1_000);
  const { segments } = await ship(plainStore(out), wormSource(folder, journal));
  const names = [...filesBelow(out).keys()].filter((path) => path.startsWith('journal/')).sort();
  assert.equal(names.length, 2, names.join());
  const lines = names.map((path) => readFileSync(join(out, path), 'utf8').trimEnd().split('\n').length);
  assert.deepEqual(
    lines.toSorted((a, b) => b - a),
    [10_000, 1_000],
  );
  assert.ok(segments >= 2);
  assert.deepEqual((await readBack(plainStore(out))).problems, []);
});

test('an object that is larger than anything that was shipped is not read', async (t) => {
  const [folder, out] = [temporaryFolder(t), join(temporaryFolder(t), 'worm')];
  const journal = newJournal(folder);
  t.after(() => journal.close());
  appendOwn(journal, 3);
  await ship(plainStore(out), wormSource(folder, journal));
  for (const [path, most] of [
    [manifestPath(1), MAX_MANIFEST_BYTES],
    [[...filesBelow(out).keys()].find((name) => name.startsWith('journal/')) ?? '', MAX_SEGMENT_BYTES],
  ] as const) {
    const file = join(out, path);
    const before = readFileSync(file);
    chmodSync(file, 0o600);
    writeFileSync(file, Buffer.alloc(most + 1, 'x'));
    await assert.rejects(readBack(plainStore(out)), withCode('store_other_log'), path);
    writeFileSync(file, before);
  }
  assert.deepEqual((await readBack(plainStore(out))).problems, []);
});

test('no body, salt or unsalted hash of a fact is in it, and what is erased later has nothing to be erased there', async (t) => {
  const [folder, out] = [temporaryFolder(t), join(temporaryFolder(t), 'worm')];
  const journal = newJournal(folder);
  fillJournal(journal, 40, 3);
  await ship(plainStore(out), wormSource(folder, journal));
  const shipped = [...filesBelow(out)].filter(([path]) => path.startsWith('journal/')).map(([, bytes]) => bytes);
  const text = Buffer.concat(shipped).toString('utf8');
  const db = openRaw(folder);
  interface Row {
    readonly fact_id: string;
    readonly entity: string;
    readonly value_v: string;
    readonly salt: Buffer;
    readonly cid: Buffer;
    readonly event_hash: Buffer;
    readonly chain_hash: Buffer;
  }
  for (const row of db.prepare<[], Row>('SELECT * FROM entries').all()) {
    assert.ok(!text.includes(row.fact_id) && !text.includes(row.entity) && !text.includes(row.value_v));
    for (const hash of [row.salt, row.cid, row.event_hash, row.chain_hash])
      for (const form of ['hex', 'base64'] as const) assert.ok(!text.includes(hash.toString(form)));
  }
  db.close();
  journal.close();
});

test('missing, changed, moved, cut off: each is named', async (t) => {
  const [folder, out] = [temporaryFolder(t), join(temporaryFolder(t), 'worm')];
  const journal = newJournal(folder);
  const source = wormSource(folder, journal);
  const store = plainStore(out);
  fillJournal(journal, 30, 3);
  let { place } = await ship(store, source);
  for (let i = 0; i < 3; i++) {
    appendOwn(journal, 4);
    ({ place } = await ship(store, source, place));
  }
  journal.close();
  const segment = [...filesBelow(out).keys()].find((path) => path.startsWith('journal/')) ?? '';
  const whole = filesBelow(out);
  const damaged = async (damage: () => void): Promise<string[]> => {
    damage();
    const { problems } = await readBack(store, 4);
    for (const [path, bytes] of whole) {
      rmSync(join(out, path), { force: true });
      writeFileSync(join(out, path), bytes);
    }
    return problems.map(({ code, path }) => `${code} ${path}`);
  };
  const swap = (a: string, b: string): void => {
    for (const [from, to] of [
      [a, 'x'],
      [b, a],
      ['x', b],
    ] as const)
      renameSync(join(out, from), join(out, to));
  };
  const rewrite = (path: string, edit: (text: string) => string): void => {
    chmodSync(join(out, path), 0o644);
    writeFileSync(join(out, path), edit(readFileSync(join(out, path), 'utf8')));
  };
  assert.deepEqual(await damaged(() => rmSync(join(out, segment))), [`segment_missing ${segment}`]);
  assert.deepEqual(await damaged(() => rewrite(segment, (text) => text.replace('"feed_seq":1,', '"feed_seq":2,'))), [
    `segment_changed ${segment}`,
  ]);
  const moved = await damaged(() => swap(manifestPath(2), manifestPath(3)));
  assert.ok(moved.includes(`manifest_chain ${manifestPath(2)}`), moved.join());
  assert.deepEqual(await damaged(() => rmSync(join(out, manifestPath(2)))), [`manifest_missing ${manifestPath(2)}`]);
  assert.deepEqual(await damaged(() => rmSync(join(out, manifestPath(4)))), [`manifest_missing ${manifestPath(4)}`]);
  const forged = await damaged(() => rewrite(manifestPath(3), (text) => text.replace('"number":3', '"number":4')));
  assert.ok(forged.includes(`manifest_signature_invalid ${manifestPath(3)}`), forged.join());
  assert.deepEqual((await readBack(store, 4)).problems, []);
});

test('killed before or behind any write, the next export goes on, and nothing is there twice', async (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  fillJournal(journal, 20, 3);
  const source = wormSource(folder, journal);
  journal.head(0);
  for (const when of ['before', 'behind'] as const) {
    for (let at = 1; at <= 5; at++) {
      const out = join(temporaryFolder(t), 'worm');
      const store = plainStore(out);
      await assert.rejects(ship(new DyingStore(store, at, when), source), /killed/);
      const { place } = await find(store, source);
      assert.equal(place.number, when === 'behind' && at === 5 ? 1 : 0);
      const { place: now } = await ship(store, source, place);
      assert.equal(now.number, 1);
      const report = await readBack(store);
      assert.deepEqual([report.problems, report.manifests], [[], 1]);
      assert.equal(filesBelow(out).size, 5, 'four segments and a manifest');
    }
  }
  journal.close();
});

test('an old copy, another history, another node and a lost end are refused', async (t) => {
  const [folder, out] = [temporaryFolder(t), join(temporaryFolder(t), 'worm')];
  const journal = newJournal(folder);
  fillJournal(journal, 20, 3);
  const old = copyJournal(folder, temporaryFolder(t), 'old');
  const source = wormSource(folder, journal);
  const store = plainStore(out);
  appendOwn(journal, 3);
  const { place } = await ship(store, source);
  journal.close();

  const copy = openJournal(old);
  const behind = wormSource(old, copy);
  await assert.rejects(find(store, behind), withCode('store_ahead'));
  appendOwn(copy, 4);
  await assert.rejects(find(store, behind), withCode('store_contradicts'));
  copy.close();

  const { number } = place;
  await assert.rejects(find(store, source, { number, digest: `sha256:${'0'.repeat(64)}` }), withCode('store_lost'));
  const stranger = { ...source, signer: { ...source.signer, name: 'initech.example/journal/00000000000000cc' } };
  await assert.rejects(find(store, stranger), withCode('store_other_log'));
  rmSync(join(out, manifestPath(1)));
  await assert.rejects(find(store, source, { number, digest: place.digest ?? '' }), withCode('store_lost'));
});

test('a damaged row is not shipped', async (t) => {
  const [folder, out] = [temporaryFolder(t), join(temporaryFolder(t), 'worm')];
  const journal = newJournal(folder);
  fillJournal(journal, 20, 3);
  journal.head(0);
  tamper(folder, (db) => db.prepare("UPDATE entries SET value_v = 'other' WHERE chain_seq = 3").run());
  await assert.rejects(ship(plainStore(out), wormSource(folder, journal)), withCode('leaf_mismatch'));
  journal.close();
});

test('other bytes under a name of ours are left as they are, and said', async (t) => {
  const [folder, out] = [temporaryFolder(t), join(temporaryFolder(t), 'worm')];
  const journal = newJournal(folder);
  fillJournal(journal, 10, 3);
  const source = wormSource(folder, journal);
  const store = new FolderStore(out, async () => Promise.reject(new Error('not permitted')));
  await ship(store, source);
  assert.match(store.weakness ?? '', /not immutable/);
  chmodSync(join(out, manifestPath(1)), 0o644);
  writeFileSync(join(out, manifestPath(1)), 'mine');
  await assert.rejects(store.put(manifestPath(1), Buffer.from('ours')), withCode('store_conflict'));
  assert.equal(readFileSync(join(out, manifestPath(1)), 'utf8'), 'mine');
  journal.close();
});

test('a manifest that names another one before it is no part of the chain, although the log key signed it', async (t) => {
  const [folder, out] = [temporaryFolder(t), join(temporaryFolder(t), 'worm')];
  const journal = newJournal(folder);
  fillJournal(journal, 10, 3);
  const source = wormSource(folder, journal);
  const store = plainStore(out);
  const { place } = await ship(store, source);
  appendOwn(journal, 2);
  await ship(store, source, { ...place, digest: `sha256:${'0'.repeat(64)}` });
  const { problems } = await readBack(store);
  assert.deepEqual(
    problems.map(({ code, path }) => `${code} ${path}`),
    [`manifest_chain ${manifestPath(2)}`],
  );
  journal.close();
});

test('files are immutable where root and the file system allow it, and the store says where not', async (t) => {
  const out = join(temporaryFolder(t), 'worm');
  const thaw = (): unknown => spawnSync('chattr', ['-R', '-i', out]);
  const store = new FolderStore(out);
  try {
    await store.put('audit/1', Buffer.from('once'));
    await store.put('audit/1', Buffer.from('once'));
    if (store.weakness === null) assert.throws(() => rmSync(join(out, 'audit/1')), { code: 'EPERM' });
    else assert.match(store.weakness, /read-only, but not immutable/);
    assert.equal(readFileSync(join(out, 'audit/1'), 'utf8'), 'once');
  } finally {
    thaw();
  }
});

test('a manifest stands for one log and one place in the chain', async (t) => {
  const [folder, out] = [temporaryFolder(t), join(temporaryFolder(t), 'worm')];
  const journal = newJournal(folder);
  fillJournal(journal, 10, 3);
  await ship(plainStore(out), wormSource(folder, journal));
  const bytes = readFileSync(join(out, manifestPath(1)));
  const origin = 'globex.example/journal/00000000000000bb';
  const opened = openDocument(WORM_MANIFEST, bytes, [LOG_KEY], origin);
  assert.ok(opened.ok);
  assert.deepEqual([opened.value.value.number, opened.value.value.previous], [1, null]);
  assert.equal(openDocument(WORM_MANIFEST, bytes, [LOG_KEY], 'other').ok, false);
  const title = { ...WORM_MANIFEST, title: 'stigmem-snapshot/v1' };
  assert.equal(openDocument(title, bytes, [LOG_KEY], origin).ok, false);
  for (let i = 0; i < bytes.length; i += 7) {
    const changed = Buffer.from(bytes);
    changed[i] = (changed[i] ?? 0) ^ 1;
    assert.equal(openDocument(WORM_MANIFEST, changed, [LOG_KEY], origin).ok, false, `byte ${i}`);
  }
  const db = openRaw(folder);
  assert.throws(() => new WormRecords(db).read('journal', 1_000_000, 1_000_002), withCode('leaf_mismatch'));
  db.close();
  journal.close();
});
