/** The examples of deploy/proxy before a real node, under the real servers: names, what stays inside, events as they come. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Bench, type NodeProcess } from '../support/node-process.ts';
import { selfSigned } from '../support/self-signed.ts';
import { type Ends, freePorts, Server, serverFolder } from './programs/server.ts';

const NAME = 'api.acme.example';
const PROXY = fileURLToPath(new URL('../../deploy/proxy/', import.meta.url));
/** A stream that was gathered would come with its end. */
const EVENT_MS = 10_000;
/** Without a byte for so long, nothing comes. */
const ANSWER_MS = 60_000;

interface Asked {
  readonly token?: string;
  readonly host?: string;
  readonly accept?: string;
  /** Ends as soon as this has come, not with the answer. */
  readonly untilText?: string;
}

interface Proxy {
  readonly port: number;
}

/** Puts what differs on a test's machine in the place of what is in the example; each has to be there. */
function adapted(file: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce(
    (text, [from, to]) => {
      assert.ok(text.includes(from), `${file} has ${from}`);
      return text.replaceAll(from, to);
    },
    readFileSync(join(PROXY, file), 'utf8'),
  );
}

function certificateIn(folder: string): { readonly cert: string; readonly key: string } {
  const pair = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const { cert, key } = selfSigned();
  writeFileSync(pair.cert, cert);
  writeFileSync(pair.key, key, { mode: 0o600 });
  return pair;
}

async function nginx(ends: Ends, api: string): Promise<Proxy> {
  const { folder, add } = serverFolder(ends);
  const [port = 0] = await freePorts(1);
  const { cert, key } = certificateIn(folder);
  const site = adapted('nginx.conf', [
    ['127.0.0.1:8765', new URL(api).host],
    ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
    [`/etc/nginx/tls/${NAME}.crt`, cert],
    [`/etc/nginx/tls/${NAME}.key`, key],
  ]);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${folder}/${of};`);
  const main = join(folder, 'main.conf');
  writeFileSync(
    main,
    `daemon off; user root; pid ${folder}/nginx.pid; error_log stderr; events {}
http { access_log off; ${paths.join(' ')}\n${site}\n}`,
  );
  const server = new Server({
    name: 'nginx',
    path: 'nginx',
    args: ['-c', main, '-e', 'stderr'],
    ready: () => healthy(port),
  });
  await add(server).start();
  return { port };
}

async function caddy(ends: Ends, api: string): Promise<Proxy> {
  const { folder, add } = serverFolder(ends);
  const [port = 0] = await freePorts(1);
  const { cert, key } = certificateIn(folder);
  const site = adapted('Caddyfile', [
    ['127.0.0.1:8765', new URL(api).host],
    [`${NAME} {`, `https://${NAME}:${port} {\n\tbind 127.0.0.1\n\ttls ${cert} ${key}`],
  ]);
  const file = join(folder, 'Caddyfile');
  writeFileSync(file, `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${site}`);
  mkdirSync(join(folder, 'home'));
  const server = new Server({
    name: 'caddy',
    path: 'caddy',
    args: ['run', '--config', file, '--adapter', 'caddyfile'],
    env: { HOME: join(folder, 'home'), XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    ready: () => healthy(port),
  });
  await add(server).start();
  return { port };
}

async function healthy(port: number): Promise<void> {
  assert.equal((await ask(port, '/healthz')).status, 200);
}

/** One request, for NAME unless said otherwise. */
function ask(
  port: number,
  path: string,
  { token, host = NAME, accept = '*/*', untilText }: Asked = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const headers = { host, accept, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, servername: NAME, headers, rejectUnauthorized: false });
    call.on('response', (answer) => {
      let text = '';
      const end = (): void => {
        resolve({ status: answer.statusCode ?? 0, text });
        call.destroy();
      };
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        if (untilText !== undefined && text.includes(untilText)) end();
      });
      answer.on('end', end);
    });
    call.on('error', reject);
    call.setTimeout(ANSWER_MS, () => call.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
    call.end();
  });
}

async function behindProxy(node: NodeProcess, { port }: Proxy): Promise<void> {
  const { token } = node;
  assert.equal((await ask(port, '/metrics', { token })).status, 404);
  assert.equal((await ask(port, '/v1/me')).status, 401);
  assert.match((await ask(port, '/v1/me', { token })).text, /permissions/);
  // Another name does not reach the node's API, whether the proxy or the node refuses it.
  const foreign = await ask(port, '/v1/me', { token, host: 'evil.example' });
  assert.doesNotMatch(foreign.text, /permissions/);

  const stream = '/v1/federation/audit/stream?cursor=0';
  const seen = ask(port, stream, { token, accept: 'text/event-stream', untilText: 'through-the-proxy' });
  const late = new Promise<null>((resolve) => setTimeout(resolve, EVENT_MS, null).unref());
  const made = await node.post('/v1/admin/keys', { name: 'through-the-proxy', permissions: ['read'] });
  assert.ok(made.status < 300, JSON.stringify(made.body));
  const event = await Promise.race([seen, late]);
  assert.match(event?.text ?? 'nothing came', /through-the-proxy/);
}

for (const [name, start] of [
  ['nginx', nginx],
  ['Caddy', caddy],
] as const)
  test(`${name} before the API`, async (t) => {
    const bench = new Bench(t);
    const node = await bench.node('acme.example', ['api.behind_proxy=true', `api.node_url=https://${NAME}`]);
    await node.start();
    await behindProxy(node, await start({ after: (clean) => t.after(clean) }, node.url));
  });
