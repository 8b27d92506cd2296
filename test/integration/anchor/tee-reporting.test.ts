/** Reports of a trusted execution environment: real journal, real node; the kernel's side is played, see kernel-tsm.ts. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TeeReporting } from '../../../src/anchor/tee-reporting.ts';
import { TeeError, takeTsmReport, tsmFolder } from '../../../src/anchor/tsm-report.ts';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import { parseTeeReport, teeNonce } from '../../../src/merkle/tee-report.ts';
import { StartError } from '../../../src/node/base.ts';
import { startTee } from '../../../src/node/tee.ts';
import { anchorMethods } from '../../../src/threads/anchor-methods.ts';
import { teeMethods } from '../../../src/threads/tee-methods.ts';
import { createCliFixture } from '../../support/cli-fixture.ts';
import { appendOwn, LOG_KEY, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';
import { KernelTsm } from '../../support/kernel-tsm.ts';
import { MeshNode } from '../../support/mesh-node.ts';
import { until } from '../../support/until.ts';

const SNP = readFileSync(new URL('../../vectors/tee/snp-report-v2.bin', import.meta.url));
const NONCE = Buffer.alloc(64, 7);
const START_MS = 1_800_000_000_000;

/** A real report that names what was asked about. */
function kernel(): KernelTsm {
  return new KernelTsm((nonce) => {
    const report = Buffer.from(SNP);
    nonce.copy(report, 0x50);
    return report;
  });
}

async function codeOf(taken: Promise<unknown>): Promise<string> {
  const thrown = await taken.then(
    () => new Error('a report was taken'),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof TeeError, String(thrown));
  return thrown.code;
}

test('one report: its parts, and nothing left behind', async () => {
  const tsm = kernel();
  const blobs = await takeTsmReport(tsm, 'a', NONCE);
  assert.equal(blobs.provider, 'sev_guest');
  assert.deepEqual(blobs.outblob.subarray(0x50, 0x90), NONCE);
  assert.deepEqual([blobs.auxblob, blobs.manifestblob], [null, null], 'an empty one is none');
  assert.equal(tsm.requests.size, 0);
  tsm.auxblob = Buffer.from('certificates');
  assert.deepEqual((await takeTsmReport(tsm, 'a', NONCE)).auxblob, tsm.auxblob);
  tsm.auxblob = null;
  assert.equal((await takeTsmReport(tsm, 'a', NONCE)).auxblob, null, 'TDX has no such file');
});

test('what a killed run left is taken away, not asked again', async () => {
  const tsm = kernel();
  await tsm.mkdir('a');
  await tsm.write('a', 'inblob', Buffer.alloc(64, 1));
  assert.deepEqual((await takeTsmReport(tsm, 'a', NONCE)).outblob.subarray(0x50, 0x90), NONCE);
  assert.equal(tsm.requests.size, 0);
});

for (const [operation, errno, code] of [
  ['mkdir', 'ENXIO', 'unavailable'],
  ['mkdir', 'EACCES', 'not_permitted'],
  ['mkdir', 'EROFS', 'not_permitted'],
  ['write inblob', 'EACCES', 'not_permitted'],
  ['read outblob', 'EWOULDBLOCK', 'failed'],
  ['read outblob', 'EFBIG', 'failed'],
  ['read auxblob', 'EIO', 'failed'],
  ['read generation', 'ENOENT', 'unavailable'],
] as const)
  test(`${errno} at ${operation} is ${code}, and nothing is left behind`, async () => {
    const tsm = kernel();
    tsm.faults.set(operation, errno);
    assert.equal(await codeOf(takeTsmReport(tsm, 'a', NONCE)), code);
    assert.equal(tsm.requests.size, 0);
    tsm.faults.clear();
    await takeTsmReport(tsm, 'a', NONCE);
  });

test('a request that was lost, or that somebody else has written into, gives no report', async () => {
  const tsm = kernel();
  tsm.disturbed = 'inblob_lost';
  assert.equal(await codeOf(takeTsmReport(tsm, 'a', NONCE)), 'failed');
  tsm.disturbed = 'written_twice';
  assert.equal(await codeOf(takeTsmReport(tsm, 'a', NONCE)), 'conflict');
  assert.equal(tsm.requests.size, 0);
});

