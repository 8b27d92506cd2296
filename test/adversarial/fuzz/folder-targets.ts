/**
 * Everything that answers out of a real data folder: the HTTP API in process and over a socket, and what peers may ask.
 * Also the files of a folder that people write.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { METHODS } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdminServer, startServer } from '../../../src/admin/server.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { dataPaths } from '../../../src/config/data-dir.ts';
import { readPeerFile } from '../../../src/config/peer-file.ts';
import { problemText } from '../../../src/config/problem.ts';
import { renderConfig } from '../../../src/config/template.ts';
import { answerProof } from '../../../src/serve/answer-proof.ts';
import { answerPull } from '../../../src/serve/answer-pull.ts';
import { answerWatch } from '../../../src/serve/answer-watch.ts';
import type { ServeDeps } from '../../../src/serve/deps.ts';
import { createFolder, type FolderApi, openFolderApi } from '../../support/data-folder.ts';
import { FACTS, PEER_ID, PROOF_REQUESTS, PULL_REQUESTS, WATCH_REQUESTS } from './pure-targets.ts';
import { expect, type Target } from './target.ts';

const IO_LIMIT_MS = 2_000;

export interface FolderTargets {
  readonly targets: readonly Target[];
  close(): Promise<void>;
}

/** A folder with a few hundred facts and records, and everything that reads it. */
export async function openFolderTargets(): Promise<FolderTargets> {
  const folder = await createFolder('acme.example');
  const api = await openFolderApi(folder, { gardens: 'incident-42' });
  const ids = await fill(api);
  const server = await startServer({ api: api.api, host: '127.0.0.1', port: 0, behindProxy: false });
  const files = mkdtempSync(join(tmpdir(), 'peerd-fuzz-files-'));
  const requests = requestTexts(api, ids);
  return {
    targets: [apiTarget(api, requests), socketTarget(server, requests), ...servedTargets(api), ...fileTargets(files)],
    async close() {
      await server.close({ graceMs: 0 });
      await api.close();
      folder.remove();
      rmSync(files, { recursive: true, force: true });
    },
  };
}

async function fill(api: FolderApi): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const scope of ['public', 'company', 'local']) {
    const facts = Array.from({ length: 150 }, (_, i) => ({
      entity: `stigmem://acme.example/service/s${i % 40}`,
      relation: 'ops:state',
      value: { type: 'text', v: `state ${i} of ${scope}` },
      source: 'stigmem://acme.example/agent/a1',
      scope,
    }));
    const { results } = (await (await api.send('/v1/facts', { as: 'full', body: { facts } })).json()) as {
      results: { fact: { id: string; cid: string } }[];
    };
    ids.push(results[0]?.fact.id ?? '', results[1]?.fact.cid ?? '');
  }
  for (let i = 0; i < 30; i++)
    await api.audit({ event: 'peer_added', peer: 'stigmem://globex.example', detail: { i } });
  return ids;
}

/** Requests as text, so that bytes of every part can be changed. */
function requestTexts(api: FolderApi, ids: readonly string[]): readonly Buffer[] {
  const get = (path: string, headers = ''): Buffer =>
    Buffer.from(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${api.keys.admin}\r\n${headers}\r\n`);
  const post = (path: string, body: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from(
        `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${api.keys.full}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nstigmem-session: s1\r\n\r\n`,
      ),
      body,
    ]);
  const reads = ids.flatMap((id) => [`/v1/facts/${id}`, `/v1/facts/${id}/provenance`, `/v1/facts/${id}/proof`]);
  const paths = [
    '/v1/facts?limit=20&include_contradicted=true&min_confidence=0.5&scope=public&after=2026-01-01T00:00:00Z',
    '/v1/facts?entity=stigmem://acme.example/service/s1&relation=ops:state&scope=company&include_expired=1',
    `/v1/facts?source=stigmem://acme.example/agent/a1&limit=3&cursor=${ids[0]}`,
    '/v1/federation/audit?order=asc&limit=7&cursor=3&peer_id=stigmem://globex.example&event_type=peer_added',
    '/v1/federation/audit?format=jsonl&since=2026-01-01T00:00:00Z&until=2100-01-01T00:00:00%2B01:00',
    '/v1/federation/audit/7',
    '/v1/federation/peers',
    '/v1/federation/peers/globex',
    '/v1/journal/head',
    '/v1/journal/checkpoint?log=audit',
    '/v1/me',
    '/v1/admin/keys',
    '/.well-known/stigmem',
    '/healthz',
    '/readyz',
    '/metrics',
    '/openapi.json',
    '/docs',
    ...reads,
  ];
  const batch = Buffer.from(`{"facts":[${FACTS.map((fact) => fact.toString('utf8')).join(',')}]}`);
  return [
    ...paths.map((path) => get(path)),
    get('/v1/federation/audit/stream', 'last-event-id: 12\r\naccept: text/event-stream\r\n'),
    ...FACTS.map((fact) => post('/v1/facts', fact)),
    post('/v1/facts', batch),
    post(`/v1/facts/${ids[0]}/verify-cid`, Buffer.from('{}')),
  ];
}

