/** Documents of OCSF and ECS against the schemas themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toCef } from '../../../src/siem/cef.ts';
import { toEcs } from '../../../src/siem/ecs.ts';
import { toOcsf } from '../../../src/siem/ocsf.ts';
import { syslogFrame } from '../../../src/siem/syslog.ts';
import { caseStep, SAMPLES, siemEvent } from '../../support/siem-events.ts';
import { ecsFaults, type Json, ocsfFaults } from '../../support/siem-schemas.ts';

for (const event of SAMPLES)
  test(`OCSF: ${event.record.event} ${event.record.reason ?? ''}${event.record.is_drill ? ' (drill)' : ''}`, () => {
    for (const withRecord of [false, true]) assert.deepEqual(ocsfFaults(toOcsf(event, withRecord)), []);
  });

for (const reason of ['new', 'reopened', 'acknowledged', 'noted', 'suppressed', 'resolved'])
  test(`a case that is ${reason}, in OCSF, ECS and CEF`, () => {
    const event = caseStep(reason, { verdict: reason === 'resolved' ? 'clock' : null, why: 'a|b=c', ticket: 'INC-7' });
    for (const withRecord of [false, true]) {
      assert.deepEqual(ocsfFaults(toOcsf(event, withRecord)), []);
      assert.deepEqual(ecsFaults(toEcs(event, withRecord)), []);
    }
    const isOpening = reason === 'new' || reason === 'reopened';
    const ecs = toEcs(event, false) as { event: Json; rule: Json };
    assert.equal(ecs.event['kind'], isOpening ? 'alert' : 'event');
    assert.deepEqual([ecs.event['type'], ecs.rule['id']], [['info'], 'cid_mismatch']);
    const cef = toCef(event, false);
    const name = isOpening ? 'case_opened' : 'case_changed';
    assert.ok(cef.includes(`|${name}|${name}|5|`) && cef.includes(` act=${reason} `), cef);
    assert.ok(cef.includes('reason=cid_mismatch ') && cef.endsWith('\\na|b\\=c'), cef);
  });

test('OCSF: what the check is for', () => {
  const whole = toOcsf(siemEvent(), false) as Json;
  const { actor: _actor, ...without } = whole;
  assert.deepEqual(ocsfFaults(without), ['actor is required']);
  assert.deepEqual(ocsfFaults({ ...whole, disposition_id: 77 }), ['disposition_id cannot be 77']);
  assert.deepEqual(ocsfFaults({ ...whole, nonsense: 1 }), ['nonsense is not in the schema']);
  assert.deepEqual(ocsfFaults({ ...whole, disposition: 'Blocked' }), ['disposition is Blocked, not Rejected']);
});

test('OCSF: one refused fact is a denied write; a summary is a finding that others join', () => {
  const [refusal, held, summary] = SAMPLES.map((event) => toOcsf(event, false) as Json);
  assert.equal(refusal?.['class_uid'], 6005);
  assert.equal(refusal?.['type_uid'], 600505);
  assert.equal(refusal?.['is_alert'], true);
  assert.equal(held?.['disposition_id'], 3);
  assert.equal(summary?.['class_uid'], 2004);
  const info = summary?.['finding_info'] as Json;
  assert.equal(info['related_events_count'], 4_711);
  const again = toOcsf(
    siemEvent({ seq: 43, event: 'refusals_summarized', cid: null, detail: { count: 1 } }),
    false,
  ) as Json;
  assert.equal((again['finding_info'] as Json)['uid'], info['uid']);
});

for (const event of SAMPLES)
  test(`ECS: ${event.record.event} ${event.record.reason ?? ''}${event.record.is_drill ? ' (drill)' : ''}`, () => {
    for (const withRecord of [false, true]) assert.deepEqual(ecsFaults(toEcs(event, withRecord)), []);
  });

test('ECS: what the check is for', () => {
  assert.deepEqual(ecsFaults({ event: { kind: 'rumour', made_up: 'x', category: 'network' } }), [
    'event.kind: rumour',
    'event.made_up is no field of ECS',
    'event.category is a list',
  ]);
});

test('OCSF: a case is one finding from its opening to its end', () => {
  const steps = [
    caseStep('new'),
    caseStep('acknowledged'),
    caseStep('assigned', { assignee: 'bo' }),
    caseStep('noted', { why: 'asked them' }),
    caseStep('ticketed', { ticket: 'https://tickets.example/7' }),
    caseStep('ticketed', { ticket: 'INC-7' }),
    caseStep('suppressed'),
    caseStep('resolved', { verdict: 'malicious' }),
    caseStep('reopened'),
  ];
  const shown = steps.map((step) => {
    const { type_uid, is_alert, status_id } = toOcsf(step, false) as Json;
    return [type_uid, is_alert, status_id];
  });
  assert.deepEqual(shown, [
    [200401, true, 1],
    [200402, false, 2],
    [200402, false, 1],
    [200402, false, 1],
    [200402, false, 1],
    [200402, false, 1],
    [200402, false, 3],
    [200403, false, 4],
    [200402, true, 1],
  ]);
  const [opened, , assigned, noted, link, ticket, , resolved] = steps.map((step) => toOcsf(step, false) as Json);
  const info = opened?.['finding_info'] as Json;
  assert.equal(info['related_events_count'], 1);
  assert.deepEqual(info['related_events'], [{ uid: `acme.example/41/${'ef'.repeat(8)}` }]);
  assert.equal(info['title'], 'cid_mismatch of globex.example');
  assert.deepEqual(assigned?.['assignee'], { name: 'bo' });
  assert.equal(noted?.['comment'], 'asked them');
  assert.deepEqual(link?.['tickets'], [{ src_url: 'https://tickets.example/7' }]);
  assert.deepEqual(ticket?.['tickets'], [{ uid: 'INC-7' }]);
  assert.deepEqual([resolved?.['verdict_id'], resolved?.['verdict']], [2, 'True Positive']);
  const drill = toOcsf(caseStep('new', {}, { is_drill: true }), false) as Json;
  assert.deepEqual([drill['type_uid'], drill['verdict_id'], drill['is_alert']], [200401, 6, false]);
  const drilled = toEcs(siemEvent({ is_drill: true }), false) as { event: Json };
  assert.equal(drilled.event['kind'], 'event');
  assert.equal((toOcsf(caseStep('resolved', { verdict: 'drill' }), false) as Json)['verdict_id'], 6);

  // Refusals, summaries and steps of one case are joined by its uid, in each format.
  const summary = siemEvent({ event: 'refusals_summarized', detail: { count: 3, exemplars: [], key_id: 'aabbccdd' } });
  const refusal = siemEvent({ detail: { key_id: 'aabbccdd' } });
  const uid = info['uid'];
  assert.equal(((toOcsf(summary, false) as Json)['finding_info'] as Json)['uid'], uid);
  for (const event of [refusal, summary, ...steps]) {
    assert.equal(((toOcsf(event, false) as Json)['metadata'] as Json)['correlation_uid'], uid);
    assert.equal(((toEcs(event, false) as Json)['stigmem'] as Json)['finding'], uid);
    assert.ok(toCef(event, false).includes(` flexString1Label=finding flexString1=${String(uid)} `));
  }
  const other = siemEvent({ detail: { key_id: '11223344' } });
  assert.notEqual(((toOcsf(other, false) as Json)['metadata'] as Json)['correlation_uid'], uid);
});

test('a step weighs what its case weighs, so that a filter lets all of a case through', () => {
  assert.equal(caseStep('noted', { severity: 'critical' }).severity, 'critical');
  assert.equal(
    siemEvent({ event: 'case_changed', reason: 'noted', detail: { case: 1, move: 'note' } }).severity,
    'info',
  );
});

test('CEF and syslog, as they are documented', () => {
  const event = siemEvent();
  assert.equal(
    toCef(event, false),
    `CEF:0|stigmem-peerd|stigmem-peerd|1.2.3|cid_mismatch|federation_integrity_rejected|5|rt=${event.atMs} externalId=${event.id} dvchost=acme.example act=rejected outcome=failure reason=cid_mismatch fileHash=sha256:${'ab'.repeat(32)} fileId=0197c1b2-0000-7000-8000-000000000001 cs1Label=peer cs1=stigmem://globex.example cs2Label=scope cs2=public cs3Label=evidence cs3=sha256:${'cd'.repeat(32)} cs4Label=recordHash cs4=${event.hash} cs5Label=field cs5=cid cn1Label=sequence cn1=42 flexString1Label=finding flexString1=group:5123cc0056a6da0d1ecd618427be2732 msg=federation_integrity_rejected: cid_mismatch (stigmem://globex.example)`,
  );
  assert.match(
    syslogFrame(event, '{}'),
    /^\d+ <108>1 2026-11-30T05:00:00\.123456Z acme\.example stigmem-peerd - cid_mismatch \[stigmem@32473 id="acme\.example\/42\/[0-9a-f]{16}" seq="42" hash="sha256:[0-9a-f]{64}" event="federation_integrity_rejected" reason="cid_mismatch" peer="stigmem:\/\/globex\.example" feed="public" cid="sha256:[0-9a-f]{64}"\] \{\}$/,
  );
});
