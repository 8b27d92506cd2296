/** Snapshots: made while the node writes, restored and checked before they count, and every file that is wrong is named. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs, {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '../../../src/config/config.ts';
import { dataPaths } from '../../../src/config/data-dir.ts';
import { openPeerFolder } from '../../../src/config/peer-folder.ts';
import { readCopyFacts } from '../../../src/journal/copy-journal.ts';
import { SignedHeadFile } from '../../../src/journal/signed-heads.ts';
import { openBase } from '../../../src/node/base.ts';
import { planRestore, restoreSnapshot } from '../../../src/node/restore-snapshot.ts';
import { rotateKey } from '../../../src/node/rotate-key.ts';
import {
  checkSnapshot,
  checkSnapshotAlone,
  logSignerOf,
  makeSnapshot,
  pruneShelf,
  shelfOf,
  sourcesOf,
} from '../../../src/node/snapshots.ts';
import { createSnapshot, type MadeSnapshot } from '../../../src/snapshot/create.ts';
import { SnapshotError } from '../../../src/snapshot/errors.ts';
import { HEADS } from '../../../src/snapshot/files.ts';
import { SnapshotSchedule } from '../../../src/snapshot/schedule.ts';
import { prunable, type ShelvedSnapshot, watchedShelf } from '../../../src/snapshot/shelf.ts';
import { MAX_SNAPSHOT_FILES } from '../../../src/wire/snapshot-manifest.ts';
import { manifestPath } from '../../../src/wire/worm-manifest.ts';
import { createFolder, type DataFolder, openFolderApi } from '../../support/data-folder.ts';
import { temporaryFolder } from '../../support/journal-fixture.ts';
import { SmallRekor } from '../../support/small-rekor.ts';

const NOON = Date.parse('2026-11-30T12:00:00Z');
const RUN = { nowMs: Date.now, signal: new AbortController().signal };

function factsOf(nodeId: string, from: number, count: number): readonly object[] {
  return Array.from({ length: count }, (_, i) => ({
    entity: `${nodeId}/service/s${from + i}`,
    relation: 'memory:status',
    value: { type: 'text', v: `state ${from + i}` },
    source: `${nodeId}/agent/a1`,
    confidence: 1,
    scope: 'public',
  }));
}

/** A node with some facts, closed again. */
async function writtenFolder(t: TestContext, count = 300): Promise<DataFolder> {
  const folder = await createFolder('example');
  t.after(() => folder.remove());
  await write(folder, 0, count);
  return folder;
}

async function write(folder: DataFolder, from: number, count: number): Promise<void> {
  const api = await openFolderApi(folder);
  for (let at = from; at < from + count; at += 100) {
    const facts = factsOf(folder.nodeId, at, Math.min(100, from + count - at));
    const { status } = await api.send('/v1/facts', { as: 'full', method: 'POST', body: { facts } });
    assert.equal(status, 201);
  }
  await api.base.writer.head();
  await api.close();
}

/** Every setting has its line in the file that a new node gets. */
function setIn(config: string, from: string, to: string): void {
  const text = readFileSync(config, 'utf8');
  assert.ok(text.includes(`\n${from}\n`));
  writeFileSync(config, text.replace(`\n${from}\n`, `\n${to}\n`));
}

/** A partner that has to show an anchor of a log. */
function withTrustRoot({ dir, peerId }: DataFolder, file: string): void {
  const { peers } = dataPaths(dir);
  writeFileSync(join(peers, file), new SmallRekor(1).trustRoot);
  const who = `node_id = "stigmem://globex.example"\npeer_id = "${peerId}"\n`;
  const policy = `[policy]\nanchors = ["rekor"]\nanchor_trust_root = "${file}"\n`;
  writeFileSync(join(peers, 'globex.toml'), `${who}${policy}`);
}

function restoring(folder: DataFolder) {
  const key = logSignerOf(folder.dir).publicKey;
  return { keys: [key] as const, signal: RUN.signal, heads: null, anchors: null };
}

