import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { AdminError } from '../../../src/admin/errors.ts';
import {
  type AdminServer,
  DEFAULT_SERVER_TIMEOUTS,
  type ServerTimeouts,
  startServer,
} from '../../../src/admin/server.ts';
import { TlsWatch } from '../../../src/node/tls-watch.ts';
import { createEvents } from '../../../src/observe/events.ts';
import { createLogger } from '../../../src/observe/logger.ts';
import { createMetrics } from '../../../src/observe/metrics.ts';
import type { Clock } from '../../../src/transport/clock.ts';
import { createTestApi } from '../../support/api-fixture.ts';
import { selfSigned } from '../../support/self-signed.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-30T00:00:00Z');
type Pair = ReturnType<typeof selfSigned>;

interface Stage {
  readonly server: AdminServer;
  readonly watch: TlsWatch;
  readonly certFile: string;
  readonly keyFile: string;
  readonly log: readonly string[];
  readonly loaded: string[];
  put(pair: Pair): void;
  /** Lets so much time pass, second by second. */
  pass(ms: number): void;
  metric(name: string): Promise<string | undefined>;
}

async function stage(
  t: TestContext,
  first: Pair,
  minVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.2',
  timeouts: ServerTimeouts = DEFAULT_SERVER_TIMEOUTS,
): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'peerd-tls-'));
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  const put = ({ cert, key }: Pair): void => {
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key, { mode: 0o600 });
  };
  put(first);
  const fixture = await createTestApi();
  const tls = { certFile, keyFile, minVersion };
  const server = await startServer({ api: fixture.api, host: '127.0.0.1', port: 0, behindProxy: false, tls, timeouts });
  const log: string[] = [];
  const metrics = createMetrics();
  const events = createEvents(createLogger('info', { write: (line) => void log.push(line) }), metrics);
  let nowMs = NOW;
  let due: (() => void) | null = null;
  const clock: Clock = {
    nowMs: () => nowMs,
    after(_delayMs, run) {
      due = run;
      return () => {
        due = null;
      };
    },
  };
  const loaded: string[] = [];
  const watch = new TlsWatch({
    server,
    files: [certFile, keyFile],
    events,
    onLoaded: ({ sha256 }) => loaded.push(sha256),
    clock,
  });
  t.after(async () => {
    watch.stop();
    await server.close({ graceMs: 0 });
    await fixture.close();
    rmSync(folder, { recursive: true });
  });
  const pass = (ms: number): void => {
    nowMs += ms;
    // What was two seconds of looking.
    for (let look = 0; look < 2; look += 1) due?.();
  };
  const metric = async (name: string): Promise<string | undefined> =>
    new RegExp(`^stigmem_peerd_${name} (.*)$`, 'm').exec((await metrics.scrape()).body)?.[1];
  return { server, watch, certFile, keyFile, log, loaded, put, pass, metric };
}

/** A handshake, and the certificate that was shown. */
async function shake({ server }: Stage, options: object = {}): Promise<{ socket: TLSSocket; shown: string }> {
  const socket = connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  const shown = socket.getPeerX509Certificate();
  assert.ok(shown !== undefined);
  return { socket, shown: shown.fingerprint256 };
}

/** Asks over a connection that stays open. */
async function ask(socket: TLSSocket): Promise<string> {
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [data] = (await once(socket, 'data')) as [Buffer];
  return data.toString('utf8').split('\r\n')[0] ?? '';
}

const fingerprint = ({ cert }: Pair): string => new X509Certificate(cert).fingerprint256;

test('a new certificate is shown to who comes from now on; who is there stays', async (t) => {
  const [old, next] = [selfSigned(), selfSigned()];
  const on = await stage(t, old);
  const before = await shake(on);
  assert.equal(before.shown, fingerprint(old));
  assert.equal(await ask(before.socket), 'HTTP/1.1 200 OK');
  on.put(next);
  on.pass(1_000);
  const after = await shake(on);
  assert.equal(after.shown, fingerprint(next));
  assert.equal(await ask(before.socket), 'HTTP/1.1 200 OK', 'the connection of before');
  assert.equal(await ask(after.socket), 'HTTP/1.1 200 OK');
  assert.deepEqual(on.loaded, [fingerprint(next).replaceAll(':', '').toLowerCase()]);
  assert.deepEqual(on.watch.notices(), []);
  for (const { socket } of [before, after]) socket.destroy();
});

