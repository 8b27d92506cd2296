/** Checkpoints on their way to logs: order, outages, crashes. Real journal, real local log. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Anchoring, type AnchorJournal } from '../../../src/anchor/anchoring.ts';
import type { AnchorBackend } from '../../../src/anchor/backend.ts';
import { AnchorError } from '../../../src/anchor/errors.ts';
import { createLocalBackend } from '../../../src/anchor/local-backend.ts';
import { checkLocalInclusion } from '../../../src/core/reference/local-log.ts';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { checkAnchorReceipt } from '../../../src/merkle/anchor-receipt.ts';
import { createAnchorSigner } from '../../../src/merkle/ecdsa.ts';
import { createTraces } from '../../../src/observe/trace.ts';
import { anchorMethods } from '../../../src/threads/anchor-methods.ts';
import { appendOwn, IDENTITY, LOG_KEY, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

const ANCHOR_SEED = Buffer.alloc(32, 7);
const CADENCE = { interval: 1_000, maxAgeMs: 60_000 };
const SIGNAL = new AbortController().signal;

interface Rig {
  readonly folder: string;
  readonly file: string;
  readonly journal: Journal;
  readonly calls: AnchorJournal;
  now: number;
}

function rigOf(t: TestContext): Rig {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  t.after(() => journal.db.open && journal.close());
  const methods = anchorMethods(journal, ANCHOR_SEED);
  const rig: Rig = {
    folder,
    file: join(folder, 'anchors.jsonl'),
    journal,
    now: 1_800_000_000_000,
    calls: {
      makeDueAnchors: async (cadence) => methods.makeDueAnchors(cadence, rig.now),
      nextAnchor: async (backend) => methods.nextAnchor(backend, rig.now),
      saveAnchorReceipt: async (id, receipt) => methods.saveAnchorReceipt(id, receipt, rig.now),
      failAnchor: async (id, backend, failure) => methods.failAnchor(id, backend, failure),
      anchorStatus: async (backends) => methods.anchorStatus(backends),
    },
  };
  return rig;
}

/** Submits all that is due, as the loop does in one turn. */
async function turn(rig: Rig, backends: readonly AnchorBackend[]): Promise<string[]> {
  const failed: string[] = [];
  const reached = Promise.withResolvers<void>();
  let idle = 0;
  const calls = {
    ...rig.calls,
    nextAnchor: async (backend: string) => {
      const next = await rig.calls.nextAnchor(backend);
      if (next === null && ++idle >= backends.length) reached.resolve();
      return next;
    },
  };
  const anchoring = new Anchoring({
    traces: createTraces(null),
    journal: calls,
    backends,
    cadence: CADENCE,
    retryMs: 30_000,
    nowMs: () => rig.now,
    onSubmitted: () => {},
    onFailed: (_, { treeSize }, error) => {
      failed.push(`${treeSize} ${error.code}`);
      if (error.code !== 'refused' && ++idle >= backends.length) reached.resolve();
    },
    onError: (error) => reached.reject(error),
  });
  anchoring.start();
  await reached.promise;
  await anchoring.stop();
  return failed;
}