test('keys that are changed while the journal is copied are no snapshot; before and behind it, they are the journal’s', async (t) => {
  const folder = await writtenFolder(t, 20);
  const directory = temporaryFolder(t);
  const config = loadConfig(folder.dir, {}, {});
  assert.ok(config.ok);
  const sources = sourcesOf(config.value, true);
  const rotate = async (): Promise<void> => {
    await rotateKey(folder.dir, 'log', { overlapMs: 0, actor: 'cli' });
  };
  const made = (onRead: (time: number) => Promise<void>): Promise<MadeSnapshot> => {
    let times = 0;
    const keys = async (): Promise<ReadonlyMap<string, Buffer>> => {
      await onRead(times++);
      return (await sources.keys?.()) ?? new Map();
    };
    const signer = logSignerOf(folder.dir);
    return createSnapshot(directory, { ...sources, keys }, { signer, software: 'test', nowMs: Date.now });
  };
  const between = made(async (time) => (time === 1 ? rotate() : undefined));
  await assert.rejects(between, (error) => error instanceof SnapshotError && error.code === 'keys_changed');
  assert.deepEqual(readdirSync(directory), []);

  const earlier = await made(async (time) => (time === 0 ? rotate() : undefined));
  // Signed by the key of before, as whoever asked for it had read it by then.
  const restored = join(temporaryFolder(t), 'back');
  cpSync(earlier.path, restored, { recursive: true });
  assert.deepEqual(
    readFileSync(join(restored, 'keys', 'log.key')),
    readFileSync(join(folder.dir, 'keys', 'log.key')),
    'the new key, and below the journal that names it',
  );
  await using owned = new AsyncDisposableStack();
  const { statements } = await openBase(restored, {}, owned);
  assert.equal(statements.length, 2);
});

test('made while facts are written, it is one moment of the node, restores and verifies; the running node goes on', async (t) => {
  const folder = await writtenFolder(t);
  const directory = temporaryFolder(t);
  const api = await openFolderApi(folder);
  let written = 300;
  let isDone = false;
  const writing = (async () => {
    while (!isDone) {
      const facts = factsOf(folder.nodeId, written, 20);
      const { status } = await api.send('/v1/facts', { as: 'full', method: 'POST', body: { facts } });
      assert.equal(status, 201);
      await api.base.writer.head();
      written += 20;
    }
  })();
  const made = await makeSnapshot(folder.dir, directory, false, RUN);
  const soon = written + 40;
  // A write that fails ends the wait too.
  while (written < soon) await Promise.race([writing, new Promise((resolve) => setImmediate(resolve))]);
  isDone = true;
  await writing;
  const { size } = made.manifest.journal;
  assert.ok(size >= 300 && size < written, `${size} of ${written}`);
  assert.ok(!existsSync(join(made.path, 'keys')), 'keys are not in it');

  const checked = await checkSnapshot(folder.dir, made.path, directory, RUN);
  assert.deepEqual(checked.report.problems, []);
  assert.equal(checked.report.fsck?.checked['entries'], size);
  const body = {
    name: made.name,
    manifest: readFileSync(join(made.path, 'snapshot.note'), 'utf8'),
    proof: checked.proof,
  };
  const recorded = await api.send('/v1/backups/verified', { as: 'admin', method: 'POST', body });
  assert.equal(recorded.status, 200, await recorded.clone().text());
  const { audit_seq } = (await recorded.json()) as { audit_seq: number };
  const record = (await api.base.reader.auditDetail(audit_seq))?.record;
  assert.deepEqual([record?.event, record?.detail['journal_size']], ['snapshot_verified', size]);
  const forged = { ...body, proof: (checked.proof ?? '').replace(`"journal_size":${size}`, '"journal_size":999') };
  assert.equal((await api.send('/v1/backups/verified', { as: 'admin', method: 'POST', body: forged })).status, 409);
  await api.close();
  assert.deepEqual(readdirSync(directory), [made.name], 'no scratch folder is left');
  assert.equal(shelfOf(folder.dir, directory)[0]?.state, 'verified');
});

