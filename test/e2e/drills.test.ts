/** Drills as a security team has them: a daemon with sinks, the command line, a kill, a program whose verification is broken. */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DRILL_KINDS, DRILLS, type DrillRun } from '../../src/core/drill.ts';
import { readTar } from '../../src/core/ustar.ts';
import type { AuditRecord } from '../../src/journal/read-model.ts';
import { judgePacket } from '../../src/verify/packet-verdict.ts';
import { CliProcesses, type Ended, type Running } from '../support/cli-process.ts';
import { HttpReceiver } from '../support/http-receiver.ts';
import { until } from '../support/until.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

interface Runs {
  readonly runs: readonly DrillRun[];
}

class Team {
  readonly cli: CliProcesses;
  readonly receiver: HttpReceiver;
  #api = '';

  private constructor(cli: CliProcesses, receiver: HttpReceiver) {
    this.cli = cli;
    this.receiver = receiver;
  }

  static async of(t: TestContext): Promise<Team> {
    const cli = new CliProcesses(t);
    const receiver = await new HttpReceiver().start();
    t.after(() => receiver.stop());
    assert.equal((await cli.run('init --data acme --node-id stigmem://acme.example')).code, 0);
    writeFileSync(join(cli.dir('acme'), 'keys', 'siem.secret'), `${SECRET}\n`, { mode: 0o600 });
    appendFileSync(
      join(cli.dir('acme'), 'config.toml'),
      `
[[sink]]
name = "archive"
kind = "file"
path = "audit.jsonl"

[[sink]]
name = "siem"
kind = "webhook"
url = "${receiver.url}/hook"
format = "ocsf"
secret_file = "keys/siem.secret"

[[sink]]
name = "pager"
kind = "webhook"
url = "${receiver.url}/pager"
format = "ecs"
secret_file = "keys/siem.secret"
min_severity = "critical"
`,
    );
    return new Team(cli, receiver);
  }

  async start(main?: string): Promise<Running> {
    const args = 'run --data acme --api-port 0 --listen /ip4/127.0.0.1/tcp/0 --log-level warn';
    const daemon = this.cli.start(args, '', main);
    this.#api = /api (http:\S+),/.exec(await daemon.line(/ listens: api /))?.[1] ?? '';
    return daemon;
  }

  async run(args: readonly string[]): Promise<Ended> {
    return this.cli.run([...args, '--data', 'acme']);
  }

  // biome-ignore lint/suspicious/noExplicitAny: documents of every shape
  async json(args: readonly string[]): Promise<any> {
    const ended = await this.run([...args, '--json']);
    assert.equal(ended.code, 0, `${args.join(' ')}\n${ended.stdout}\n${ended.stderr}`);
    return ended.json();
  }

  async get(path: string): Promise<string> {
    const token = readFileSync(join(this.cli.dir('acme'), 'keys', 'cli.token'), 'utf8').trim();
    return (await fetch(`${this.#api}${path}`, { headers: { authorization: `Bearer ${token}` } })).text();
  }