test('the operations on real files: no attribute is made, whole blobs are read', async (t) => {
  const path = join(temporaryFolder(t), 'report');
  assert.equal(tsmFolder(path).exists(), false);
  assert.equal(await codeOf(takeTsmReport(tsmFolder(path), 'a', NONCE)), 'unavailable');
  mkdirSync(path);
  const folder = tsmFolder(path);
  assert.equal(folder.exists(), true);
  assert.equal(await codeOf(takeTsmReport(folder, 'a', NONCE)), 'unavailable', 'a plain folder has no generation');
  assert.deepEqual(readdirSync(path), []);
  await folder.mkdir('a');
  await assert.rejects(folder.write('a', 'inblob', NONCE), { code: 'ENOENT' });
  writeFileSync(join(path, 'a', 'inblob'), '');
  await folder.write('a', 'inblob', NONCE);
  assert.deepEqual(await folder.read('a', 'inblob'), NONCE);
});

interface Rig {
  readonly journal: ReturnType<typeof newJournal>;
  readonly folder: string;
  readonly failed: string[];
  /** Makes the checkpoints that are due and has one look. */
  turn(): Promise<void>;
  events(): string[];
  now: number;
}

function rigOf(t: TestContext, tsm: KernelTsm): Rig {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  t.after(() => journal.db.open && journal.close());
  const anchors = anchorMethods(journal, Buffer.alloc(32, 7));
  const tee = teeMethods(journal);
  const reporting = new TeeReporting({
    journal: {
      nextTee: async () => tee.nextTee(),
      saveTeeReport: async (report) => tee.saveTeeReport(report, rig.now),
    },
    take: (nonce) => takeTsmReport(tsm, 'a', nonce),
    retryMs: 30_000,
    nowMs: () => rig.now,
    onReported: () => {},
    onFailed: (_, code) => rig.failed.push(code),
    onError: (error) => assert.fail(String(error)),
  });
  const rig: Rig = {
    journal,
    folder,
    failed: [],
    now: START_MS,
    turn: async () => {
      rig.now += 60_000;
      anchors.makeDueAnchors({ interval: 1, maxAgeMs: 1 }, rig.now);
      await reporting.turn();
    },
    events: () => {
      const { records } = new AuditReader(journal.db).page({ order: 'asc', limit: 100 });
      return records.map(({ event, detail }) =>
        event === 'tee_report' ? `${detail['log']} ${detail['tree_size']}` : event,
      );
    },
  };
  return rig;
}

test('a report for each checkpoint, each once, and an end to reports on reports', async (t) => {
  const rig = rigOf(t, kernel());
  await rig.turn();
  assert.deepEqual(rig.events(), [], 'an empty journal has no checkpoint');
  appendOwn(rig.journal, 3);
  await rig.turn();
  assert.deepEqual(rig.events(), ['journal 3']);
  for (let i = 0; i < 5; i++) await rig.turn();
  assert.deepEqual(rig.events(), ['journal 3'], 'the audit log holds nothing but the report');
  rig.journal.audit({ event: 'peer_added', peer: 'p' }, rig.now);
  for (let i = 0; i < 5; i++) await rig.turn();
  assert.deepEqual(rig.events(), ['journal 3', 'peer_added', 'audit 2']);
  appendOwn(rig.journal, 1);
  await rig.turn();
  assert.deepEqual(rig.events().slice(3), ['journal 4']);
  assert.equal(rig.journal.anchors.latest('journal')?.treeSize, 4);
  assert.deepEqual(
    rig.journal.anchors.page(100, 10).flatMap(({ receipts }) => receipts),
    [],
    'none counts as anchored',
  );
  const again = teeMethods(rig.journal).nextTee();
  assert.equal(again, null, 'after a restart the audit log says what was reported on');
  rig.journal.close();
  assert.deepEqual(runFsck(rig.folder, { logKey: LOG_KEY }).problems, []);
});

test('the evidence names the checkpoint byte for byte', async (t) => {
  const rig = rigOf(t, kernel());
  appendOwn(rig.journal, 1);
  await rig.turn();
  const detail = new AuditReader(rig.journal.db).detail(1);
  const note = rig.journal.anchors.latest('journal')?.note ?? '';
  assert.equal(detail?.record.detail['nonce'], teeNonce(note).toString('hex'));
  assert.equal(detail?.record.detail['binding'], 'bound');
  const report = parseTeeReport(JSON.stringify(detail?.evidence));
  assert.ok(report.ok);
  assert.equal(report.value.checkpoint, note);
  assert.deepEqual(Buffer.from(report.value.outblob.subarray(0x50, 0x90)), teeNonce(note));
});