test('each file that is changed, missing or added is named, and nothing is recorded', async (t) => {
  const folder = await writtenFolder(t);
  const directory = temporaryFolder(t);
  writeFileSync(join(dataPaths(folder.dir).peers, 'globex.toml.off'), '');
  const { name, path } = await makeSnapshot(folder.dir, directory, true, RUN);
  const cases: readonly [string, (copy: string) => void, string][] = [
    ['journal.db', (copy) => flip(join(copy, 'journal.db')), 'file_changed journal.db'],
    [
      'signed-heads.json',
      (copy) => appendFileSync(join(copy, 'signed-heads.json'), ' '),
      'file_changed signed-heads.json',
    ],
    ['config.toml', (copy) => rmSync(join(copy, 'config.toml')), 'file_missing config.toml'],
    ['peers/evil.toml', (copy) => writeFileSync(join(copy, 'peers/evil.toml'), ''), 'file_unexpected peers/evil.toml'],
    ['snapshot.note', (copy) => edit(join(copy, 'snapshot.note')), 'document_signature_invalid snapshot.note'],
    ['no snapshot.note', (copy) => rmSync(join(copy, 'snapshot.note')), 'manifest_missing snapshot.note'],
  ];
  for (const [what, damage, expected] of cases) {
    const copy = join(temporaryFolder(t), name);
    cpSync(path, copy, { recursive: true });
    mkdirSync(join(copy, 'peers'), { recursive: true });
    damage(copy);
    const { report, proof } = await checkSnapshot(folder.dir, copy, directory, RUN);
    assert.deepEqual(
      report.problems.map(({ code, path: at }) => `${code} ${at}`),
      [expected],
      what,
    );
    assert.equal(proof, null);
    assert.ok(!existsSync(join(copy, 'verified.note')));
  }
  const stranger = await checkSnapshotAlone(path, [new Uint8Array(32).fill(9)], directory, RUN);
  assert.deepEqual(
    stranger.problems.map(({ code }) => code),
    ['document_signature_invalid'],
  );
  const alone = await checkSnapshotAlone(path, [logSignerOf(folder.dir).publicKey], directory, RUN);
  assert.deepEqual(alone.problems, []);
});

/** Another manifest under the same signature. */
function edit(note: string): void {
  writeFileSync(note, readFileSync(note, 'utf8').replace('"keys":true', '"keys":false'));
}

/** One bit in the middle. */
function flip(file: string): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

test('a snapshot of another history is none of this node, however well it is signed', async (t) => {
  const folder = await writtenFolder(t, 20);
  const directory = temporaryFolder(t);
  const fork = join(temporaryFolder(t), 'fork');
  cpSync(folder.dir, fork, { recursive: true });
  await write({ ...folder, dir: fork }, 500, 5);
  await write(folder, 20, 9);
  const { path } = await makeSnapshot(fork, directory, false, RUN);
  const { report, proof } = await checkSnapshot(folder.dir, path, directory, RUN);
  assert.deepEqual(
    report.problems.map(({ code }) => code),
    ['other_history'],
  );
  assert.equal(proof, null);
});

