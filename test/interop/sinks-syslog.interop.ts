/** Audit records to rsyslog over TLS: it reads each as one message in its parts; away in the middle, it loses none. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Exporting } from '../../src/siem/exporting.ts';
import { createSyslogSink } from '../../src/siem/syslog-sink.ts';
import { startExporting } from '../support/exporting.ts';
import { auditLine, auditLines } from '../support/siem-events.ts';
import { MemorySinkJournal } from '../support/siem-journal.ts';
import { until } from '../support/until.ts';
import { type Rsyslog, startRsyslog } from './programs/rsyslog.ts';

const HOSTILE = '"] <104>1 - - - - - - forged\n<script>\u001b[2J\u202e|=\\ \u2028';

function start(journal: MemorySinkJournal, { url, caFile }: Rsyslog, failures: string[]): Exporting {
  const { hostname: host, port } = new URL(url);
  const tls = { ca: readFileSync(caFile, 'utf8') };
  const sink = createSyslogSink({ host, port: Number(port), tls, allowed: [], timeoutMs: 5_000 });
  return startExporting(journal, { name: 'syslog', format: 'record', sink }, failures);
}

test('rsyslog has every record, in its parts, over an outage and a restart of the sender', async (t) => {
  const rsyslog = await startRsyslog(t);
  const failures: string[] = [];
  const journal = new MemorySinkJournal(auditLines(200));
  journal.append(auditLine({ seq: 201, peer: HOSTILE, feed: HOSTILE, reason: HOSTILE.slice(0, 20), actor: HOSTILE }));
  const first = start(journal, rsyslog, failures);
  await until(`all are taken: ${failures}`, () => journal.stateOf('syslog').acked === 201);
  assert.deepEqual(failures, []);

  // What it has read and not written is lost with it, whoever sent it: it has written these.
  await until(
    'they are written',
    () => rsyslog.messages().length >= 201 && rsyslog.messages().at(-1)?.msg.endsWith('}') === true,
  );
  await rsyslog.server.stop('SIGKILL');
  for (let seq = 202; seq <= 700; seq++) journal.append(auditLine({ seq, chain_seq: seq }));
  await until('it is missed', () => failures.length > 1);
  await first.stop();
  await rsyslog.server.start();
  const second = start(journal, rsyslog, failures);
  await until('the rest is taken', () => journal.stateOf('syslog').acked === 700);
  await second.stop();
  await rsyslog.server.stop();

  const messages = rsyslog.messages();
  const read = messages.map(
    ({ msg }) => JSON.parse(msg.trim()) as { id: string; sequence: number; record: { peer: string } },
  );
  const seqs = read.map(({ sequence }) => sequence);
  assert.deepEqual(
    [...new Set(seqs)].sort((a, b) => a - b),
    Array.from({ length: 700 }, (_, i) => i + 1),
  );
  assert.equal(new Set(read.map(({ id }) => id)).size, 700, 'what came twice has the same id');
  const [one] = messages;
  assert.deepEqual(
    { pri: one?.pri, host: one?.host, app: one?.app, msgid: one?.msgid, time: one?.time },
    {
      pri: '108',
      host: 'acme.example',
      app: 'stigmem-peerd',
      msgid: 'cid_mismatch',
      time: '2026-11-30T05:00:00.123456Z',
    },
  );
  const hostile = read.find(({ sequence }) => sequence === 201);
  assert.equal(hostile?.record.peer, HOSTILE);
  assert.match(
    messages.find(({ data }) => data.includes('seq="201"'))?.data ?? '',
    /^\[stigmem@32473 id="[^"]*" .*\]$/,
  );
});

test('a receiver that shows another certificate is sent nothing', async (t) => {
  const [rsyslog, other] = [await startRsyslog(t), await startRsyslog(t)];
  const failures: string[] = [];
  const journal = new MemorySinkJournal(auditLines(1));
  const exporting = start(journal, { ...rsyslog, caFile: other.caFile }, failures);
  await until('it is refused', () => failures.length > 0);
  await exporting.stop();
  assert.match(failures[0] ?? '', /^misconfigured: /);
  assert.deepEqual(rsyslog.messages(), []);
});
