/** Checks of everything that is stored leave a record: by hand, by the command line, of a stopped node, and when something differs. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ChecksAnswer } from '../../../src/admin/api/journal-checks.ts';
import { type RunningNode, runDaemon } from '../../../src/app.ts';
import { dataPaths } from '../../../src/config/data-dir.ts';
import { runFsck } from '../../../src/node/fsck.ts';
import { leaveCheck, signCheck } from '../../../src/node/left-checks.ts';
import { logSignerOf } from '../../../src/node/snapshots.ts';
import { CHECK_REPORT } from '../../../src/wire/check-report.ts';
import { openDocument, signDocument } from '../../../src/wire/signed-document.ts';
import { CliProcesses } from '../../support/cli-process.ts';
import { createFolder, type DataFolder } from '../../support/data-folder.ts';
import { tamper } from '../../support/tampering.ts';
import { until } from '../../support/until.ts';

const FLAGS = {
  'api.port': '0',
  'listen.p2p': '/ip4/127.0.0.1/tcp/0',
  'log.level': 'fatal',
  'anchor.backends': 'off',
  'guard.wait_s': '1',
};

interface Stage {
  readonly folder: DataFolder;
  start(): Promise<void>;
  stop(): Promise<void>;
  ask(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: never }>;
  checks(): Promise<ChecksAnswer & { readonly last_clean_at: string | null }>;
  metrics(): Promise<string>;
}

async function stage(t: TestContext): Promise<Stage> {
  const folder = await createFolder('example');
  let node: RunningNode | undefined;
  t.after(async () => {
    await node?.stop();
    folder.remove();
  });
  const headers = { authorization: `Bearer ${folder.keys.admin}`, 'content-type': 'application/json' };
  const send = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${node?.api}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return {
    folder,
    async start() {
      node = await runDaemon(folder.dir, FLAGS);
    },
    async stop() {
      await node?.stop();
      node = undefined;
    },
    async ask(method, path, body) {
      const response = await send(method, path, body);
      const text = await response.text();
      return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as never };
    },
    checks: async () => (await (await send('GET', '/v1/journal/checks')).json()) as never,
    metrics: async () => (await send('GET', '/metrics')).text(),
  };
}

const FACT = {
  entity: 'stigmem://example/service/s1',
  relation: 'memory:status',
  value: { type: 'text', v: 'up' },
  source: 'stigmem://example/agent/a1',
  confidence: 1,
  scope: 'public',
};

/** A signed report of a check of the folder, as `fsck` makes one. */
async function reportOf(dir: string, endedMs = Date.now()): Promise<string> {
  const note = signCheck(dir, await runFsck(dir, {}), { startedMs: endedMs - 5, endedMs });
  assert.ok(note !== null);
  return note;
}

