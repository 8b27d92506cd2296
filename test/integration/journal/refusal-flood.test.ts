/** A flood of refusals: what is recorded, what is summarized, what it costs on disk, and what fsck says. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { MAX_REFUSAL_GROUPS, REFUSAL_BUDGET_BYTES } from '../../../src/core/limits.ts';
import { FACT_EVENT } from '../../../src/core/verdict.ts';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import type { AuditRecord } from '../../../src/journal/read-model.ts';
import { entryRefusalLeaf } from '../../../src/journal/refusal-leaf.ts';
import { decodeBase64 } from '../../../src/merkle/base64.ts';
import { checkInclusion } from '../../../src/merkle/inclusion.ts';
import { openPage } from '../../../src/verify/page.ts';
import { FLOOD_KINDS, type FloodKind, FloodLog } from '../../support/flood-log.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { LOG_KEY, NOW_MS, newJournal, openJournal, pullPage, temporaryFolder } from '../../support/journal-fixture.ts';
import { tamper } from '../../support/tampering.ts';

const STOLEN = { source: 'stigmem://hooli.example/agent/stolen' };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FLOOD = 20_000;

function records(journal: Journal, filter: { event?: string; reason?: string } = {}): readonly AuditRecord[] {
  return new AuditReader(journal.db).page({ ...filter, order: 'asc', limit: 5_000 }).records;
}

const summaries = (journal: Journal) => records(journal, { event: 'refusals_summarized' });
const problems = (folder: string) => runFsck(folder, { logKey: LOG_KEY }).problems;

/** Bytes of audit log and evidence with their indexes. */
function auditBytes(journal: Journal): number {
  const sql = `SELECT sum(pgsize) FROM dbstat WHERE name IN ('audit', 'evidence', 'refusal_groups', 'refusal_budgets')
    OR name LIKE 'audit_by_%' OR name LIKE 'evidence_by_%'`;
  return journal.db.prepare<[], number>(sql).pluck().get() ?? 0;
}

function pullAll(journal: Journal, peer: HonestPeer, count: number): void {
  while (journal.peers.cursor(peer.nodeId, 'public') < peer.size) pullPage(journal, peer, count);
}

test('true pages full of lies: few records, summaries that add up, examples that are proved, a clean journal', (t) => {
  const folder = temporaryFolder(t);
  let journal = newJournal(folder);
  const peer = new HonestPeer().appendMany(5).appendMany(300, () => STOLEN);
  pullAll(journal, peer, 70);
  const told = summaries(journal);
  // 16 singles, then as many as were told before.
  assert.deepEqual(
    told.map(({ detail }) => [detail['count'], detail['from_seq'], detail['to_seq']]),
    [
      [16, 22, 37],
      [32, 38, 69],
      [64, 70, 133],
      [128, 134, 261],
    ],
  );
  for (const summary of told) assertProved(journal, peer, summary);
  const singles = records(journal, { reason: 'source_not_owned', event: 'rejected_fact' });
  // First, last and up to three between of each summary; the last one is not written yet.
  assert.ok(singles.length > 16 + 4 * 2 && singles.length <= 16 + 4 * 5 + 4, `${singles.length} records`);
  assert.equal(singles[0]?.detail['feed_seq'], 6);
  // 44 are not in a summary yet: over a restart too.
  journal.close();
  assert.deepEqual(problems(folder), []);
  journal = openJournal(folder);
  assert.equal(journal.summarizeRefusals(NOW_MS + HOUR_MS - 1), 0);
  assert.equal(journal.summarizeRefusals(NOW_MS + HOUR_MS), 1);
  assert.equal(summaries(journal).at(-1)?.detail['count'], 44);
  assertProved(journal, peer, summaries(journal).at(-1));
  assert.equal(journal.summarizeRefusals(NOW_MS + 2 * HOUR_MS), 0);
  journal.close();
  assert.deepEqual(problems(folder), []);
});

