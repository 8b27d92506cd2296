/** The life of a case at a running node: a lying partner, two persons, the next lie, and kill -9 between the steps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openKeyStore } from '../../src/admin/keys.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import { HostileProcess } from '../support/hostile-process.ts';
import { Bench } from '../support/node-process.ts';

const MODULE = new URL('./page-lies.ts', import.meta.url).href;
const REASON = 'checkpoint_signature_invalid';
const LIAR = `${REASON}_1`;

test('a refusal is a case at once, two persons resolve it, the next lie opens it again; kill -9 between loses nothing', async (t) => {
  const bench = new Bench(t);
  const [victim, liars] = await Promise.all([
    bench.node('victim.example', ['review.four_eyes=case.resolve']).then((node) => node.start()),
    HostileProcess.start(bench, MODULE, [LIAR]),
  ]);
  const keys = openKeyStore(dataPaths(victim.dir).apiKeys);
  const bob = keys.create({ name: 'bob', permissions: ['review'] }, Date.now()).secret;
  victim.writePeer('liar', liars.asPeer(LIAR));
  const caseNow = async () => (await victim.get(`/v1/cases?reason=${REASON}`)).body.cases[0];
  await bench.until('it is recorded', async () => (await victim.audit(`reason=${REASON}`)).length > 0 || undefined);
  const found = await caseNow();
  assert.ok(found !== undefined, 'it is a case as soon as it is a record');
  assert.deepEqual([found.state, found.severity, found.peer, found.topic], ['new', 'high', 'liar', 'refusal']);
  const id = String(found.id);

  assert.match(await bench.cli(victim, ['case', 'ack', id]), /^Acknowledged/);
  await victim.kill();
  await victim.start();
  assert.equal((await caseNow()).state, 'acknowledged');
  await bench.cli(victim, ['case', 'note', id, 'asked \u001b[31mthem\u0007']);
  const shown = await bench.cli(victim, ['case', 'show', id]);
  assert.ok(shown.includes('asked \\u{1b}[31mthem\\u{7}') && !shown.includes('\u001b'), shown);

  assert.match(await bench.cli(victim, ['case', 'list', '--severity', 'high']), new RegExp(`${id} .*${REASON}`));
  const bulk = ['case', 'bulk', 'note', '--about', REASON, '--reason', 'a batch'];
  const token = /--apply ([0-9a-f]{64})/.exec(await bench.cli(victim, bulk))?.[1] ?? '';
  assert.equal(await bench.cli(victim, [...bulk, '--apply', token]), 'Changed: 1.\n');

  const why = ['--verdict', 'malicious', '--reason', 'they sign for nobody'];
  assert.match(await bench.cli(victim, ['case', 'resolve', id, ...why]), /^Proposed/);
  await victim.kill();
  await victim.start();
  const [proposal] = (await victim.get(`/v1/cases/${id}`)).body.proposals;
  assert.equal(proposal.state, 'open');
  const headers = { authorization: `Bearer ${bob}`, 'content-type': 'application/json' };
  const path = `${victim.url}/v1/approvals/${proposal.id}/approve`;
  const approved = await fetch(path, { method: 'POST', headers, body: '{"reason":"read it"}' });
  assert.equal(approved.status, 200, await approved.text());

  const again = await bench.until('the next lie opens it again', async () => {
    const held = await caseNow();
    return held.state === 'reopened' ? held : undefined;
  });
  assert.equal(again.id, found.id);
  await victim.kill();
  await victim.start();
  assert.equal((await caseNow()).state, 'reopened');
  const { events } = (await victim.get(`/v1/cases/${id}/timeline?changes_only=true&order=oldest`)).body;
  assert.deepEqual(
    events.map((one: { record: { reason: string } }) => one.record.reason),
    ['acknowledged', 'noted', 'noted', 'resolved'],
  );
  assert.match(events[3].record.actor, /^agent:bob#/);
  const metrics = await (await fetch(`${victim.url}/metrics`)).text();
  assert.match(metrics, /stigmem_peerd_cases_open\{severity="high"\} [1-9]/);
  await liars.stop();
  assert.equal(await victim.stop(), 0);
  assert.deepEqual((await victim.fsck()).problems, []);
});