test('a check by hand is on record with who, what and which heads; the age of the newest clean one is measured', async (t) => {
  const { ask, checks, metrics, start } = await stage(t);
  await start();
  assert.deepEqual((await checks()).checks, []);
  assert.match(
    await metrics(),
    /stigmem_peerd_journal_checked_age_seconds \d/,
    'of the journal, before the first check',
  );
  const written = await ask('POST', '/v1/facts', FACT);
  assert.equal(written.status, 201, JSON.stringify(written.body));
  assert.equal((await ask('DELETE', '/v1/journal/checks/running')).status, 404);
  const begun = await ask('POST', '/v1/journal/checks');
  assert.equal(begun.status, 202, JSON.stringify(begun.body));
  assert.equal((await ask('POST', '/v1/journal/checks')).status, 409, 'one at a time');
  await until('it has ended', async () => (await checks()).checks.length === 1);
  const {
    last_clean_at,
    every_hours,
    running,
    checks: [check],
  } = await checks();
  assert.ok(check);
  const head = (await ask('GET', '/v1/journal/head')).body as { size: number; root: string };
  assert.deepEqual([check.clean, check.problems, check.cause, every_hours, running], [true, 0, 'by_hand', 168, null]);
  assert.deepEqual(check.journal, { size: head.size, root: head.root });
  assert.match(check.by ?? '', /^agent:\S+#/);
  assert.ok(check.rows > 5 && check.audit !== null);
  assert.equal(last_clean_at, check.ended_at);
  const age = /^stigmem_peerd_journal_checked_age_seconds (\S+)/m.exec(await metrics())?.[1];
  assert.ok(Number(age) < 10, age);
});

test('the command line has its result recorded beside a running daemon; what others hand over is not taken', async (t) => {
  const { ask, checks, folder, start } = await stage(t);
  await start();
  const cli = new CliProcesses(t);
  const ran = await cli.run(['fsck', '--data', folder.dir, '--json']);
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  const [check] = (await checks()).checks;
  assert.equal(ran.json().recorded, check?.audit_seq);
  assert.deepEqual([check?.cause, check?.clean], ['command_line', true]);
  assert.match(check?.by ?? '', /^account /);

  const take = async (report: string): Promise<unknown> => {
    const { body } = await ask('POST', '/v1/journal/checks/recorded', { report });
    return (body as { detail?: { code?: string } }).detail?.code ?? body;
  };
  const other = await createFolder('other');
  t.after(() => other.remove());
  assert.equal(await take(await reportOf(other.dir)), 'not_signed');
  const own = await reportOf(folder.dir);
  const opened = openDocument(CHECK_REPORT, Buffer.from(own), [logSignerOf(folder.dir).publicKey], null);
  assert.ok(opened.ok);
  const { value } = opened.value;
  const elsewhere = { ...value, journal: { size: value.journal?.size ?? 0, root: value.audit?.root ?? '' } };
  assert.equal(await take(signDocument(CHECK_REPORT, elsewhere, logSignerOf(folder.dir))), 'other_history');
  assert.equal(await take(own.replace('"problems":0', '"problems":1')), 'not_signed');
  assert.equal(await take(await reportOf(folder.dir, Date.now() - 2 * 3_600_000)), 'stale');
  assert.equal(typeof ((await take(own)) as { audit_seq?: number }).audit_seq, 'number');
  assert.equal(await take(own), 'recorded_before');
  assert.equal((await checks()).checks.length, 2);

  copyFileSync(dataPaths(other.dir).logKey, dataPaths(folder.dir).logKey);
  const refused = await cli.run(['fsck', '--data', folder.dir]);
  assert.match(
    refused.stdout,
    /Not recorded: the daemon refused the report: it is not signed by this node’s log key\./,
  );
  assert.equal(existsSync(dataPaths(folder.dir).checks), false, 'it would be refused again');
});

test('a check of a stopped node writes nothing into its journal; its report waits, and the daemon records it', async (t) => {
  const { checks, folder, start, stop } = await stage(t);
  await start();
  await stop();
  const { checks: waiting, journal } = dataPaths(folder.dir);
  const before = readFileSync(journal);
  assert.ok(leaveCheck(folder.dir, await reportOf(folder.dir), Date.now()));
  assert.ok(readFileSync(journal).equals(before), 'not a byte');
  assert.equal(readdirSync(waiting).length, 1);
  writeFileSync(join(waiting, '20261130T000000000Z.note'), 'made up\n');
  await start();
  await until('it is on record', async () => (await checks()).checks.length === 1);
  await until('and waits no more', () => readdirSync(waiting).length === 0);
});

test('damage is a critical record and a case', async (t) => {
  const { ask, checks, folder, metrics, start, stop } = await stage(t);
  await start();
  const { status, body } = await ask('POST', '/v1/facts', FACT);
  assert.equal(status, 201);
  await stop();
  tamper(folder.dir, (db) => {
    db.prepare('UPDATE entries SET value_v = ? WHERE fact_id = ?').run('down', (body as { id: string }).id);
  });
  const damaged = await runFsck(folder.dir, {});
  assert.equal(damaged.ok, false);
  const note = signCheck(folder.dir, damaged, { startedMs: Date.now() - 5, endedMs: Date.now() });
  assert.ok(note !== null && leaveCheck(folder.dir, note, Date.now()));
  await start();
  await until('it is on record', async () => (await checks()).checks.length === 1);
  const [check] = (await checks()).checks;
  assert.deepEqual([check?.clean, check?.first_problems[0]?.split(' ')[0]], [false, 'entries']);
  const { entries } = (await ask('GET', '/v1/federation/audit?min_severity=critical')).body as {
    entries: readonly { event_type: string }[];
  };
  assert.deepEqual(
    entries.map(({ event_type }) => event_type),
    ['journal_check_failed'],
  );
  const { cases } = (await ask('GET', '/v1/cases')).body as { cases: readonly { topic: string; severity: string }[] };
  assert.deepEqual(
    cases.map(({ topic, severity }) => [topic, severity]),
    [['journal_check_failed', 'critical']],
  );
  assert.match(await metrics(), /stigmem_peerd_journal_check_problems [1-9]/);
  assert.equal((await checks()).last_clean_at, null);
});