/** First, last and some between have records with evidence, whose leaves are under the root. */
function assertProved(journal: Journal, { nodeId, entries }: HonestPeer, summary: AuditRecord | undefined): void {
  assert.ok(summary !== undefined);
  const { count, root, exemplars, from_seq, to_seq } = summary.detail as unknown as Summary;
  assert.deepEqual([exemplars[0]?.index, exemplars.at(-1)?.index], [0, count - 1]);
  assert.ok(exemplars.length >= 2);
  for (const { audit_seq, index, path } of exemplars) {
    const detail = new AuditReader(journal.db).detail(audit_seq);
    assert.ok(detail?.intact);
    const feedSeq = from_seq + index;
    assert.deepEqual([detail.record.detail['feed_seq'], detail.record.reason], [feedSeq, summary.reason]);
    assert.equal((detail.evidence as { reason: string }).reason, summary.reason);
    const stored = entries[feedSeq - 1];
    assert.ok(stored !== undefined && feedSeq <= to_seq);
    const kind = { peer: nodeId, feed: 'public', reason: String(summary.reason), feedSeq, chainSeq: stored.index + 1 };
    const leaf = entryRefusalLeaf({ ...kind, entryLeaf: stored.leaf });
    assert.equal(checkInclusion(leaf, index, path.map(bytes), bytes(root), count), 'ok');
  }
}

interface Summary {
  readonly count: number;
  readonly root: string;
  readonly from_seq: number;
  readonly to_seq: number;
  readonly exemplars: readonly { readonly audit_seq: number; readonly index: number; readonly path: string[] }[];
}

const bytes = (text: string): Uint8Array => decodeBase64(text) ?? new Uint8Array(0);

test('a flood of every kind: one needle of another kind has its record, whatever came before; the disk stays small', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  const [needle = 'cid_mismatch', ...others] = FLOOD_KINDS;
  const noise = randomBytes(300).toString('base64');
  const kindAt = (index: number): FloodKind =>
    index === FLOOD - 100 ? needle : (others[index % others.length] ?? needle);
  const flood = new FloodLog('flood.example', FLOOD, kindAt, noise);
  const before = auditBytes(journal);
  pullAll(journal, flood, 1_000);

  const grown = auditBytes(journal) - before;
  t.diagnostic(`${FLOOD} lies: ${grown} bytes, ${records(journal).length} records`);
  assert.ok(grown < REFUSAL_BUDGET_BYTES, `${grown} bytes`);
  for (const reason of FLOOD_KINDS) {
    const [first] = records(journal, { reason });
    assert.equal(first?.event, FACT_EVENT[reason]);
    assert.notEqual(first?.evidence, null);
  }
  assert.equal(records(journal, { reason: needle })[0]?.detail['feed_seq'], FLOOD - 99);
  assert.equal(journal.db.prepare('SELECT count(*) FROM refusal_groups').pluck().get(), FLOOD_KINDS.length);
  assert.equal(journal.peers.totals(flood.nodeId).refused, FLOOD);
  journal.close();
  assert.deepEqual(problems(folder), []);
});

test('when the budget is spent, that is said once; what comes then has its first record and is counted', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  const flood = new FloodLog('flood.example', 900, (index) => (index < 850 ? 'cid_mismatch' : 'cid_missing'));
  pullPage(journal, flood, 200);
  const spent = 'UPDATE refusal_budgets SET spent_bytes = ';
  journal.db.exec(`${spent} ${REFUSAL_BUDGET_BYTES - 1}`);
  pullAll(journal, flood, 200);
  const [reached, ...more] = records(journal, { event: 'refusal_budget_reached' });
  assert.deepEqual(more, []);
  assert.equal(reached?.peer, flood.nodeId);
  const after = records(journal).filter(
    ({ seq, event }) => seq > Number(reached?.seq) && event !== 'refusals_summarized' && event !== 'case_opened',
  );
  assert.deepEqual(
    after.map(({ reason, evidence }) => [reason, evidence === null]),
    [['cid_missing', false]],
  );
  journal.close();
  assert.deepEqual(problems(folder), []);
});