test('an erased body is in no file of a snapshot', async (t) => {
  const folder = await createFolder('example');
  t.after(() => folder.remove());
  const api = await openFolderApi(folder, { 'tombstones.undo_window_s': '0' });
  const [fact] = factsOf(folder.nodeId, 1, 1);
  const body = {
    facts: [{ ...fact, value: { type: 'text', v: 'a name that has to go' } }, ...factsOf(folder.nodeId, 2, 50)],
  };
  const stored = (await (await api.send('/v1/facts', { as: 'full', method: 'POST', body })).json()) as {
    results: readonly { fact: { id: string } }[];
  };
  const id = stored.results[0]?.fact.id ?? '';
  assert.equal((await api.send('/v1/tombstones', { as: 'admin', method: 'POST', body: { fact: id } })).status, 200);
  const endMs = performance.now() + 30_000;
  for (let state = ''; state !== 'told' && state !== 'scrubbed'; ) {
    assert.ok(performance.now() < endMs, `not erased: ${state}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    state = ((await (await api.send(`/v1/tombstones/${id}`, { as: 'admin' })).json()) as { state: string }).state;
  }
  const directory = temporaryFolder(t);
  const { path } = await makeSnapshot(folder.dir, directory, false, RUN);
  await api.close();
  const bytes = readFileSync(join(path, 'journal.db'));
  assert.equal(bytes.includes('a name that has to go'), false);
  assert.equal(bytes.includes(id), false);
  assert.equal(bytes.includes('state 20'), true);
  assert.deepEqual((await checkSnapshot(folder.dir, path, directory, RUN)).report.problems, []);
});

test('stopped in the middle, nothing is left', async (t) => {
  const folder = await writtenFolder(t, 20);
  const directory = temporaryFolder(t);
  const stop = new AbortController();
  const onProgress = (phase: string): void => {
    if (phase === 'hashing') stop.abort(new Error('stopped'));
  };
  await assert.rejects(
    makeSnapshot(folder.dir, directory, false, { nowMs: Date.now, signal: stop.signal, onProgress }),
    /stopped/,
  );
  assert.deepEqual(readdirSync(directory), []);
});

/** Files that no partner stands in. */
function fillPeers(folder: DataFolder, count: number): void {
  for (let n = 0; n < count; n++)
    writeFileSync(join(folder.dir, 'peers', `${'a'.repeat(120)}-${n}.toml`), '# nobody\n');
}

test('a node with more peer files than a manifest could once name is copied, checked and put back', async (t) => {
  const folder = await writtenFolder(t, 3);
  const directory = temporaryFolder(t);
  fillPeers(folder, 600);
  const { path } = await makeSnapshot(folder.dir, directory, false, RUN);
  assert.ok(statSync(join(path, 'snapshot.note')).size > 131_072);
  assert.deepEqual((await checkSnapshot(folder.dir, path, directory, RUN)).report.problems, []);
  assert.deepEqual(
    shelfOf(folder.dir, directory).map(({ state }) => state),
    ['verified'],
  );
  const target = join(temporaryFolder(t), 'restored');
  const plan = await planRestore(path, target, restoring(folder));
  assert.ok(plan.ok);
  assert.equal(plan.plan.peers.length, 600);
  const put = await restoreSnapshot(path, target, plan.plan, { ...restoring(folder), isAlone: true });
  assert.deepEqual([put.problems, readdirSync(join(target, 'peers')).length], [[], 600]);
});

test('who looks at the shelf again and again sees what comes, is proved, is damaged and goes', async (t) => {
  const folder = await writtenFolder(t, 3);
  const directory = temporaryFolder(t);
  const look = watchedShelf(directory, [logSignerOf(folder.dir).publicKey]);
  const states = (): readonly string[] => look().map(({ state }) => state);
  assert.deepEqual(states(), []);
  const { path } = await makeSnapshot(folder.dir, directory, false, RUN);
  assert.deepEqual(states(), ['unverified']);
  await checkSnapshot(folder.dir, path, directory, RUN);
  assert.deepEqual(states(), ['verified']);
  const [again] = look();
  assert.equal(look()[0], again, 'nothing is read that was read before');
  assert.deepEqual(look(), shelfOf(folder.dir, directory));
  appendFileSync(join(path, 'snapshot.note'), 'x');
  assert.deepEqual(states(), ['damaged']);
  rmSync(path, { recursive: true });
  assert.deepEqual(states(), []);
});

test('more files than a manifest can name, and a manifest larger than any: it says so, and nothing is left', async (t) => {
  const folder = await writtenFolder(t, 3);
  const directory = temporaryFolder(t);
  const { path } = await makeSnapshot(folder.dir, directory, false, RUN);
  appendFileSync(join(path, 'snapshot.note'), Buffer.alloc(4_194_304, 0x0a));
  const [problem] = (await checkSnapshot(folder.dir, path, directory, RUN)).report.problems;
  assert.equal(problem?.code, 'manifest_too_large');
  rmSync(path, { recursive: true });
  const { config, journal } = dataPaths(folder.dir);
  const others = Array.from({ length: MAX_SNAPSHOT_FILES - 2 }, (_, n) => ({ from: config, path: `peers/${n}.toml` }));
  const sources = { journal, signedHeads: join(folder.dir, HEADS), anchors: null, keys: null };
  const options = { ...RUN, signer: logSignerOf(folder.dir), software: 'test' };
  await assert.rejects(
    createSnapshot(directory, { ...sources, others: [...others, ...others.slice(0, 3)] }, options),
    (error: SnapshotError) =>
      error.code === 'too_many_files' && /move peer files .* out of peers\//.test(error.message),
  );
  assert.deepEqual(readdirSync(directory), []);
});

test('a rehearsal writes nothing; a folder with anything in it is refused; a newer head holds the restored node', async (t) => {
  const folder = await writtenFolder(t, 20);
  const directory = temporaryFolder(t);
  const { path } = await makeSnapshot(folder.dir, directory, false, RUN);
  await write(folder, 20, 11);
  const target = join(temporaryFolder(t), 'restored');
  const options = restoring(folder);

  const rehearsed = await planRestore(path, target, options);
  assert.ok(rehearsed.ok);
  assert.equal(existsSync(target), false);
  await assert.rejects(planRestore(path, folder.dir, options), { code: 'occupied' });
  await assert.rejects(
    restoreSnapshot(path, target, rehearsed.plan, { ...options, isAlone: false }),
    (error: unknown) => {
      assert.ok(error instanceof SnapshotError && error.code === 'unconfirmed');
      return true;
    },
  );
  assert.equal(existsSync(target), false);

  const heads = join(folder.dir, 'signed-heads.json');
  const informed = await planRestore(path, target, { ...options, heads });
  assert.ok(informed.ok);
  assert.deepEqual([informed.plan.entries, informed.plan.missing], [20, 11]);
  const report = await restoreSnapshot(path, target, informed.plan, { ...options, heads, isAlone: false });
  assert.deepEqual(report.problems, []);
  assert.equal(readCopyFacts(dataPaths(target).journal).journal.size, 20);
  // Keys come from the key backup.
  cpSync(dataPaths(folder.dir).keys, dataPaths(target).keys, { recursive: true });
  const opened = openFolderApi({ ...folder, dir: target }).then((api) => api.close());
  await assert.rejects(opened, { code: 'history_rewritten' });
});

test('two that restore into one folder at once: one of them is there, whole, and the other replaces nothing', async (t) => {
  const folder = await writtenFolder(t, 20);
  const { path } = await makeSnapshot(folder.dir, temporaryFolder(t), false, RUN);
  const parent = temporaryFolder(t);
  const target = join(parent, 'restored');
  const options = { ...restoring(folder), isAlone: true };
  const rehearsed = await planRestore(path, target, options);
  assert.ok(rehearsed.ok);
  const { plan } = rehearsed;
  // The first is done, and its node has written, while the second one still checks.
  let second: Promise<unknown> | null = null;
  const onProgress = (phase: string): void => {
    if (phase.startsWith('checking')) second ??= restoreSnapshot(path, target, plan, options);
  };
  const first = await restoreSnapshot(path, target, plan, { ...options, onProgress });
  assert.deepEqual(first.problems, []);
  writeFileSync(join(target, 'keys', 'log.key'), 'of the node that runs here');
  assert.ok(second !== null);
  await assert.rejects(second, { code: 'occupied' });
  assert.equal(readFileSync(join(target, 'keys', 'log.key'), 'utf8'), 'of the node that runs here');
  assert.equal(readCopyFacts(dataPaths(target).journal).journal.size, 20);
  assert.deepEqual(readdirSync(parent), ['restored']);
});

test('what was signed since is where the node reads it before the folder has its name; else nothing is restored', async (t) => {
  const folder = await writtenFolder(t, 20);
  const elsewhere = join(temporaryFolder(t), 'heads', 'acme.json');
  const config = dataPaths(folder.dir).config;
  mkdirSync(dirname(elsewhere));
  renameSync(join(folder.dir, 'signed-heads.json'), elsewhere);
  setIn(config, 'signed_heads_file = "signed-heads.json"', `signed_heads_file = "${elsewhere}"`);
  const { path } = await makeSnapshot(folder.dir, temporaryFolder(t), false, RUN);
  await write(folder, 20, 11);
  const options = { ...restoring(folder), heads: join(temporaryFolder(t), 'newer.json'), isAlone: false };
  cpSync(elsewhere, options.heads);
  const target = join(temporaryFolder(t), 'restored');
  const informed = await planRestore(path, target, options);
  assert.ok(informed.ok);

  // Another machine, where a file stands in its way.
  rmSync(dirname(elsewhere), { recursive: true });
  writeFileSync(dirname(elsewhere), '');
  await assert.rejects(restoreSnapshot(path, target, informed.plan, options), (error: unknown) => {
    assert.ok(error instanceof SnapshotError && error.code === 'unusable');
    assert.match(error.message, /31 entries are known to have been signed.*acme\.json \(guard\.signed_heads_file\)/);
    return true;
  });
  assert.equal(existsSync(target), false, 'without it the node could be started and would sign');

  rmSync(dirname(elsewhere));
  assert.ok((await restoreSnapshot(path, target, informed.plan, options)).ok);
  assert.equal(SignedHeadFile.open(elsewhere).last('journal')?.size, 31);
  cpSync(dataPaths(folder.dir).keys, dataPaths(target).keys, { recursive: true });
  const opened = openFolderApi({ ...folder, dir: target }).then((api) => api.close());
  await assert.rejects(opened, { code: 'history_rewritten' });
});

test('neither heads that are as old as the snapshot nor a WORM store that cannot be opened say that it is the newest', async (t) => {
  const folder = await writtenFolder(t, 20);
  const out = temporaryFolder(t);
  const { path: bare } = await makeSnapshot(folder.dir, temporaryFolder(t), false, RUN);
  setIn(dataPaths(folder.dir).config, 'target = ""', `target = "${out}"`);
  const { path } = await makeSnapshot(folder.dir, temporaryFolder(t), false, RUN);
  const target = join(temporaryFolder(t), 'restored');
  const refusal = async (from: string, heads: string | null): Promise<string> => {
    const options = { ...restoring(folder), heads, isAlone: false };
    const planned = await planRestore(from, target, options);
    assert.ok(planned.ok);
    const error: unknown = await restoreSnapshot(from, target, planned.plan, options).catch(
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof SnapshotError && error.code === 'unconfirmed', String(error));
    assert.equal(existsSync(target), false);
    return error.message;
  };
  assert.match(await refusal(bare, join(folder.dir, 'signed-heads.json')), /no newer file of signed heads\. /);
  mkdirSync(join(out, 'manifest'));
  writeFileSync(join(out, manifestPath(1)), 'garbage');
  assert.match(await refusal(path, null), /WORM store: .*000000000001\.note is gone, or is not signed by a key/);
  rmSync(join(out, manifestPath(1)));
  const options = { ...restoring(folder), isAlone: false };
  const planned = await planRestore(path, target, options);
  assert.ok(planned.ok);
  assert.ok(
    (await restoreSnapshot(path, target, planned.plan, options)).ok,
    'an empty store is asked at the first start',
  );
});

test('what may go: nothing newer than the newest verified ones, and nothing where there are too few', () => {
  const shelf = (states: string): ShelvedSnapshot[] =>
    [...states].map((state, i) => ({
      name: String(i),
      path: `/nowhere/${i}`,
      state: 'vf'.includes(state) ? 'verified' : state === 'd' ? 'damaged' : 'unverified',
      madeAt: state === 'f' ? '2031-01-01T00:00:00Z' : null,
      verifiedAt: null,
      journalSize: null,
      auditSize: null,
      bytes: null,
      keys: false,
    }));
  const left = (states: string, keep: number): string =>
    prunable(shelf(states), keep, NOON)
      .map(({ name }) => name)
      .join('');
  assert.equal(left('uvduvv', 2), '5');
  assert.equal(left('uvduvv', 1), '2345');
  assert.equal(left('uduvu', 2), '');
  assert.equal(left('', 1), '');
  assert.equal(left('fvv', 1), '2', 'one that a wrong clock has dated ahead is not the newest, and stays');
  assert.equal(left('ffv', 1), '');
});

test('a snapshot that a wrong clock has dated ahead does not keep the next one from being made', async () => {
  const made = Promise.withResolvers<void>();
  const dated = {
    name: '20310101T000000Z',
    path: '/nowhere',
    state: 'verified',
    madeAt: '2031-01-01T00:00:00Z',
  } as const;
  const rest = { verifiedAt: null, journalSize: 1, auditSize: 1, bytes: 1, keys: false };
  const schedule = new SnapshotSchedule({
    everyMs: 3_600_000,
    list: () => [{ ...dated, ...rest }],
    isReady: () => true,
    nowMs: () => NOON,
    makeChecked: async () => made.resolve(),
    prune: () => new Promise(() => undefined),
    onFailed: async () => undefined,
  });
  assert.equal(schedule.ageMs(), Number.POSITIVE_INFINITY);
  schedule.start();
  await made.promise;
});

test('a file in peers/ that no manifest can name keeps no snapshot from being made; one that counts is told of', async (t) => {
  const folder = await writtenFolder(t, 3);
  const directory = temporaryFolder(t);
  const { peers } = dataPaths(folder.dir);
  writeFileSync(join(peers, 'globex (copy).toml'), 'node_id = "stigmem://globex.example"\n');
  const { path } = await makeSnapshot(folder.dir, directory, false, RUN);
  assert.deepEqual((await checkSnapshot(folder.dir, path, directory, RUN)).report.problems, []);
  withTrustRoot(folder, 'our root.json');
  await assert.rejects(
    makeSnapshot(folder.dir, directory, false, RUN),
    /our root\.json cannot be in a snapshot.*Rename/,
  );
});

test('a trust root that a peer file names comes along: without it the partner would be nobody behind a restore', async (t) => {
  const folder = await writtenFolder(t, 3);
  const directory = temporaryFolder(t);
  const { peers } = dataPaths(folder.dir);
  withTrustRoot(folder, 'rekor.json');
  const before = openPeerFolder(peers, folder.nodeId).state();
  assert.deepEqual([before.problems, [...before.peers.keys()]], [[], ['globex']]);
  const { path } = await makeSnapshot(folder.dir, directory, false, RUN);
  const copy = openPeerFolder(join(path, 'peers'), folder.nodeId).state();
  assert.deepEqual([copy.problems, [...copy.peers.keys()]], [[], ['globex']]);
});

test('with keys: those that still sign beside their successors, too', async (t) => {
  const folder = await writtenFolder(t, 3);
  const directory = temporaryFolder(t);
  await rotateKey(folder.dir, 'log', { overlapMs: 86_400_000, actor: 'test' });
  const [former = ''] = readdirSync(join(dataPaths(folder.dir).keys, 'former'));
  const { manifest } = await makeSnapshot(folder.dir, directory, true, RUN);
  const names = manifest.files.map(({ path }) => path).filter((path) => path.startsWith('keys/'));
  assert.ok(names.includes(`keys/former/${former}`), names.join(' '));
  assert.ok(!names.some((name) => name.includes('lock')), names.join(' '));
});

test('two that are begun within one second are two, whoever of them looks first', async (t) => {
  const folder = await writtenFolder(t, 3);
  const directory = temporaryFolder(t);
  const other = join(directory, '.20261130T120000Z.partial');
  mkdirSync(other);
  writeFileSync(join(other, 'config.toml'), 'of another process');
  // It came between the look and the deed.
  const { existsSync: look } = fs;
  t.mock.method(fs, 'existsSync', (path: string) => path !== other && look(path));
  syncBuiltinESMExports();
  const { name, path } = await makeSnapshot(folder.dir, directory, false, { ...RUN, nowMs: () => NOON }).finally(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  assert.equal(name, '20261130T120000Z-1');
  assert.ok((await checkSnapshot(folder.dir, path, directory, RUN)).report.ok);
  assert.equal(readFileSync(join(other, 'config.toml'), 'utf8'), 'of another process');
});

test('what is left of one that was being removed when its remover was killed is no snapshot', async (t) => {
  const folder = await writtenFolder(t, 3);
  const directory = temporaryFolder(t);
  const { path } = await makeSnapshot(folder.dir, directory, false, RUN);
  await checkSnapshot(folder.dir, path, directory, RUN);
  const shelf = new URL('../../../src/snapshot/shelf.ts', import.meta.url).href;
  // The first file that goes is the last thing that it does.
  const remove = `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    fs.promises.rm = async (path) => {
      if (!fs.existsSync(path)) return;
      fs.unlinkSync(path + '/journal.db');
      process.kill(process.pid, 'SIGKILL');
    };
    syncBuiltinESMExports();
    await (await import(${JSON.stringify(shelf)})).removeSnapshots([{ path: ${JSON.stringify(path)} }]);`;
  const died = spawnSync(process.execPath, ['--input-type=module', '-e', remove], { encoding: 'utf8' });
  assert.equal(died.signal, 'SIGKILL', died.stderr);
  assert.deepEqual(shelfOf(folder.dir, directory), []);
});

test('by the clock: one is made when it is due, failures do not count, and old ones go', async (t) => {
  const folder = await writtenFolder(t, 20);
  const directory = temporaryFolder(t);
  let nowMs = Date.parse('2026-11-30T00:00:00Z');
  let isBroken = false;
  const told: unknown[] = [];
  const turns: PromiseWithResolvers<void>[] = [Promise.withResolvers()];
  const settled = async (): Promise<void> => {
    await turns.at(-1)?.promise;
    turns.push(Promise.withResolvers());
  };
  const schedule = (): SnapshotSchedule =>
    new SnapshotSchedule({
      everyMs: 3_600_000,
      list: () => shelfOf(folder.dir, directory),
      isReady: () => true,
      nowMs: () => nowMs,
      makeChecked: async (signal) => {
        const run = { nowMs: () => nowMs, signal };
        const { path } = await makeSnapshot(folder.dir, directory, false, run);
        if (isBroken) flip(join(path, 'journal.db'));
        const { report } = await checkSnapshot(folder.dir, path, directory, run);
        if (!report.ok) throw new SnapshotError('not_verified', 'broken');
      },
      prune: async () => {
        await pruneShelf(folder.dir, directory, 2, nowMs);
        turns.at(-1)?.resolve();
      },
      onFailed: async (error) => {
        told.push(error);
        turns.at(-1)?.resolve();
      },
    });
  const states = (): string[] => shelfOf(folder.dir, directory).map(({ state }) => state);
  const once = async (): Promise<SnapshotSchedule> => {
    const one = schedule();
    one.start();
    await settled();
    await one.stop();
    return one;
  };
  assert.equal(schedule().ageMs(), Number.POSITIVE_INFINITY);
  for (let i = 0; i < 3; i++, nowMs += 3_600_000) await once();
  assert.deepEqual(states(), ['verified', 'verified']);
  isBroken = true;
  const broken = await once();
  assert.deepEqual(states(), ['unverified', 'verified', 'verified']);
  assert.equal(told.length, 1);
  assert.equal(broken.ageMs(), 3_600_000, 'the age is that of the last one that verified');
});
