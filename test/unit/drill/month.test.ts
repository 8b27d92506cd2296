import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRILLS, type DrillRun } from '../../../src/core/drill.ts';
import { drillMonth, type MonthFacts, monthAt, monthBefore, monthOf } from '../../../src/drill/month.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { openDrillReport, signDrillReport } from '../../../src/wire/drill-report.ts';

const SIGNER = createLogSigner('acme.example/journal/00000000000000aa', Buffer.alloc(32, 3));
const OTHER = createLogSigner(SIGNER.name, Buffer.alloc(32, 4));
const AT = '2026-11-03T10:00:00.000000+00:00';

function run(i: number, state: DrillRun['state'] = 'passed'): DrillRun {
  return {
    id: i.toString(16).padStart(32, '0'),
    kind: 'rollback',
    state,
    node_id: `stigmem://drill-${i}.invalid`,
    started_at: AT,
    started_by: 'agent:ann#12345678',
    why: 'a test “naïve”',
    ended_at: AT,
    failure: state === 'failed' ? { code: 'accepted', message: 'it passes' } : null,
    expected: { event: 'federation_integrity_rejected', reason: DRILLS.rollback.reason },
    seen: { event: 'federation_integrity_rejected', reason: 'checkpoint_rollback', audit_seq: i + 1 },
    sent_at: AT,
    refused_at: AT,
    recorded_at: AT,
    sinks: [{ name: 'siem', state: 'acknowledged', acked_at: AT }],
    convicts: null,
    acknowledged_at: null,
    acknowledged_by: null,
    case_id: 4,
  };
}

function monthWith(runs: readonly DrillRun[], more: Partial<MonthFacts> = {}): ReturnType<typeof drillMonth> {
  return drillMonth({
    nodeId: 'stigmem://acme.example',
    month: '2026-11',
    madeAt: '2026-12-02T00:00:00.000000+00:00',
    auditSize: 100,
    whole: true,
    runs,
    refusals: [{ reason: 'cid_mismatch', count: 4 }],
    ...more,
  });
}

test('months of the calendar in UTC, as times of the audit log', () => {
  assert.deepEqual(monthOf('2026-12'), {
    month: '2026-12',
    since: '2026-12-01T00:00:00.000000+00:00',
    until: '2027-01-01T00:00:00.000000+00:00',
  });
  for (const text of ['2026-13', '2026-00', '2026-1', '26-01', '']) assert.equal(monthOf(text), null);
  assert.equal(monthBefore(Date.parse('2026-01-31T23:00:00Z')), '2025-12');
  assert.equal(monthBefore(Date.parse('2026-03-31T00:00:00Z')), '2026-02');
  assert.equal(monthAt(Date.parse('2026-02-28T23:59:59.999Z')), '2026-02');
});

test('a report opens as it was signed, and under no other key or name', () => {
  const runs = [run(1), run(2, 'failed'), run(3, 'running')];
  const sofar = monthWith(runs, { whole: false });
  assert.deepEqual([sofar.drills.length, sofar.passed, sofar.failed], [2, 1, 1]);
  const month = monthWith(runs, { nodeId: `stigmem://${'a'.repeat(240)}.example:40000` });
  assert.deepEqual(
    [month.drills.length, month.passed, month.failed],
    [3, 1, 2],
    'nothing runs in a month that is over',
  );
  assert.equal(month.drills.at(-1)?.failure, 'interrupted');
  const text = signDrillReport(month, SIGNER);
  assert.deepEqual(openDrillReport(text, [OTHER.publicKey, SIGNER.publicKey], SIGNER.name), { ok: true, value: month });
  assert.deepEqual(openDrillReport(text, [OTHER.publicKey], SIGNER.name), {
    ok: false,
    error: 'document_signature_invalid',
  });
  assert.equal(openDrillReport(text, [SIGNER.publicKey], 'globex.example/journal/00000000000000aa').ok, false);
});

test('no byte of a report can be changed', () => {
  const text = signDrillReport(monthWith([run(1)]), SIGNER);
  for (let i = 0; i < text.length; i += 7) {
    const changed = `${text.slice(0, i)}${text[i] === 'a' ? 'b' : 'a'}${text.slice(i + 1)}`;
    assert.equal(openDrillReport(changed, [SIGNER.publicKey], SIGNER.name).ok, false, `byte ${i}`);
  }
});

test('a report of more drills than a document holds is whole only with all of its parts, in their order', () => {
  const month = monthWith(Array.from({ length: 300 }, (_, i) => run(i)));
  const text = signDrillReport(month, SIGNER);
  const parts = text.split(/^(?=stigmem-drill-report\/v1$)/m);
  assert.ok(parts.length > 1);
  assert.deepEqual(openDrillReport(text, [SIGNER.publicKey], SIGNER.name), { ok: true, value: month });
  const incomplete = { ok: false, error: 'report_incomplete' };
  const open = (some: readonly string[]): object => openDrillReport(some.join(''), [SIGNER.publicKey], SIGNER.name);
  assert.deepEqual(open(parts.slice(1)), incomplete);
  assert.deepEqual(open(parts.toReversed()), incomplete);
  assert.deepEqual(open([...parts.slice(0, -1), parts[0] ?? '']), incomplete);
  const later = signDrillReport({ ...month, made_at: '2026-12-03T00:00:00.000000+00:00' }, SIGNER);
  const mixed = later.split(/^(?=stigmem-drill-report\/v1$)/m);
  assert.deepEqual(open([parts[0] ?? '', ...mixed.slice(1)]), incomplete);
});

test('lines end at a line feed, whatever else a name holds', () => {
  const by = 'ann\u2028stigmem-drill-report/v1\u2028\u0085b';
  const report = signDrillReport(monthWith([{ ...run(1), acknowledged_by: by }]), SIGNER);
  const opened = openDrillReport(report, [SIGNER.publicKey], SIGNER.name);
  assert.ok(opened.ok, JSON.stringify(opened));
  assert.equal(opened.value.drills[0]?.acknowledged_by, by);
});