test('of more feeds than groups the further ones are put together by reason, and the sums hold', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  const peer = new HonestPeer();
  const gardens = Array.from({ length: MAX_REFUSAL_GROUPS + 20 }, (_, i) => `g${i}`);
  for (const garden_id of gardens) peer.appendMany(2, () => ({ scope: 'company', garden_id }));
  // None of them is taken from this peer.
  for (const garden of gardens) pullPage(journal, peer, 5, { feed: `company/${garden}` });
  const kinds = journal.db.prepare<[], string>('SELECT feed FROM refusal_groups').pluck().all();
  assert.deepEqual([kinds.length, kinds.filter((feed) => feed === '').length], [MAX_REFUSAL_GROUPS + 1, 1]);
  assert.equal(journal.summarizeRefusals(NOW_MS + HOUR_MS), 1);
  assert.deepEqual(
    summaries(journal).map(({ feed, detail }) => [feed, detail['from_seq'], detail['count']]),
    [
      [null, null, 16],
      [null, null, 8],
    ],
  );
  journal.close();
  assert.deepEqual(problems(folder), []);
  tamper(folder, (db) => db.exec("UPDATE pages SET refused = 3 WHERE feed = 'company/g80'"));
  assert.ok(problems(folder).some(({ table, field }) => table === 'pages' && field === 'refused'));
});

test('after a day budget and kinds begin anew, and nothing that waited is lost; with a clock put back too', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  const flood = new FloodLog('flood.example', 90, () => 'cid_mismatch');
  const page = (nowMs: number) => pullPage(journal, flood, 30, { nowMs }).refused.length;
  const isWhole = (refused: number): boolean => refused >= 17 && refused < 22;
  assert.ok(isWhole(page(NOW_MS)));
  assert.ok(isWhole(page(NOW_MS + DAY_MS)));
  assert.deepEqual(
    summaries(journal).map(({ detail }) => detail['count']),
    [14],
  );
  assert.ok(isWhole(page(NOW_MS - DAY_MS)));
  journal.close();
  assert.deepEqual(problems(folder), []);
});

test('fsck finds a count that was changed, and a summary that names what is not under its root', (t) => {
  const folder = temporaryFolder(t);
  let journal = newJournal(folder);
  const peer = new HonestPeer().appendMany(5).appendMany(40, () => STOLEN);
  pullAll(journal, peer, 70);
  const [summary] = summaries(journal);
  assert.ok(summary !== undefined);
  journal.close();
  const codes = (): string[] => problems(folder).map(({ code }) => code);
  tamper(folder, (db) => db.exec('UPDATE refusal_groups SET pending = pending - 1'));
  assert.deepEqual(codes(), ['refused_mismatch']);
  tamper(folder, (db) => db.exec('UPDATE refusal_groups SET pending = pending + 1'));
  assert.deepEqual(codes(), []);

  journal = openJournal(folder);
  // A writer of this program that lies, with everything else in order.
  const { event, reason, peer: of, feed } = summary;
  const { exemplars, root } = summary.detail as unknown as Summary;
  const [one] = exemplars;
  const lies = [
    { count: 1, root, exemplars: [{ ...one, path: [] }] },
    { count: 1, root, exemplars: [{ ...one, audit_seq: summary.seq }] },
    { count: 1, root, exemplars: [{ ...one, audit_seq: 9_999 }] },
    { count: 'many', root, exemplars: [] },
  ];
  for (const detail of lies) journal.audit({ event, reason, peer: of, feed, detail }, NOW_MS);
  journal.close();
  assert.deepEqual(codes(), ['summary_mismatch', 'summary_mismatch', 'summary_mismatch', 'summary_mismatch']);
});

test('pages that are refused as a whole, again and again with other bytes, are summarized too', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  const peer = new HonestPeer().appendMany(1);
  const seqs = Array.from({ length: 60 }, () => {
    const frames = { header: randomBytes(200_000), entries: null, proof: null, note: null };
    const opened = openPage(frames, peer.context());
    assert.ok(!opened.ok && opened.error.kind === 'refused');
    const page = { refusal: opened.error, peer: peer.pinned(), feed: 'public', suspended: false };
    return journal.recordRefusedPage(page, NOW_MS);
  });
  const rows = records(journal);
  assert.ok(rows.length < 40, `${rows.length} records`);
  for (const seq of seqs) assert.equal(rows[seq - 1]?.reason, 'page_malformed'); // each call names a record of its kind
  assert.ok(auditBytes(journal) < 2 * REFUSAL_BUDGET_BYTES, `${auditBytes(journal)} bytes`);
  journal.close();
  assert.deepEqual(problems(folder), []);
});