/** Nothing is a 500; 501 is said on purpose, 503 by /readyz alone; what is refused says why in an object. */
async function checkAnswer({ method, url }: Request, response: Response): Promise<void> {
  const { status } = response;
  const isReadiness = status === 503 && new URL(url).pathname === '/readyz';
  expect(status < 500 || status === 501 || isReadiness, `no ${status}`);
  if (isReadiness) return;
  const isStream = /event-stream/.test(response.headers.get('content-type') ?? '');
  if (isStream) return void (await response.body?.cancel());
  const text = await response.text();
  if (status < 400 || method === 'HEAD') return;
  const body = JSON.parse(text) as object;
  expect('detail' in body || 'error' in body, 'a refusal has a detail');
}

function apiTarget(api: FolderApi, corpus: readonly Buffer[]): Target {
  return {
    name: 'api',
    corpus,
    limitMs: IO_LIMIT_MS,
    async run(input) {
      const request = parseRequest(input);
      if (request === null) return;
      await checkAnswer(request, await api.api.fetch(request));
    },
  };
}

/** The request that a text stands for; null where the platform itself refuses to make one. */
function parseRequest(input: Buffer): Request | null {
  const border = input.indexOf('\r\n\r\n');
  const head = input
    .subarray(0, border < 0 ? input.length : border)
    .toString('latin1')
    .split('\r\n');
  const body = border < 0 ? Buffer.alloc(0) : input.subarray(border + 4);
  const [method = '', target = ''] = (head[0] ?? '').split(' ');
  if (!METHODS.includes(method)) return null; // Node's own parser answers those
  try {
    const headers = new Headers();
    for (const line of head.slice(1)) {
      const colon = line.indexOf(':');
      headers.append(line.slice(0, colon), line.slice(colon + 1));
    }
    const hasBody = body.length > 0 && method !== 'GET' && method !== 'HEAD';
    const bodyInit = hasBody ? { body: new Uint8Array(body) } : {};
    return new Request(new URL(`http://localhost${target}`), { method, headers, ...bodyInit });
  } catch {
    return null;
  }
}

/** The same bytes through Node's parser and the adapter. The sender closes its side at once, so that nothing waits. */
function socketTarget({ port }: AdminServer, corpus: readonly Buffer[]): Target {
  return {
    name: 'http-socket',
    corpus,
    limitMs: IO_LIMIT_MS,
    run: (input) =>
      new Promise((resolve, reject) => {
        const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
        let start = '';
        socket.on('data', (chunk) => {
          if (start.length < 64) start += chunk.toString('latin1', 0, 64);
          // A stream of events has no end of its own.
          if (start.includes('event-stream') || /event-stream/.test(chunk.toString('latin1'))) socket.destroy();
        });
        socket.on('error', () => undefined); // the server may cut what it refuses
        socket.on('close', () => {
          const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(start)?.[1] ?? 400);
          const isReadiness = status === 503 && input.includes('/readyz');
          if (status >= 500 && status !== 501 && status !== 505 && !isReadiness)
            reject(new Error(`oracle: no ${status}: ${start}`));
          else resolve();
        });
        socket.end(input);
      }),
  };
}