test('a failure waits its time, then the newest checkpoint is reported on', async (t) => {
  const tsm = kernel();
  const rig = rigOf(t, tsm);
  appendOwn(rig.journal, 1);
  tsm.disturbed = 'other_answer';
  await rig.turn();
  assert.deepEqual(rig.failed, ['not_bound'], 'a report about something else is none');
  tsm.disturbed = null;
  appendOwn(rig.journal, 1);
  rig.now -= 60_000;
  await rig.turn();
  assert.deepEqual(rig.events(), [], 'not before the pause is over');
  await rig.turn();
  assert.deepEqual(rig.events(), ['journal 2']);
});

test('a format that is not known is kept, and said not to be checked', async (t) => {
  const tsm = kernel();
  tsm.provider = 'arm_cca_guest';
  const rig = rigOf(t, tsm);
  appendOwn(rig.journal, 1);
  await rig.turn();
  assert.equal(new AuditReader(rig.journal.db).record(1)?.detail['binding'], 'not_checked');
});

test('a whole node: report, record, API and the command that checks it; a broken kernel holds up no anchor', async (t) => {
  const node = await MeshNode.create('tee.example');
  const owned = new AsyncDisposableStack();
  const cli = await createCliFixture();
  t.after(async () => {
    await owned.disposeAsync();
    await Promise.all([node.stop(), cli.close()]);
  });
  await node.start({ 'anchor.interval': '1', 'anchor.max_age_s': '1', 'anchor.retry_s': '1', 'tee.reports': 'true' });
  const missing = tsmFolder(join(node.folder.dir, 'none'));
  assert.throws(
    () => startTee(node.base, owned, missing),
    (thrown) => thrown instanceof StartError && /tee\.reports/.test(thrown.message),
  );

  const tsm = kernel();
  tsm.faults.set('mkdir', 'ENXIO');
  const failures = node.base.metrics.teeReportFailures;
  startTee(node.base, owned, tsm);
  await node.assertFact('one');
  await until('failure', async () => (await node.audit('tee_report_failed')).length > 0);
  await until('more failures', async () => ((await failures.get()).values[0]?.value ?? 0) > 1);
  await until('anchored', async () => /"status":"submitted"/.test((await node.get('/v1/anchors')).text));
  assert.equal(JSON.parse((await node.get('/v1/anchors')).text).tee, null);

  tsm.faults.clear();
  await until('report', async () => (await node.audit('tee_report')).some(({ detail }) => detail['log'] === 'journal'));
  const told = await node.audit('tee_report_failed');
  assert.deepEqual(
    told.map(({ reason }) => reason),
    ['unavailable'],
    'one record, however often it failed',
  );
  const [record] = await node.audit('tee_report');
  const { tee } = JSON.parse((await node.get('/v1/anchors')).text);
  assert.deepEqual([tee.provider, tee.binding], ['sev_guest', 'bound']);

  const answer = JSON.parse((await node.get(`/v1/federation/audit/${record?.seq}`)).text);
  const packet = await node.get(`/v1/federation/audit/${record?.seq}/evidence`);
  assert.equal(packet.status, 404, 'it is no evidence against anybody');
  const file = join(node.folder.dir, 'tee.json');
  writeFileSync(file, JSON.stringify(answer.evidence, null, 2));
  const note = join(node.folder.dir, 'note');
  writeFileSync(note, answer.evidence.checkpoint);
  const raw = join(node.folder.dir, 'raw');
  const checked = await cli.runBare(['verify', 'tee', file, '--checkpoint', note, '--raw', raw]);
  assert.equal(checked.code, 0, checked.stderr);
  assert.match(checked.stdout, /the report names this checkpoint[\s\S]*NOT checked here: who signed the report/);
  assert.equal(readFileSync(raw).length, SNP.length);
  writeFileSync(note, `${answer.evidence.checkpoint}\n`);
  const other = await cli.runBare(['verify', 'tee', file, '--checkpoint', note, '--json']);
  assert.deepEqual([other.code, other.json().binding], [4, 'other_nonce']);
  writeFileSync(file, JSON.stringify({ ...answer.evidence, provider: 'arm_cca_guest' }));
  assert.equal((await cli.runBare(['verify', 'tee', file])).code, 1);
  assert.equal((await cli.runBare(['verify', 'tee', note])).code, 2);
});
