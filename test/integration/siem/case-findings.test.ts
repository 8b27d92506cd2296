/** The life of a case at a receiver: opened by a refusal, worked on over the API, closed, opened again; one finding all the way. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderWith, record, start } from '../../support/siem-node.ts';
import { ecsFaults, type Json, ocsfFaults } from '../../support/siem-schemas.ts';
import { until } from '../../support/until.ts';

interface Shown {
  readonly id: number;
  readonly uid: string;
  readonly version: number;
}

const TABLES = `
[[sink]]
name = "findings"
kind = "file"
path = "findings.jsonl"
format = "ocsf"
min_severity = "medium"

[[sink]]
name = "elastic"
kind = "file"
path = "ecs.jsonl"
format = "ecs"
`;

test('a case is created, updated and closed at the receiver as it is here', async (t) => {
  const folder = await folderWith(t, TABLES);
  const node = await start(folder);
  t.after(() => node.stop());
  await record(node.base, 3);
  const look = async () => (await node.ask('/v1/cases')).json as unknown as { cases: Shown[] };
  const [held, ...more] = (await look()).cases;
  assert.ok(held !== undefined && more.length === 0);
  const step = async (move: string, body: object = {}): Promise<void> => {
    const version = (await look()).cases[0]?.version;
    const answer = await node.ask(`/v1/cases/${held.id}/${move}`, { version, ...body });
    assert.equal(answer.status, 200, answer.text);
  };
  await step('acknowledge');
  await step('assign', { assignee: 'bo' });
  await step('note', { why: '<b>asked</b> them' });
  await step('ticket', { ticket: 'https://tickets.example/7' });
  await step('resolve', { verdict: 'peer_bug', why: 'they mended it' });
  await record(node.base, 1);
  await step('resolve', { verdict: 'malicious', why: 'again' });
  const isSent = async (): Promise<boolean> =>
    (await node.ask('/v1/sinks')).json.sinks.every((sink) => sink.lag_events === 0);
  await until('both have everything', isSent);

  const read = (file: string): Json[] =>
    readFileSync(join(folder.dir, file), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Json);
  const all = read('findings.jsonl');
  assert.deepEqual(all.flatMap(ocsfFaults), []);
  const findings = all.filter((one) => one['class_uid'] === 2004);
  const shown = findings.map((one) => [one['type_uid'], one['is_alert'], one['status_id'], seenIn(one)]);
  assert.deepEqual(shown, [
    [200401, true, 1, 1],
    [200402, false, 2, 3],
    [200402, false, 2, 3],
    [200402, false, 2, 3],
    [200402, false, 2, 3],
    [200403, false, 4, 3],
    [200402, true, 1, 4],
    [200403, false, 4, 4],
  ]);
  const [created, , assigned, noted, ticketed, closed, reopened, last] = findings;
  assert.deepEqual(assigned?.['assignee'], { name: 'bo' });
  assert.equal(noted?.['comment'], '<b>asked</b> them');
  assert.deepEqual(ticketed?.['tickets'], [{ src_url: 'https://tickets.example/7' }]);
  assert.deepEqual([closed?.['verdict_id'], reopened?.['verdict_id'], last?.['verdict_id']], [5, undefined, 2]);

  // The event that opened it is named by its id, and every event of the case by the finding.
  const refusals = all.filter((one) => one['class_uid'] === 6005).map(metadata);
  const uid = info(created)['uid'];
  assert.equal(refusals.length, 4);
  for (const one of [...refusals, ...findings.map(metadata)]) assert.equal(one['correlation_uid'], uid);
  assert.deepEqual(info(created)['related_events'], [{ uid: refusals[0]?.['uid'] }]);
  assert.deepEqual(info(reopened)['related_events'], [{ uid: refusals[3]?.['uid'] }]);
  for (const one of findings) assert.deepEqual([info(one)['uid'], info(one)['uid_alt']], [uid, held.uid]);

  const elastic = read('ecs.jsonl');
  assert.deepEqual(
    elastic.flatMap((one) => ecsFaults(one)),
    [],
  );
  const states = elastic.flatMap((one) => (one['stigmem'] as { case?: { state: string } }).case?.state ?? []);
  const worked = ['new', ...Array<string>(4).fill('acknowledged'), 'resolved', 'reopened', 'resolved'];
  assert.deepEqual(states, worked);
});

function info(document: Json | undefined): Json {
  return document?.['finding_info'] as Json;
}

function metadata(document: Json): Json {
  return document['metadata'] as Json;
}

function seenIn(document: Json): unknown {
  return info(document)['related_events_count'];
}
