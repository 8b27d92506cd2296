import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { AdminError } from '../../../src/admin/errors.ts';
import { type AdminServer, DEFAULT_SERVER_TIMEOUTS, startServer } from '../../../src/admin/server.ts';
import { type Asked, type HostRule, whyForeign } from '../../../src/admin/server-guard.ts';
import { createTestApi, type TestApi } from '../../support/api-fixture.ts';
import { until } from '../../support/until.ts';

const NATIVE = { Request, Response };
let fixture: TestApi;
let server: AdminServer;

before(async () => {
  fixture = await createTestApi();
  server = await startServer({ api: fixture.api, host: '127.0.0.1', port: 0, behindProxy: false });
});
after(async () => {
  await server.close({ graceMs: 0 });
  await fixture.close();
});

interface Raw {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

/** `fetch` does not let a test choose Host and Origin. */
function get(path: string, headers: Record<string, string>, method = 'GET'): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const call = httpRequest(
      { host: '127.0.0.1', port: server.port, path, headers, method, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      },
    );
    call.on('error', reject);
    call.end();
  });
}

/** Sends bytes and gives what comes back until the server closes. */
function exchange(bytes: string, port = server.port): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

test('it answers on loopback under its own names', async () => {
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  for (const host of [`127.0.0.1:${server.port}`, `localhost:${server.port}`, `[::1]:${server.port}`, 'LOCALHOST']) {
    assert.equal((await get('/healthz', { host })).status, 200, host);
  }
});

test('a foreign name in Host is DNS rebinding and is refused; so are pages of another origin', async () => {
  for (const host of [
    'evil.example',
    `evil.example:${server.port}`,
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '10.0.0.1',
  ]) {
    const { status, text } = await get('/healthz', { host });
    assert.equal(status, 403, host);
    assert.match((JSON.parse(text) as { detail: string }).detail, /Host header names another host/);
  }
  const host = `127.0.0.1:${server.port}`;
  for (const origin of [
    'https://evil.example',
    'null',
    `http://localhost:${server.port}`,
    `http://x@${host}`,
    'http://127.0.0.1:1',
  ]) {
    assert.equal((await get('/healthz', { host, origin })).status, 403, origin);
  }
  assert.equal((await get('/healthz', { host, origin: `http://${host}` })).status, 200);
});

const LOOPBACK: HostRule = { onLoopback: true, names: new Set(['127.0.0.1']) };
const PUBLIC: HostRule = { onLoopback: false, names: new Set(['peerd.acme.example', '*.api.acme.example']) };
const OWN = 'peerd.acme.example';

/** What a request with these headers is told; null: it is answered. */
function asked(rule: HostRule, method: string, host: string, more: Partial<Asked> = {}): string | null {
  return whyForeign({ method, host, origin: undefined, fetchSite: undefined, fetchMode: undefined, ...more }, rule);
}

test('off loopback the Host is a name of ours, or an address, which nobody can have pointed here', () => {
  for (const host of [
    OWN,
    `${OWN}:8765`,
    'PEERD.acme.example',
    'eu.api.acme.example',
    '203.0.113.7',
    '[2001:db8::1]:80',
  ])
    assert.equal(asked(PUBLIC, 'GET', host), null, host);
  assert.equal(asked(PUBLIC, 'GET', 'localhost:8765'), null, 'a proxy of this machine');
  for (const host of [
    'evil.example',
    `${OWN}.evil.example`,
    `x.${OWN}`,
    'api.acme.example',
    'a.b.api.acme.example',
    '0x7f.1',
    '',
  ])
    assert.notEqual(asked(PUBLIC, 'GET', host), null, host);
});

