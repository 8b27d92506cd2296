/** Sinks of a whole node: config file to JSON lines, places over a restart, the API, digests and their check offline. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dataPaths } from '../../../src/config/data-dir.ts';
import { readSeedFile } from '../../../src/config/secret-file.ts';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { openDatabase } from '../../../src/journal/database.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import type { Base } from '../../../src/node/base.ts';
import { ExportCheck, type ExportReport } from '../../../src/siem/export-check.ts';
import { HttpReceiver } from '../../support/http-receiver.ts';
import { type Answer, folderWith, record, start } from '../../support/siem-node.ts';
import { tamper } from '../../support/tampering.ts';
import { until } from '../../support/until.ts';

interface OtlpRequest {
  readonly resourceLogs: readonly {
    readonly scopeLogs: readonly {
      readonly logRecords: readonly { readonly body: { readonly stringValue: string } }[];
    }[];
  }[];
}

function check(dir: string, sink: string, lines: readonly string[], node: Base): ExportReport {
  const seed = readSeedFile(dataPaths(dir).logKey, 'log');
  assert.ok(seed.ok);
  const { name, publicKey } = createLogSigner(node.identity.journalOrigin, seed.value);
  const checking = new ExportCheck(sink, [{ origin: name, key: publicKey }]);
  lines.forEach((line, i) => {
    checking.line(i + 1, line);
  });
  return checking.report();
}

const TABLES = `
[[sink]]
name = "archive"
kind = "file"
path = "export/audit.jsonl"

[[sink]]
name = "alarms"
kind = "file"
path = "export/alarms.jsonl"
format = "ocsf"
min_severity = "critical"
`;

test('what is recorded stands in the file, over a restart, and the digests vouch for it', async (t) => {
  const folder = await folderWith(t, TABLES);
  const path = join(folder.dir, 'export', 'audit.jsonl');
  const lines = (file = path): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');
  mkdirSync(join(folder.dir, 'export'));
  let node = await start(folder);
  await record(node.base, 20);
  await node.stop();
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"id":"torn by a cras`);
  node = await start(folder);
  t.after(() => node.stop());
  await record(node.base, 20, 'checkpoint_split_view');
  const made = await node.siem.digests.make(1 + Number((await newestDigest(node.base)) ?? 0));
  assert.ok(made !== null);
  const isThere = async (): Promise<boolean> =>
    (await node.ask('/v1/sinks')).json.sinks.every((sink) => sink.lag_events === 0);
  await until('both have everything', isThere);

  const whole = check(folder.dir, 'archive', lines(), node.base);
  assert.deepEqual(whole.problems, []);
  assert.equal(whole.ok, true);
  assert.equal(whole.to, made - 1);
  const alarms = lines(join(folder.dir, 'export', 'alarms.jsonl'));
  const filtered = check(folder.dir, 'alarms', alarms, node.base);
  assert.deepEqual(filtered.problems, []);
  // The opening of their case weighs what they weigh.
  assert.equal(filtered.events, 20 + 1 + filtered.digests);

  const isRefusal = (line: string): boolean => line.includes('checkpoint_split_view');
  const at = lines().findIndex(isRefusal);
  const codes = (changed: readonly string[], sink = 'archive'): string[] =>
    check(folder.dir, sink, changed, node.base).problems.map(({ code }) => code);
  assert.deepEqual(codes(lines().toSpliced(at, 1)), ['records_missing']);
  const changed = lines().with(at, (lines()[at] ?? '').replace('globex', 'friend'));
  assert.deepEqual(codes(changed), ['record_changed', 'records_missing']);
  assert.deepEqual(codes([...lines(), lines()[at] ?? '']), []);
  const doctored = (lines()[at] ?? '').replace(/"hash":"sha256:[0-9a-f]{8}/, '"hash":"sha256:00000000');
  assert.deepEqual(codes([...lines(), doctored]), ['record_changed']);
  const forgedAlarm = alarms.map((line) =>
    isRefusal(line) ? line.replace(/("hash":"sha256:)[0-9a-f]{8}/, '$100000000') : line,
  );
  assert.deepEqual(codes(forgedAlarm, 'alarms'), ['records_differ']);
  const digest = lines().findLastIndex((line) => line.includes('export_digest'));
  assert.equal(check(folder.dir, 'archive', lines().slice(0, 3), node.base).ok, false);
  const unsigned = lines().with(digest, (lines()[digest] ?? '').replace('"sink archive ', '"sink archivf '));
  assert.ok(codes(unsigned).includes('record_changed'));
  assert.equal(statSync(path).mode & 0o007, 0);
});

async function newestDigest(base: Base): Promise<number | null> {
  const { records } = await base.reader.auditPage({ event: 'export_digest', order: 'desc', limit: 1 });
  return records[0] === undefined ? null : Number(records[0].detail['last']);
}

test('test, replay and skip: by operators, with a reason, each a record; a gap is told to the sink', async (t) => {
  const receiver = await new HttpReceiver().start();
  t.after(() => receiver.stop());
  const folder = await folderWith(
    t,
    `[[sink]]\nname = "siem"\nkind = "otlp"\nurl = "${receiver.url}"\nformat = "ecs"\nstart = "now"\nevents = ["federation_integrity_rejected"]\n`,
  );
  const node = await start(folder);
  t.after(() => node.stop());
  const state = async (): Promise<Answer['sinks'][number]> => {
    const [sink] = (await node.ask('/v1/sinks')).json.sinks;
    assert.ok(sink);
    return sink;
  };
  const seqs = (): number[] =>
    receiver.received.flatMap(({ body }) =>
      ((JSON.parse(body) as OtlpRequest).resourceLogs[0]?.scopeLogs[0]?.logRecords ?? []).map((one) => {
        const { event } = JSON.parse(one.body.stringValue) as { event: { sequence: number } };
        return event.sequence;
      }),
    );
  await record(node.base, 5);
  await until('taken', async () => (await state()).lag_events === 0);
  const sent = seqs().length;
  const first = Math.min(...seqs());

  assert.equal((await node.ask('/v1/sinks/siem/test', { reason: 'new receiver' })).json.taken, true);
  assert.ok(seqs().includes(0));
  // Of the test alone: a digest may be under way.
  receiver.usual = (body) => (body.includes('export_test\\"') ? { answer: 401 } : { answer: 200, body: '{}' });
  const refused = await node.ask('/v1/sinks/siem/test', { reason: 'wrong key' });
  receiver.usual = () => ({ answer: 200, body: '{}' });
  assert.deepEqual(refused.json, { taken: false, code: 'misconfigured', message: 'HTTP 401' });
  assert.equal((await node.ask('/v1/sinks/siem/test', {})).status, 422);
  assert.equal((await node.ask('/v1/sinks/other/test', { reason: 'x' })).status, 404);

  const again = await node.ask('/v1/sinks/siem/replay', { from_seq: first, reason: 'the index was lost' });
  assert.equal(again.status, 200);
  await until('again', async () => (await state()).lag_events === 0 && seqs().length > sent + 5);
  assert.deepEqual(
    new Set(
      seqs()
        .filter((seq) => seqs().filter((one) => one === seq).length > 1)
        .slice(0, 5),
    ).has(first),
    true,
  );
  const beyond = await node.ask('/v1/sinks/siem/replay', { from_seq: 9_999, reason: 'x' });
  assert.equal(beyond.json.detail.code, 'no_such_place');

  await receiver.stop();
  await record(node.base, 4);
  await until('it fails', async () => (await state()).attempts > 0);
  const { acked, sentence } = await state();
  assert.match(sentence, /^4 records wait, the oldest for \d+ s; \d+ (try|tries) failed: unreachable: /);
  const skip = await node.ask('/v1/sinks/siem/skip', { to_seq: acked + 2, reason: 'archived elsewhere' });
  assert.equal(skip.status, 200);
  await receiver.start();
  await until('the rest, and the gap', async () => (await state()).lag_events === 0, 20_000);
  const late = seqs().filter((seq) => seq > acked);
  assert.deepEqual(
    late.filter((seq) => seq <= acked + 2),
    [],
  );
  const { gaps } = (await node.ask('/v1/sinks')).json;
  assert.deepEqual(
    gaps.map(({ first: from, last, reason, sink }) => ({ from, last, reason, sink })),
    [{ from: acked + 1, last: acked + 2, reason: 'skipped', sink: 'siem' }],
  );
  assert.ok(late.includes(gaps[0]?.audit_seq ?? 0), 'the sink was told of its gap');

  const metrics = (await node.ask('/metrics')).text;
  assert.match(metrics, /stigmem_peerd_export_lag_events\{sink="siem"\} 0/);
  assert.match(metrics, /stigmem_peerd_export_gaps_total\{sink="siem",cause="skipped"\} 1/);
  const { records } = await node.base.reader.auditPage({ order: 'asc', limit: 100 });
  const events = records
    .filter(({ event }) => event.startsWith('export_'))
    .map(({ event, actor }) => [event, actor?.split('#')[0]]);
  assert.deepEqual(
    events.filter(([event]) => event !== 'export_digest'),
    [
      ['export_started', 'system'],
      ['export_tested', 'agent:admin'],
      ['export_tested', 'agent:admin'],
      ['export_replayed', 'agent:admin'],
      ['export_gap', 'agent:admin'],
    ],
  );
});

test('a record that was changed in the file, or is gone, is neither sent on nor vouched for', async (t) => {
  const folder = await folderWith(t, TABLES.slice(0, TABLES.indexOf('[[sink]]\nname = "alarms"')));
  const path = join(folder.dir, 'export', 'audit.jsonl');
  mkdirSync(join(folder.dir, 'export'));
  let node = await start(folder);
  t.after(() => node.stop());
  await record(node.base, 12);
  const isSent = async (): Promise<boolean> => (await node.ask('/v1/sinks')).json.sinks[0]?.lag_events === 0;
  await until('sent', isSent);
  await node.stop();
  tamper(folder.dir, (db) => void db.exec("UPDATE audit SET body = replace(body, 'globex', 'friend') WHERE seq = 8"));
  node = await start(folder);
  writeFileSync(path, '');
  assert.equal((await node.ask('/v1/sinks/archive/replay', { from_seq: 1, reason: 'again' })).status, 200);
  await until('it stops', async () => ((await node.ask('/v1/sinks')).json.sinks[0]?.attempts ?? 0) > 0);
  const [sink] = (await node.ask('/v1/sinks')).json.sinks;
  assert.match(sink?.sentence ?? '', /failed: row_damaged: row 8 of the audit/);
  const sent = sequencesIn(path).filter((seq) => seq <= 12);
  assert.deepEqual(sent, [1, 2, 3, 4, 5, 6, 7], 'what comes before it was sent');
  const made = await newestDigest(node.base);
  await assert.rejects(node.siem.digests.make(1), /row 8 of the audit/);
  assert.equal(await newestDigest(node.base), made, 'no digest');
  assert.match((await node.ask('/metrics')).text, /export_failures_total\{sink="archive",code="row_damaged"\} \d/);

  await node.stop();
  tamper(folder.dir, (db) => void db.exec('DELETE FROM audit WHERE seq = 6'));
  const db = openDatabase(dataPaths(folder.dir).journal, { readonly: true, cacheMiB: 4 });
  t.after(() => db.close());
  const reader = new AuditReader(db);
  assert.equal(reader.lines(0, 100, 1_000_000).at(-1)?.seq, 5);
  assert.throws(() => reader.lines(5, 100, 1_000_000), /audit record 6 is gone, and 7 is there/);
});

function sequencesIn(path: string): number[] {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => (JSON.parse(line) as { sequence: number }).sequence);
}

test('a file that grows is put aside, and nothing is lost between the two', async (t) => {
  const folder = await folderWith(
    t,
    `[[sink]]\nname = "archive"\nkind = "file"\npath = "audit.jsonl"\nrotate_mib = 1\nbatch = 50\n`,
  );
  const node = await start(folder);
  t.after(() => node.stop());
  for (let i = 0; i < 80; i++) {
    const detail = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`k${n}`, 'x'.repeat(500)]));
    await node.base.writer.audit({ event: 'peer_verified', peer: 'stigmem://globex.example', detail });
  }
  await until('written', async () => (await node.ask('/v1/sinks')).json.sinks[0]?.lag_events === 0);
  const files = readdirSync(folder.dir).filter((name) => name.startsWith('audit.jsonl'));
  assert.ok(files.length >= 2, files.join(' '));
  assert.ok(existsSync(join(folder.dir, 'audit.jsonl')));
  const seqs = files.flatMap((name) =>
    readFileSync(join(folder.dir, name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).sequence as number),
  );
  const { records } = await node.base.reader.auditPage({ order: 'asc', limit: 500 });
  assert.deepEqual(
    seqs.sort((a, b) => a - b),
    records.map(({ seq }) => seq),
  );
});