  async post(path: string, body: object): Promise<Response> {
    const token = readFileSync(join(this.cli.dir('acme'), 'keys', 'cli.token'), 'utf8').trim();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return fetch(`${this.#api}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  archived(): readonly AuditRecord[] {
    const file = join(this.cli.dir('acme'), 'audit.jsonl');
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    // The last line may be one that is being written.
    const lines = text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter(Boolean);
    return lines.map((line) => {
      const { record = line, ...rest } = JSON.parse(line);
      return typeof record === 'string' ? ({ ...rest, ...JSON.parse(record) } as AuditRecord) : (record as AuditRecord);
    });
  }
}

test('every kind is refused, recorded, sent to each sink, acknowledged and reported', async (t) => {
  const team = await Team.of(t);
  const daemon = await team.start();
  const { runs } = (await team.json(['drill', 'run', '--all', '--reason', 'a test'])) as Runs;
  assert.deepEqual(
    runs.map(({ kind, state, seen }) => [kind, state, seen?.event, seen?.reason]),
    DRILL_KINDS.map((kind) => [kind, 'passed', DRILLS[kind].event, DRILLS[kind].reason]),
  );
  for (const { kind, sent_at, refused_at, recorded_at, sinks, convicts } of runs) {
    const times = [sent_at, refused_at, recorded_at].map((at) => Date.parse(at ?? ''));
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
      kind,
    );
    const [archive, siem, pager] = sinks;
    assert.deepEqual(
      [archive?.name, archive?.state, siem?.name, siem?.state],
      ['archive', 'acknowledged', 'siem', 'acknowledged'],
    );
    assert.ok(Date.parse(siem?.acked_at ?? '') >= (times[1] ?? 0), kind);
    const isCritical = ['consistency-proof', 'rollback', 'split-view', 'withheld-entry'].includes(kind);
    assert.equal(pager?.state, isCritical ? 'acknowledged' : 'filtered', kind);
    assert.equal(convicts, kind === 'split-view' ? true : null);
  }

  await t.test('nothing was taken, nobody was let in, and only drills are on record', async () => {
    const { journal } = await team.json(['status']);
    assert.equal(journal.size, 0);
    assert.deepEqual((await team.json(['peer', 'list'])).peers, []);
    const { entries } = JSON.parse(await team.get('/v1/federation/audit?limit=500'));
    const ofPeers = entries.filter(({ peer_id }: { peer_id: string | null }) => peer_id !== null);
    assert.ok(ofPeers.length > DRILL_KINDS.length);
    assert.ok(ofPeers.every(({ is_drill }: { is_drill: boolean }) => is_drill));
  });

  await t.test('sinks and metrics say that it was a drill, and no alarm goes off', async () => {
    const refused = team.archived().filter(({ event }) => event === 'scope_violation');
    assert.ok(refused.length > 0 && refused.every(({ is_drill }) => is_drill));
    const hooked = team.receiver.received
      .filter(({ path }) => path === '/hook')
      .map(({ body }) => body)
      .join('\n');
    assert.match(hooked, /"labels":\["drill"\]/);
    assert.doesNotMatch(hooked, /"is_alert":true/);
    const metrics = await team.get('/metrics');
    const series = metrics.split('\n').filter((line) => /_(pages|facts)_refused_total\{/.test(line));
    assert.ok(series.length > 0 && series.every((line) => line.includes('drill="true"')), series.join('\n'));
    assert.match(metrics, /stigmem_peerd_cases_open\{severity="critical"\} 0/);
    assert.match(metrics, /stigmem_peerd_cases_open\{severity="critical",drill="true"\} [1-9]/);
    assert.match(metrics, /stigmem_peerd_drills_total\{kind="rollback",result="passed"\} 1/);
  });

  await t.test('a stranger is convinced by what was exported of the split view', async () => {
    const seq = runs.find(({ kind }) => kind === 'split-view')?.seen?.audit_seq ?? 0;
    const file = join(team.cli.root, 'evidence.tar');
    assert.equal((await team.run(['evidence', 'export', String(seq), '--out', file])).code, 0);
    const files = readTar(readFileSync(file));
    assert.ok(files.ok);
    const verdict = judgePacket(files.value);
    assert.deepEqual([verdict.verdict, verdict.class], ['contradiction', 'a']);
  });

  await t.test('who acknowledges a case is timed, and the case is resolved as a drill', async () => {
    const { cases: open } = JSON.parse(await team.get('/v1/cases?state=open&limit=100'));
    assert.equal(open.length, DRILL_KINDS.length);
    for (const [drills, count] of [
      ['only', DRILL_KINDS.length],
      ['none', 0],
    ] as const)
      assert.equal(((await team.json(['case', 'list', '--drills', drills])) as { cases: [] }).cases.length, count);
    for (const { id, version } of open)
      assert.equal((await team.post(`/v1/cases/${id}/acknowledge`, { version })).status, 200);
    await until('all cases are resolved', async () => {
      const { cases } = JSON.parse(await team.get('/v1/cases?limit=100'));
      return cases.every(
        (one: { state: string; verdict: string }) => one.state === 'resolved' && one.verdict === 'drill',
      );
    });
    const after = await history(team, 14);
    assert.ok(
      after.every(({ acknowledged_by, acknowledged_at }) => acknowledged_by !== null && acknowledged_at !== null),
    );
  });

  await t.test('the report is signed, verifies without the node, and cannot be changed', async () => {
    const file = join(team.cli.root, 'drills.note');
    // A month may end meanwhile.
    const month = (await history(team, 1))[0]?.started_at.slice(0, 7) ?? '';
    assert.equal((await team.run(['drill', 'report', '--month', month, '--out', file])).code, 0);
    const { log_key } = await team.json(['peer', 'show', 'self']);
    const key = typeof log_key === 'string' ? log_key : log_key.vkey;
    const verified = await team.cli.run(['drill', 'verify', file, '--log-key', key]);
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    assert.match(verified.stdout, /14 drills, 14 passed, 0 failed; 0 refusals that were no drills/);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"passed":14', '"passed":13'));
    assert.equal((await team.cli.run(['drill', 'verify', file, '--log-key', key])).code, 4);
  });

  await t.test('doctor says what was drilled', async () => {
    const { checks } = (await team.run(['doctor', '--json'])).json();
    const drills = checks.filter(({ id }: { id: string }) => id.startsWith('drills.'));
    assert.deepEqual(
      drills.map(({ id, result }: { id: string; result: string }) => [id, result]),
      ['cid_mismatch', 'chain_proof', 'anchor_down', 'failed'].map((name) => [`drills.${name}`, 'pass']),
    );
  });

  await daemon.stop();
  assert.equal((await team.run(['fsck'])).code, 0);
});

async function history(team: Team, limit: number): Promise<readonly DrillRun[]> {
  return ((await team.json(['drill', 'history', '--limit', String(limit)])) as Runs).runs;
}

test('killed in the middle, a drill has failed, and its peer is gone', async (t) => {
  const team = await Team.of(t);
  // It is refused at once, and then waits for a sink that does not answer.
  team.receiver.usual = () => 'reset';
  const killed = await team.start();
  const running = team.cli.start('drill run rollback --json --data acme');
  await until('it was refused', async () => team.archived().some(({ reason }) => reason === 'checkpoint_rollback'));
  await killed.stop('SIGKILL');
  await running.stop('SIGKILL');
  team.receiver.usual = () => ({ answer: 200, body: '{}' });
  const daemon = await team.start();
  await until('it is told as failed', async () => (await history(team, 1))[0]?.state === 'failed');
  const [run] = await history(team, 1);
  assert.equal(run?.failure?.code, 'interrupted');
  assert.deepEqual((await team.json(['peer', 'list'])).peers, []);
  const { entries } = JSON.parse(await team.get('/v1/federation/audit?event=drill_failed'));
  assert.equal(entries[0]?.is_drill, false, 'no filter for drills may keep it back');
  await daemon.stop();
  assert.equal((await team.run(['fsck'])).code, 0);
});

test('a program that does not compare CIDs any more fails its drill, loudly, and takes nothing', async (t) => {
  const team = await Team.of(t);
  const copy = join(team.cli.root, 'broken');
  mkdirSync(copy);
  cpSync(join(ROOT, 'src'), join(copy, 'src'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const rules = join(copy, 'src', 'verify', 'entry-rules.ts');
  const text = readFileSync(rules, 'utf8');
  const broken = text.replace('if (cid !== entry.cid) return', "if (cid === 'never') return");
  assert.notEqual(broken, text);
  writeFileSync(rules, broken);
  const daemon = await team.start(join(copy, 'src', 'main.ts'));
  const ended = await team.run(['drill', 'run', 'cid-mismatch', 'not-owned', '--json']);
  assert.equal(ended.code, 1);
  const [lost, kept] = (ended.json() as Runs).runs;
  assert.deepEqual([lost?.state, lost?.failure?.code], ['failed', 'accepted']);
  assert.equal(kept?.state, 'passed');
  assert.equal((await team.json(['status'])).journal.size, 0);
  assert.match(await team.get('/metrics'), /stigmem_peerd_drills_total\{kind="cid-mismatch",result="failed"\} 1/);
  const { cases } = JSON.parse(await team.get('/v1/cases?topic=drill_failed'));
  assert.deepEqual([cases[0]?.severity, cases[0]?.is_drill, cases[0]?.state], ['high', false, 'new']);
  const { checks } = (await team.run(['doctor', '--json'])).json();
  assert.equal(checks.find(({ id }: { id: string }) => id === 'drills.cid_mismatch').result, 'fail');
  await daemon.stop();
});