test('what a page of somebody else starts is refused: origin by method by site', () => {
  const answered = new Set([
    'GET  ',
    'GET own ',
    'GET  same-origin',
    'GET  none',
    'GET  cross-site/navigate',
    'GET  same-site/navigate',
    'GET own same-origin',
    'GET own none',
    'GET own cross-site/navigate',
    'GET own same-site/navigate',
    'POST  ',
    'POST own ',
    'POST  same-origin',
    'POST  none',
    'POST own same-origin',
    'POST own none',
    'DELETE  ',
    'DELETE own ',
    'DELETE  same-origin',
    'DELETE  none',
    'DELETE own same-origin',
    'DELETE own none',
  ]);
  const origins = {
    '': undefined,
    own: `https://${OWN}`,
    foreign: 'https://evil.example',
    null: 'null',
    port: `https://${OWN}:1`,
  };
  const sites = ['', 'same-origin', 'none', 'same-site', 'cross-site', 'same-site/navigate', 'cross-site/navigate'];
  for (const method of ['GET', 'POST', 'DELETE'])
    for (const [name, origin] of Object.entries(origins))
      for (const site of sites) {
        const [fetchSite = '', fetchMode] = site.split('/');
        const from = { origin, fetchSite: fetchSite === '' ? undefined : fetchSite, fetchMode };
        const row = `${method} ${name} ${site}`;
        assert.equal(asked(PUBLIC, method, OWN, from) === null, answered.has(row), row);
        assert.equal(
          asked(LOOPBACK, method, '127.0.0.1:8765', { ...from, origin: origin?.replace(OWN, '127.0.0.1:8765') }) ===
            null,
          answered.has(row),
          `loopback ${row}`,
        );
      }
});

test('no answer lets a page of another origin read it, and a preflight is no permission', async () => {
  const host = `127.0.0.1:${server.port}`;
  const bearer = { authorization: `Bearer ${fixture.keys.full}` };
  const preflight = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
  const answers = [
    await get('/v1/facts', { host, ...bearer, origin: `http://${host}` }),
    await get('/v1/facts', { host, ...bearer, origin: 'https://evil.example' }),
    await get('/v1/facts', { host, ...preflight }, 'OPTIONS'),
    await get('/v1/facts', { host }, 'OPTIONS'),
    await get('/v1/facts', { host, ...bearer, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }, 'POST'),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 403, 403, 405, 403],
  );
  for (const { headers } of answers) {
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith('access-control')),
      [],
    );
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
  }
});

test('what a form of another page can send is not taken, whatever its type says', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
    const body = JSON.stringify({ name: 'evil', role: 'admin' });
    const headers = { authorization: `Bearer ${fixture.keys.admin}`, ...(type === '' ? {} : { 'content-type': type }) };
    const response = await fetch(`${server.url}/v1/admin/keys`, { method: 'POST', headers, body });
    assert.equal(response.status, 422, type);
  }
});

test('off loopback without TLS it refuses to start and says what to set', async () => {
  for (const host of ['0.0.0.0', '::', '192.168.1.5', 'peerd.acme.example']) {
    // Should it start after all, it must not stay open to the network.
    const started = startServer({ api: fixture.api, host, port: 0, behindProxy: false });
    const stopped = started.then((server) => server.close({ graceMs: 0 }));
    await assert.rejects(stopped, (error) => {
      assert.ok(error instanceof AdminError);
      assert.equal(error.code, 'insecure_listen');
      for (const setting of ['host', 'tls_cert_file', 'tls_key_file', 'behind_proxy'])
        assert.ok(error.message.includes(setting));
      return true;
    });
  }
});

test('a port in use and a missing certificate are errors that name them', async () => {
  const code = (wanted: string) => (error: unknown) => error instanceof AdminError && error.code === wanted;
  await assert.rejects(
    startServer({ api: fixture.api, host: '127.0.0.1', port: server.port, behindProxy: false }),
    code('listen_failed'),
  );
  const tls = { certFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem', minVersion: 'TLSv1.2' as const };
  await assert.rejects(
    startServer({ api: fixture.api, host: '127.0.0.1', port: 0, behindProxy: false, tls }),
    code('tls_files_unreadable'),
  );
});

test('HTTP that is none, or has no Host, gets an error and not a stack', async () => {
  for (const bytes of [
    'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n',
    'GET http://[bad HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    'GET /healthz HTTP/1.0\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    'nonsense\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n',
  ]) {
    const answer = await exchange(bytes);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, bytes.slice(0, 40));
    assert.doesNotMatch(answer, /at .*\.[jt]s:/);
  }
});

