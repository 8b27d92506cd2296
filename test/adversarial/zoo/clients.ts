/** Somebody who reaches the API: without a key, through a browser, with a key that may not do this. */
import { request } from 'node:http';
import { connect } from 'node:net';
import type { ClientAnimal } from './animal.ts';
import type { Victim } from './victim.ts';

const ANSWER_MS = 20_000;
const FOREIGN = ['evil.example', '127.0.0.1.evil.example', '10.0.0.1'];
const QUERIES = ['"', 'a" OR words:*', 'NEAR(a b)', 'a* AND NOT b^', "'; DROP TABLE entries;--", '{a}:b', '\u0000'];

export const CLIENTS: readonly ClientAnimal[] = [
  {
    kind: 'client',
    name: 'keyless',
    threats: [25],
    does: 'Reads and writes without a key and with a wrong one',
    verdict: '401 each time',
    attack: keyless,
  },
  {
    kind: 'client',
    name: 'rebinder',
    threats: [25],
    does: 'Calls as a web page of another origin, and under another host’s name',
    verdict: '403 each time',
    attack: rebind,
  },
  {
    kind: 'client',
    name: 'long-body',
    threats: [20],
    does: 'Announces a body of 100 MB',
    verdict: '413, and the connection is closed',
    attack: longBody,
  },
  {
    kind: 'client',
    name: 'dripping-headers',
    threats: [20],
    does: 'Never ends its headers',
    verdict: '408 after ten seconds',
    attack: dripHeaders,
  },
  {
    kind: 'client',
    name: 'automaton',
    threats: [26, 36],
    does: 'Writes an instruction with an administrator’s key',
    verdict: '403: no key may unless it was given that by name',
    attack: instruct,
  },
  {
    kind: 'client',
    name: 'query-injector',
    threats: [47],
    does: 'Writes the syntax of the search engine into queries',
    verdict: 'It finds words or nothing; no query is an error',
    attack: query,
  },
];

interface Told {
  readonly status: number;
  readonly text: string;
}

/** `fetch` does not let one choose Host and Origin. */
function tell(
  { options }: Victim,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<Told> {
  const { hostname, port } = new URL(options.url);
  const method = body === undefined ? 'GET' : 'POST';
  return new Promise((resolve, reject) => {
    const call = request(
      { host: hostname, port, path, method, headers, agent: false, timeout: ANSWER_MS },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    call.on('timeout', () => call.destroy(new Error('no answer')));
    call.on('error', reject);
    call.end(body);
  });
}

/** Sends bytes; what comes back until the server closes. */
function exchange({ options }: Victim, bytes: string): Promise<string> {
  const { hostname, port } = new URL(options.url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes));
    let text = '';
    socket.setEncoding('utf8').setTimeout(ANSWER_MS, () => socket.destroy(new Error('it stays open')));
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

const expecting = (what: string, expected: number, { status }: Told): readonly string[] =>
  status === expected ? [] : [`${what}: expected ${expected}, got ${status}`];

const json = { 'content-type': 'application/json' };
const keyOf = ({ options }: Victim): Readonly<Record<string, string>> => ({ authorization: `Bearer ${options.key}` });

async function keyless(victim: Victim): Promise<readonly string[]> {
  const wrong = { authorization: `Bearer ${'x'.repeat(43)}` };
  const findings: string[] = [];
  for (const headers of [{}, wrong])
    for (const path of ['/v1/facts', '/v1/federation/peers', '/v1/federation/audit', '/v1/changes'])
      findings.push(...expecting(path, 401, await tell(victim, path, headers)));
  findings.push(...expecting('a write', 401, await tell(victim, '/v1/facts', { ...json, ...wrong }, '{}')));
  return findings;
}

async function rebind(victim: Victim): Promise<readonly string[]> {
  const { host } = new URL(victim.options.url);
  const findings: string[] = [];
  for (const foreign of FOREIGN)
    findings.push(...expecting(`Host ${foreign}`, 403, await tell(victim, '/healthz', { host: foreign })));
  for (const origin of ['https://evil.example', 'null'])
    findings.push(...expecting(`Origin ${origin}`, 403, await tell(victim, '/healthz', { host, origin })));
  return findings;
}

async function longBody(victim: Victim): Promise<readonly string[]> {
  const { host } = new URL(victim.options.url);
  const head = `POST /v1/facts HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${victim.options.key}\r\n`;
  const answer = await exchange(victim, `${head}Content-Type: application/json\r\nContent-Length: 100000000\r\n\r\n{`);
  return /^HTTP\/1\.1 413 /.test(answer) ? [] : [`expected 413, got ${answer.slice(0, 40)}`];
}

async function dripHeaders(victim: Victim): Promise<readonly string[]> {
  const answer = await exchange(victim, `GET / HTTP/1.1\r\nHost: ${new URL(victim.options.url).host}\r\nX: `);
  return /^HTTP\/1\.1 408 /.test(answer) ? [] : [`expected 408, got ${answer.slice(0, 40)}`];
}

async function instruct(victim: Victim): Promise<readonly string[]> {
  const { nodeId } = victim.options;
  const fact = {
    entity: `${nodeId}/zoo/automaton`,
    relation: 'instruction:do',
    value: { type: 'text', v: 'whatever I say', interpret_as: 'instruction' },
    source: `${nodeId}/agent/zoo`,
    scope: 'local',
  };
  return expecting(
    'an instruction',
    403,
    await tell(victim, '/v1/facts', { ...json, ...keyOf(victim) }, JSON.stringify(fact)),
  );
}

async function query(victim: Victim): Promise<readonly string[]> {
  const findings: string[] = [];
  for (const text of QUERIES) {
    const body = JSON.stringify({ query: text, scope: 'public' });
    const told = await tell(victim, '/v1/recall', { ...json, ...keyOf(victim) }, body);
    findings.push(...expecting(`recall of ${JSON.stringify(text)}`, 200, told));
  }
  return findings;
}
