/** What an operator has in front of him, of a daemon that runs: one id through everything, traces, top, doctor, the stop. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { CliProcesses, type Running } from '../support/cli-process.ts';
import { Terminal } from '../support/terminal.ts';
import { until } from '../support/until.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const FACT = {
  entity: 'stigmem://acme.example/host/web1',
  relation: 'acme:status',
  source: 'stigmem://acme.example/host/web1',
  scope: 'public',
};

interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

/** Takes traces as a collector does. */
async function receiver(t: TestContext): Promise<{ readonly url: string; readonly spans: ReceivedSpan[] }> {
  const spans: ReceivedSpan[] = [];
  const server = createServer(async (incoming, outgoing) => {
    assert.deepEqual([incoming.method, incoming.url], ['POST', '/v1/traces']);
    const body = (await json(incoming).catch(() => null)) as {
      resourceSpans: { scopeSpans: { spans: ReceivedSpan[] }[] }[];
    } | null;
    // It gives up on its own where it is stopped.
    if (body === null) return;
    spans.push(...body.resourceSpans.flatMap((one) => one.scopeSpans.flatMap((scope) => scope.spans)));
    outgoing.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans };
}

async function start(
  cli: CliProcesses,
  ...more: readonly string[]
): Promise<{ daemon: Running; api: string; token: string }> {
  const args = ['run', '--data', 'acme', '--api-port', '0', '--listen', '/ip4/127.0.0.1/tcp/0', '--log-level', 'debug'];
  const daemon = cli.start([...args, ...more]);
  const api = /api (http:\S+),/.exec(await daemon.line(/ listens: api /))?.[1] ?? '';
  const token = readFileSync(join(cli.dir('acme'), 'keys', 'cli.token'), 'utf8').trim();
  return { daemon, api, token };
}

/** A fact of which half is sent; the rest waits for `finish`. */
async function halfAsserted(
  api: string,
  token: string,
  value: string,
): Promise<{ finish(): Promise<number | undefined>; cut(): void }> {
  const body = JSON.stringify({ ...FACT, value: { type: 'string', v: value } });
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    expect: '100-continue',
  };
  const asking = request(`${api}/v1/facts`, { method: 'POST', headers });
  asking.on('error', () => undefined);
  asking.flushHeaders();
  await once(asking, 'continue'); // the daemon has the request
  asking.write(body.slice(0, 20));
  return {
    async finish() {
      const answered = once(asking, 'response');
      asking.end(body.slice(20));
      const [response] = await answered;
      response.resume();
      return response.statusCode;
    },
    cut: () => asking.destroy(),
  };
}