test('headers that drip are cut off', async () => {
  const timeouts = { ...DEFAULT_SERVER_TIMEOUTS, headersMs: 50, requestMs: 100 };
  const hasty = await startServer({ api: fixture.api, host: '127.0.0.1', port: 0, behindProxy: false, timeouts });
  const answer = await exchange('GET / HTTP/1.1\r\nHost: localhost\r\nX: ', hasty.port);
  assert.match(answer, /^HTTP\/1\.1 408 /);
  await hasty.close({ graceMs: 0 });
});

test('a body over the limit is answered and the connection closed', async () => {
  const head = `POST /v1/facts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${fixture.keys.full}\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n`;
  const answer = await exchange(`${head}{`);
  assert.match(answer, /^HTTP\/1\.1 413 /);
  assert.match(answer, /connection: close/i);
});

test('close ends streams at once and leaves nothing open', async () => {
  const own = await createTestApi();
  const closing = await startServer({ api: own.api, host: '127.0.0.1', port: 0, behindProxy: false });
  const response = await fetch(`${closing.url}/v1/federation/audit/stream`, {
    headers: { authorization: `Bearer ${own.keys.audit}` },
  });
  const reader = response.body?.getReader();
  await reader?.read();
  const ended = reader?.read();
  await closing.close({ graceMs: 60_000 });
  assert.equal((await ended)?.done, true);
  await assert.rejects(fetch(`${closing.url}/healthz`));
  await closing.close({ graceMs: 0 });
  await own.close();
});

test('a request in progress is finished within the grace, or cut after it', async () => {
  const own = await createTestApi();
  const hangs = own.hang();
  const closing = await startServer({ api: own.api, host: '127.0.0.1', port: 0, behindProxy: false });
  const pending = fetch(`${closing.url}/v1/facts`, { headers: { authorization: `Bearer ${own.keys.full}` } }).catch(
    () => 'cut',
  );
  await hangs;
  await closing.close({ graceMs: 20 });
  assert.equal(await pending, 'cut');
  await own.close();
});

test('the library leaves the process its own Request and Response', () => {
  assert.equal(globalThis.Request, NATIVE.Request);
  assert.equal(globalThis.Response, NATIVE.Response);
});

test('a batch over real HTTP', async () => {
  const facts = Array.from({ length: 200 }, (_, index) => ({
    entity: `e:${index}`,
    relation: 'x:y',
    value: { type: 'number', v: index },
    source: 'stigmem://example/agent/a',
  }));
  const headers = { authorization: `Bearer ${fixture.keys.full}`, 'content-type': 'application/json' };
  const response = await fetch(`${server.url}/v1/facts`, { method: 'POST', headers, body: JSON.stringify({ facts }) });
  assert.equal(response.status, 201);
  assert.equal(((await response.json()) as { stored: number }).stored, 200);
});

test('an address has half of the connections: another one is let in all the same', async (t) => {
  const own = await startServer({ api: fixture.api, host: '0.0.0.0', port: 0, behindProxy: true, maxConnections: 8 });
  t.after(() => own.close({ graceMs: 0 }));
  const open = async (localAddress: string): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: own.port, localAddress });
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  const held = await Promise.all(Array.from({ length: 4 }, () => open('127.0.0.2')));
  const fifth = (await open('127.0.0.2')).resume();
  await once(fifth, 'close');
  const answered = async (socket: Socket): Promise<string> => {
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    return String((await once(socket, 'data'))[0]).slice(0, 15);
  };
  assert.equal(await answered(await open('127.0.0.3')), 'HTTP/1.1 200 OK');
  held[0]?.destroy();
  await until('a place is given back', async () => {
    const socket = (await open('127.0.0.2')).on('error', () => {});
    return (await Promise.race([answered(socket), once(socket, 'close').then(() => '')])) === 'HTTP/1.1 200 OK';
  });
});