const linesOf = (file: string): { index: number; payload: { covered_chain_seq: number } }[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('a checkpoint is due by count, by age, and never for nothing new', async (t) => {
  const rig = rigOf(t);
  const make = (): Promise<number> => rig.calls.makeDueAnchors(CADENCE);
  assert.equal(await make(), 0, 'an empty journal has nothing to anchor');
  appendOwn(rig.journal, 1);
  assert.equal(await make(), 1, 'the first one comes at once');
  assert.equal(await make(), 0);
  appendOwn(rig.journal, 999);
  assert.equal(await make(), 0, '999 entries in no time');
  appendOwn(rig.journal, 1);
  assert.equal(await make(), 1, 'by count');
  appendOwn(rig.journal, 1);
  rig.now += 59_999;
  assert.equal(await make(), 0);
  rig.now += 1;
  assert.equal(await make(), 1, 'by age, in a journal that has gone quiet');
  rig.now += 3_600_000;
  assert.equal(await make(), 0, 'nothing was written since');
  rig.journal.audit({ event: 'peer_added', peer: 'p' }, rig.now);
  assert.equal(await make(), 1, 'the audit log has its own');
  assert.equal(rig.journal.anchors.latest('audit')?.treeSize, 1);
});

test('what a wrong clock has dated ahead puts off no checkpoint and no retry', async (t) => {
  const rig = rigOf(t);
  appendOwn(rig.journal, 1);
  const year = 365 * 86_400_000;
  rig.now += year;
  assert.equal(await rig.calls.makeDueAnchors(CADENCE), 1);
  const made = await rig.calls.nextAnchor('local');
  const failure = { error: 'x', isPermanent: false, nextRetryUs: (rig.now + 60_000) * 1_000 };
  await rig.calls.failAnchor(made?.id ?? 0, 'local', failure);
  assert.equal(await rig.calls.nextAnchor('local'), null, 'it waits for its minute');
  rig.now -= year;
  assert.equal((await rig.calls.nextAnchor('local'))?.id, made?.id);
  appendOwn(rig.journal, 1);
  assert.equal(await rig.calls.makeDueAnchors(CADENCE), 1);
});

test('local log: reference lines with our note, in order, each receipt verifies', async (t) => {
  const rig = rigOf(t);
  const local = createLocalBackend(rig.file, () => rig.now);
  for (let i = 0; i < 5; i++) {
    appendOwn(rig.journal, 3);
    rig.now += 60_000;
    await rig.calls.makeDueAnchors(CADENCE);
  }
  assert.deepEqual(await turn(rig, [local]), []);
  const text = readFileSync(rig.file, 'utf8');
  assert.deepEqual(
    linesOf(rig.file).map(({ index, payload }) => [index, payload.covered_chain_seq]),
    [3, 6, 9, 12, 15].map((size, i) => [i, size]),
  );
  const signer = createAnchorSigner(IDENTITY.journalOrigin, ANCHOR_SEED);
  const trust = { origin: IDENTITY.journalOrigin, anchorKey: signer.publicKey, logs: [] };
  for (const { receipts } of rig.journal.anchors.page(100, 10)) {
    const [receipt] = receipts;
    assert.ok(receipt);
    const checked = checkAnchorReceipt(receipt, trust);
    assert.ok(checked.ok, JSON.stringify(checked));
    assert.equal(checked.value.treeSize, receipt.tree_size);
    assert.ok(checkLocalInclusion(text, { leaf_hash: receipt.leaf_hash, log_index: receipt.log_index }).ok);
    const forged = { ...receipt, entry: { ...Object(receipt.entry), ts: 1, payload: { covered_chain_seq: 99 } } };
    assert.equal(checkAnchorReceipt(forged, trust).ok, false);
  }
  assert.equal(rig.journal.anchors.anchoredFor(7)?.checkpoint.treeSize, 15);
  assert.equal(rig.journal.anchors.anchoredFor(16), null);
  rig.journal.close();
  assert.deepEqual(runFsck(rig.folder, { logKey: LOG_KEY }).problems, []);
});

test('killed between the log and the record of it: the line stands once', async (t) => {
  const rig = rigOf(t);
  const local = createLocalBackend(rig.file, () => rig.now);
  appendOwn(rig.journal, 3);
  await rig.calls.makeDueAnchors(CADENCE);
  const checkpoint = await rig.calls.nextAnchor('local');
  assert.ok(checkpoint);
  await local.submit(checkpoint, SIGNAL);
  rig.now += 5_000;
  assert.deepEqual(await turn(rig, [createLocalBackend(rig.file, () => rig.now)]), []);
  assert.equal(linesOf(rig.file).length, 1);
  assert.equal((await rig.calls.anchorStatus(['local']))[0]?.pending, 0);
});

test('a torn line is cut off, a foreign file is left alone', async (t) => {
  const rig = rigOf(t);
  const local = createLocalBackend(rig.file, () => rig.now);
  appendOwn(rig.journal, 1);
  await rig.calls.makeDueAnchors(CADENCE);
  await turn(rig, [local]);
  appendFileSync(rig.file, '{"index":1,"ts":17');
  appendOwn(rig.journal, 1);
  rig.now += 60_000;
  await rig.calls.makeDueAnchors(CADENCE);
  assert.deepEqual(await turn(rig, [local]), []);
  assert.deepEqual(
    linesOf(rig.file).map(({ index }) => index),
    [0, 1],
  );
  writeFileSync(rig.file, 'my shopping list\n');
  appendOwn(rig.journal, 1);
  rig.now += 60_000;
  await rig.calls.makeDueAnchors(CADENCE);
  assert.deepEqual(await turn(rig, [local]), ['3 file_damaged']);
  assert.equal(readFileSync(rig.file, 'utf8'), 'my shopping list\n');
});

test('an outage holds up nothing, keeps the order, and backs off; what is refused for good is passed over', async (t) => {
  const rig = rigOf(t);
  const taken: number[] = [];
  let state: 'down' | 'up' = 'down';
  const log: AnchorBackend = {
    name: 'rekor',
    async submit({ treeSize }) {
      if (state === 'down') throw new AnchorError('unreachable', 'connection refused');
      if (treeSize === 4 && !taken.includes(-4)) {
        taken.push(-4);
        throw new AnchorError('refused', 'HTTP 400');
      }
      taken.push(treeSize);
      const receipt = {
        logId: 'l',
        logIndex: taken.length,
        integratedTime: null,
        leafHash: '00',
        entry: '{}',
        trustRoot: null,
      };
      return { backend: 'rekor', ...receipt };
    },
  };
  for (let i = 0; i < 4; i++) {
    appendOwn(rig.journal, 2);
    rig.now += 60_000;
    await rig.calls.makeDueAnchors(CADENCE);
  }
  assert.deepEqual(await turn(rig, [log]), ['2 unreachable']);
  let [status] = await rig.calls.anchorStatus(['rekor']);
  assert.deepEqual([status?.pending, status?.attempts, status?.lastError], [4, 1, 'connection refused']);
  assert.equal(status?.nextRetryUs, (rig.now + 30_000) * 1_000);
  assert.equal(await rig.calls.nextAnchor('rekor'), null, 'those behind it do not overtake it');

  state = 'up';
  rig.now += 30_000;
  assert.deepEqual(await turn(rig, [log]), ['4 refused']);
  assert.deepEqual(taken, [2, -4, 6, 8]);
  [status] = await rig.calls.anchorStatus(['rekor']);
  assert.deepEqual([status?.pending, status?.lastError, status?.watermark], [1, 'HTTP 400', 2]);
  rig.now += 3_600_000;
  assert.deepEqual(await turn(rig, [log]), []);
  assert.deepEqual((await rig.calls.anchorStatus(['rekor']))[0]?.pending, 0);
});