/** What peers send, against the real journal. The transport ends a stream whose answer throws; none may. */
function servedTargets(api: FolderApi): readonly Target[] {
  const { reader, writer, growth } = api.base;
  const grant = (feed: string) => ({ feed, notBeforeMs: null, notAfterMs: null });
  const peer = {
    name: 'globex',
    nodeId: 'stigmem://globex.example',
    authority: 'globex.example',
    peerId: PEER_ID,
    addresses: [],
    namespaces: [],
    share: [grant('public'), grant('company')],
    accept: [],
    logKey: null,
    disabled: false,
    allowTeam: false,
    addressesFrom: 'operator' as const,
    relay: false,
    limits: { maxValueBytes: null, pageEntries: null },
    policy: { witnesses: null, anchors: null },
  };
  const deps: ServeDeps = {
    peerOf: () => peer,
    rules: { gardens: new Map(), permits: new Map(), confirmed: new Set() },
    disclose: (disclosure) => writer.disclose(disclosure),
    head: () => writer.head(),
    served: (knownSize) => writer.servedHead(knownSize),
    reader,
    successions: async () => [],
    onLost: async () => {},
    onCorrupt: ({ factId }) => expect(false, `fact ${factId} is sound`),
    nowMs: Date.now,
  };
  const drain = async (answer: AsyncGenerator<Uint8Array>): Promise<void> => {
    for await (const frame of answer) expect(frame.length > 0, 'an empty frame would end the answer');
  };
  return [
    {
      name: 'serve-pull',
      corpus: PULL_REQUESTS,
      limitMs: IO_LIMIT_MS,
      run: (input) => drain(answerPull(input, PEER_ID, deps)),
    },
    {
      name: 'serve-proof',
      corpus: PROOF_REQUESTS,
      limitMs: IO_LIMIT_MS,
      run: (input) => drain(answerProof(input, PEER_ID, deps)),
    },
    {
      name: 'serve-watch',
      corpus: WATCH_REQUESTS,
      limitMs: IO_LIMIT_MS,
      async run(input) {
        const gone = new AbortController();
        const context = { peerId: PEER_ID, signal: gone.signal };
        for await (const frame of answerWatch(input, context, { ...deps, growth })) {
          expect(frame.length > 0, 'an empty frame would end the answer');
          gone.abort();
        }
      },
    },
  ];
}

function fileTargets(root: string): readonly Target[] {
  mkdirSync(dataPaths(root).peers);
  const peerFile = join(dataPaths(root).peers, 'globex.toml');
  const full = `node_id = "stigmem://globex.example"
peer_id = "${PEER_ID}"
addresses = ["/ip4/127.0.0.1/tcp/4101", "/dns4/peerd.globex.example/tcp/4101"]
namespaces = ["globex.example"]
share = ["public", { feed = "company/incident-42", not_before = 2027-01-01T00:00:00Z, not_after = 2028-01-01T00:00:00Z }]
accept = ["public"]
log_key = "globex.example/journal/00+1234abcd+AQID"
disabled = false

[limits]
max_value_bytes = 1_000
page_entries = 0x10
`;
  const set =
    '[api]\nport = 0\nhost = "::1"\ntls_cert_file = "a"\ntls_key_file = "b"\n[federation]\npoll_interval_s = 5\n';
  return [
    {
      name: 'toml-config',
      corpus: [
        renderConfig('stigmem://acme.example'),
        `node_id = "stigmem://acme.example"\ngardens = ["g1"]\n${set}`,
      ].map((text) => Buffer.from(text)),
      run(input) {
        writeFileSync(dataPaths(root).config, input);
        const loaded = loadConfig(root, {}, {});
        if (!loaded.ok) loaded.error.problems.forEach(checkProblem);
      },
    },
    {
      name: 'toml-peer',
      corpus: [Buffer.from(full), Buffer.from(full.split('\n').slice(0, 2).join('\n'))],
      run(input) {
        writeFileSync(peerFile, input);
        const read = readPeerFile(peerFile);
        if (!read.ok) read.error.forEach(checkProblem);
      },
    },
  ];
}

function checkProblem(problem: Parameters<typeof problemText>[0]): void {
  const keyChars = problem.key?.length ?? 0;
  expect(problemText(problem).length < 4_000 && keyChars <= 120, 'a problem is told in few words');
}
