import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createRawServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { readNetwork } from '../../../src/core/address.ts';
import { guardedLookup, type Resolve } from '../../../src/outbound/guarded-lookup.ts';
import { createHttpClient, type HttpClient, HttpError } from '../../../src/outbound/http-client.ts';

async function serve(t: TestContext, answer: (server: Server) => void): Promise<number> {
  const server = createServer();
  answer(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const ask = (client: HttpClient, url: string, maxBytes = 1_000): Promise<Response> =>
  client.send(url, { maxBytes, signal: AbortSignal.timeout(10_000) });
const fails = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof HttpError && error.code === code && words.test(error.message);

/** A resolver that leads names where it is told to. */
const leadsTo =
  (...answers: readonly (readonly string[])[]): Resolve =>
  (_name, _options, done) => {
    const [next = []] = answers.length > 1 ? (answers as string[][]).splice(0, 1) : answers;
    done(
      null,
      next.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };

test('addresses of metadata services are not asked, in any spelling', async () => {
  const client = createHttpClient([]);
  for (const host of [
    '169.254.169.254',
    '[fd00:ec2::254]',
    '[::ffff:169.254.169.254]',
    '[64:ff9b::a9fe:a9fe]',
    '[2002:a9fe:a9fe::]',
    '0xa9fea9fe',
    '2852039166',
    '0251.0376.0251.0376',
    '169.254.43518',
    '100.100.100.200',
    '[fe80::1]',
    '0.0.0.0',
  ])
    await assert.rejects(
      ask(client, `http://${host}/latest/meta-data/`),
      fails('address_refused', /not connected to/),
      host,
    );
});

test('a name is judged by where it leads when the socket connects: rebinding does not help', async (t) => {
  let asked = 0;
  const port = await serve(t, (server) =>
    server.on('request', (_request, response) => {
      asked += 1;
      response.end('ok');
    }),
  );
  for (const address of ['127.0.0.1', '169.254.169.254', 'fd00:ec2::254', '::1', '::ffff:127.0.0.1']) {
    const client = createHttpClient([], leadsTo([address]));
    await assert.rejects(
      ask(client, `http://log.example:${port}/`),
      fails('address_refused', /log\.example leads to/),
      address,
    );
  }
  // Public when it is looked at, this machine when it is connected to: there is one look, and it is the latter.
  const turning: string[][] = [['93.184.216.34'], ['127.0.0.1']];
  const seen: string[] = [];
  const resolve: Resolve = (name, options, done) =>
    leadsTo(turning.shift() ?? ['127.0.0.1'])(name, options, (error, found) => {
      seen.push(...found.map(({ address }) => address));
      done(error, found);
    });
  const lookup = guardedLookup(() => ({ from: 'operator', allowed: [] }), resolve);
  const given = await new Promise((done) => lookup('log.example', { all: true }, (_error, found) => done(found)));
  assert.deepEqual(given, [{ address: '93.184.216.34', family: 4 }]);
  await assert.rejects(
    ask(createHttpClient([], resolve), `http://log.example:${port}/`),
    fails('address_refused', /this machine/),
  );
  assert.deepEqual(seen, ['93.184.216.34', '127.0.0.1']);
  assert.equal(asked, 0);
  // Of several the harmless one is taken.
  assert.equal(
    await (
      await ask(createHttpClient([], leadsTo(['169.254.169.254', '127.0.0.1'])), `http://localhost:${port}/`)
    ).text(),
    'ok',
  );
  const network = readNetwork('127.0.0.0/8');
  assert.ok(network !== null);
  assert.equal(
    (await ask(createHttpClient([network], leadsTo(['127.0.0.1'])), `http://log.example:${port}/`)).status,
    200,
  );
});

test('a redirect is not followed, wherever it leads', async (t) => {
  let followed = 0;
  const inside = await serve(t, (server) =>
    server.on('request', (_request, response) => {
      followed += 1;
      response.end('secret');
    }),
  );
  for (const status of [301, 302, 303, 307, 308]) {
    const port = await serve(t, (server) =>
      server.on('request', (_request, response) => {
        response.writeHead(status, { location: `http://127.0.0.1:${inside}/` }).end();
      }),
    );
    await assert.rejects(
      ask(createHttpClient([]), `http://127.0.0.1:${port}/`),
      fails('redirected', new RegExp(String(status))),
    );
  }
  assert.equal(followed, 0);
});

test('an answer is read up to its bound, and an endless one is left', async (t) => {
  const closed = Promise.withResolvers<void>();
  const port = await serve(t, (server) =>
    server.on('request', (request, response) => {
      if (request.url === '/fits') return void response.end('x'.repeat(1_000));
      response.on('close', () => closed.resolve());
      const more = (): void => {
        while (response.writable && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    }),
  );
  const client = createHttpClient([]);
  assert.equal((await (await ask(client, `http://127.0.0.1:${port}/fits`)).text()).length, 1_000);
  await assert.rejects(ask(client, `http://127.0.0.1:${port}/fits`, 999), fails('too_large', /over 999 bytes/));
  await assert.rejects(ask(client, `http://127.0.0.1:${port}/endless`), fails('too_large', /over 1000 bytes/));
  await closed.promise;
});

test('who does not answer is unreachable, with the reason; a signal ends the wait', async (t) => {
  const port = await serve(t, (server) => server.on('request', () => {}));
  await assert.rejects(ask(createHttpClient([]), 'http://127.0.0.1:1/'), fails('unreachable', /ECONNREFUSED/));
  const stop = new AbortController();
  const pending = createHttpClient([]).send(`http://127.0.0.1:${port}/`, { maxBytes: 1, signal: stop.signal });
  stop.abort(new Error('enough'));
  await assert.rejects(pending, /enough/);
});

test('another protocol is no answer; what is answered early leaves no connection behind', async (t) => {
  const ends = Promise.withResolvers<void>();
  const server = createRawServer((socket) => {
    socket.on('error', () => undefined).once('close', () => ends.resolve());
    socket.once('data', (head) =>
      socket.write(
        head.includes('POST')
          ? 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n'
          : 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
      ),
    );
    socket.pause();
    socket.once('readable', () => socket.read());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await assert.rejects(ask(createHttpClient([]), url), fails('unreachable', /closed the connection without an answer/));
  const body = Buffer.alloc(64 << 20);
  const signal = AbortSignal.timeout(10_000);
  const { status } = await createHttpClient([]).send(url, { method: 'POST', body, maxBytes: 1_000, signal });
  assert.equal(status, 413);
  await ends.promise;
});