const BROKEN: readonly [string, (on: Stage, next: Pair) => void, RegExp][] = [
  ['no certificate', (on) => writeFileSync(on.certFile, 'nonsense'), /cannot be served/],
  ['the certificate alone', (on, next) => writeFileSync(on.certFile, next.cert), /is not the key of the certificate/],
  ['the key alone', (on, next) => writeFileSync(on.keyFile, next.key), /is not the key of the certificate/],
  ['a key that others can read', (on) => chmodSync(on.keyFile, 0o640), /readable by its owner alone/],
  ['no file', (on) => rmSync(on.certFile), /no such file/],
  [
    'one that ended',
    (on) => on.put(selfSigned({ from: '200101000000Z', to: '251231235959Z' })),
    /it ended at 2025-12-31/,
  ],
  [
    'one of later',
    (on) => on.put(selfSigned({ from: '270101000000Z', to: '291231235959Z' })),
    /good only from 2027-01-01/,
  ],
];
for (const [name, spoil, why] of BROKEN)
  test(`the old certificate is served on, and that is said, when there is ${name}`, async (t) => {
    const [old, next] = [selfSigned(), selfSigned()];
    const on = await stage(t, old);
    spoil(on, next);
    on.pass(1_000);
    const { socket, shown } = await shake(on);
    socket.destroy();
    assert.equal(shown, fingerprint(old));
    assert.match(on.watch.notices().join(), why);
    assert.match(on.log.join(), why);
    assert.equal(await on.metric('api_certificate_refused'), '1');
    assert.ok(!on.log.join().includes('PRIVATE KEY'));
    // Once a change, not once a second.
    on.pass(1_000);
    assert.equal(on.log.length, 1);
    on.put(next);
    chmodSync(on.keyFile, 0o600);
    on.pass(1_000);
    assert.deepEqual(on.watch.notices(), []);
    assert.equal(await on.metric('api_certificate_refused'), '0');
    assert.equal(on.loaded.length, 1);
  });

test('files that are still being written are not read', async (t) => {
  const [old, next] = [selfSigned(), selfSigned()];
  const on = await stage(t, old);
  // The looks of a second each: certificate, then key, then quiet.
  writeFileSync(on.certFile, next.cert);
  on.watch.reload();
  assert.equal(await on.metric('api_certificate_refused'), '1', 'SIGHUP does not wait');
  writeFileSync(on.keyFile, next.key);
  on.pass(1_000);
  assert.equal(on.loaded.length, 1);
  assert.deepEqual(on.watch.notices(), []);
});

test('the end of the certificate is told before it comes, a step at a time', async (t) => {
  const on = await stage(t, selfSigned({ from: '260101000000Z', to: '270110000000Z' })); // 41 days
  assert.equal(
    await on.metric('api_certificate_not_after_seconds'),
    String(Date.parse('2027-01-10T00:00:00Z') / 1_000),
  );
  const lines = (): number => on.log.length;
  assert.equal(lines(), 0);
  for (const [days, told, sentence] of [
    [10, 0, null],
    [1, 1, /in less than 30 days/],
    [1, 1, /in less than 30 days/],
    [16, 2, /in less than 14 days/],
    [7, 3, /in less than 7 days/],
    [5, 4, /in less than a day/],
    [2, 5, /it ended at 2027-01-10/],
  ] as const) {
    on.pass(days * DAY);
    assert.equal(lines(), told, `after ${days} days`);
    if (sentence === null) assert.deepEqual(on.watch.notices(), []);
    else assert.match(on.watch.notices().join(), sentence);
  }
});

test('TLS that is older than asked for is not spoken', async (t) => {
  const on = await stage(t, selfSigned(), 'TLSv1.3');
  (await shake(on)).socket.destroy();
  await assert.rejects(shake(on, { maxVersion: 'TLSv1.2' }), /protocol version|alert/i);
  const older = await stage(t, selfSigned());
  (await shake(older, { maxVersion: 'TLSv1.2' })).socket.destroy();
  await assert.rejects(shake(older, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }));
  // Nor after a reload.
  on.put(selfSigned());
  on.pass(1_000);
  await assert.rejects(shake(on, { maxVersion: 'TLSv1.2' }), /protocol version|alert/i);
});

test('a key that others can read is refused at the start too', async (t) => {
  const on = await stage(t, selfSigned());
  chmodSync(on.keyFile, 0o644);
  const tls = { certFile: on.certFile, keyFile: on.keyFile, minVersion: 'TLSv1.2' as const };
  const { api, close } = await createTestApi();
  t.after(close);
  await assert.rejects(
    startServer({ api, host: '127.0.0.1', port: 0, behindProxy: false, tls }),
    (error) => error instanceof AdminError && error.code === 'tls_files_unreadable' && /0600/.test(error.message),
  );
});

test('files that cannot even be looked at are said to be so, and the old certificate is served on', async (t) => {
  const old = selfSigned();
  const on = await stage(t, old);
  rmSync(on.certFile);
  symlinkSync(on.certFile, on.certFile);
  on.pass(1_000);
  assert.match(on.watch.notices().join(), /the new files are not served, the old ones are: .* ELOOP/);
  const { socket, shown } = await shake(on);
  assert.equal(shown, fingerprint(old));
  socket.destroy();
});

test('whoever is in the middle of a handshake does not hold up the end', async (t) => {
  const { server } = await stage(t, selfSigned());
  const silent = connectPlain({ port: server.port, host: '127.0.0.1' }).on('error', () => undefined);
  await once(silent, 'connect');
  // Its handshake begins when the server has been told to end, and no request follows it.
  const closing = server.close({ graceMs: 300 });
  connect({ socket: silent, rejectUnauthorized: false }).on('error', () => undefined);
  const second = connectPlain({ port: server.port, host: '127.0.0.1' }).on('error', () => undefined);
  await closing;
  for (const socket of [silent, second]) socket.destroy();
});

test('a handshake has as much time as the head of a request', async (t) => {
  const { server } = await stage(t, selfSigned(), 'TLSv1.2', { headersMs: 200, requestMs: 30_000, idleMs: 5_000 });
  const silent = connectPlain({ port: server.port, host: '127.0.0.1' }).on('error', () => undefined);
  silent.resume();
  await once(silent, 'close');
});