test('one id, traces, top, doctor, and a stop that loses nothing', async (t) => {
  const cli = new CliProcesses(t);
  const collector = await receiver(t);
  await cli.run('init --data acme --node-id stigmem://acme.example');
  const { daemon, api, token } = await start(cli, '--set', `traces.otlp_url=${collector.url}`);
  const send = (path: string, body?: object, headers: object = {}): Promise<Response> =>
    fetch(`${api}${path}`, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });

  // One id: in the answer, the log, the audit record and the spans, the caller's own where it gives one.
  const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
  const made = await send('/v1/admin/keys', { name: 'importer', permissions: ['write'] }, { traceparent });
  assert.equal(made.status, 201, await made.clone().text());
  assert.equal(made.headers.get('x-request-id'), TRACE);
  const { entries } = (await (await send('/v1/federation/audit?limit=1')).json()) as {
    entries: { detail: { trace_id?: string } }[];
  };
  assert.equal(entries[0]?.detail.trace_id, TRACE);
  assert.equal((await send('/v1/facts', { ...FACT, value: { type: 'string', v: 'up' } })).status, 201);
  assert.match((await fetch(`${api}/nothing`)).headers.get('x-request-id') ?? '', /^[0-9a-f]{32}$/);
  await until('the log line has the id', async () => daemon.stderr.includes(TRACE));
  const line = daemon.stderr.split('\n').find((one) => one.includes(TRACE)) ?? '{}';
  assert.equal(JSON.parse(line).route, 'POST /v1/admin/keys');
  await until('spans arrive', async () => collector.spans.some(({ name }) => name === 'POST /v1/facts'));
  const ofRequest = collector.spans.filter(({ traceId }) => traceId === TRACE);
  assert.equal(ofRequest.find(({ name }) => name === 'POST /v1/admin/keys')?.parentSpanId, 'b7ad6b7169203331');
  const assertion = collector.spans.find(({ name }) => name === 'POST /v1/facts');
  const names = collector.spans.filter(({ traceId }) => traceId === assertion?.traceId).map(({ name }) => name);
  for (const wanted of ['append facts', 'verify facts', 'writer assert'])
    assert.ok(names.includes(wanted), names.join());

  // top: live on a terminal of 80x24, at another size when it changes, and gone without a trace at q.
  const screen = new Terminal(t, ['top', '--data', cli.dir('acme'), '--interval', '1'], { rows: 24, columns: 80 });
  const tty = (await screen.shows(/\/dev\/pts\/\d+/))[0];
  await screen.shows(/stigmem:\/\/acme\.example {2}ready {2}up .*\n[^\n]*facts\/s {3}in: asserted/);
  await screen.shows(/asserted \d+\.\d/);
  execFileSync('stty', ['-F', tty, 'rows', '10', 'cols', '30']);
  const isCut = (line: string): boolean => /^process {3}.{20}$/.test(stripVTControlCharacters(line));
  await until('it is drawn for 30 columns', async () => screen.screen.split('\n').some(isCut));
  screen.type('q');
  assert.equal(await screen.ended(), 0);
  assert.ok(screen.screen.includes('\u001b[?25h\u001b[?1049l'), 'cursor and page are back');
  const table = await cli.run('top --data acme');
  assert.equal(table.code, 0, table.stderr);
  assert.match(table.stdout, /^stigmem:\/\/acme\.example {2}ready/);
  assert.ok(!table.stdout.includes('\u001b'));

  // doctor sees the process, and verifies what it recalls.
  const { checks, running } = (await cli.run('doctor --data acme --json')).json();
  assert.equal(running, true);
  const of = (id: string): { result: string; seen: string } => checks.find((one: { id: string }) => one.id === id);
  assert.equal(of('recall.verified').result, 'pass', of('recall.verified').seen);
  assert.match(of('process.open_files').seen, /may hold \d+ files open/);
  assert.equal(of('node.ready').result, 'pass', of('node.ready').seen);

  // SIGTERM: a request that is under way is finished, the connection ends, nobody new is let in, the exit code is 0.
  const half = await halfAsserted(api, token, 'last words');
  daemon.child.kill('SIGTERM');
  await until('it stops to listen', async () => (await fetch(`${api}/healthz`).catch(() => null)) === null);
  assert.equal(await half.finish(), 201);
  const ended = await daemon.ended;
  assert.equal(ended.code, 0, ended.stderr);
  const found = await cli.run('query --data acme --relation acme:status --include-contradicted --json');
  assert.match(found.stdout, /last words/);
  const fsck = await cli.run('fsck --data acme');
  assert.equal(fsck.code, 0, fsck.stdout);
});

test('a second signal ends the daemon at once, whatever is under way', async (t) => {
  const cli = new CliProcesses(t);
  await cli.run('init --data acme --node-id stigmem://acme.example');
  const { daemon, api, token } = await start(cli);
  const half = await halfAsserted(api, token, 'never said');
  daemon.child.kill('SIGTERM');
  await until('it is stopping', async () => daemon.stderr.includes('once more to stop at once'));
  const before = performance.now();
  const ended = await daemon.stop('SIGTERM');
  assert.equal(ended.code, 130);
  assert.ok(performance.now() - before < 4_000, 'it does not wait for the five seconds that requests have');
  half.cut();
  assert.equal((await cli.run('fsck --data acme')).code, 0);
});
