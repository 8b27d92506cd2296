/** The node's API, wherever it is: in the running daemon, or over the files of a node that is not running. */
import { loadConfig } from '../config/config.ts';
import { readDaemonFile } from '../config/daemon-file.ts';
import { dataPaths } from '../config/data-dir.ts';
import { type ConfigError, problemText } from '../config/problem.ts';
import { readSecretFile } from '../config/secret-file.ts';
import { apiFailure } from './api-failure.ts';
import type { Context } from './cli.ts';
import { askAlive, openDaemonSender } from './daemon-send.ts';
import { CliError } from './exit.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body as it came. */
  readonly text: string;
}

export interface Api {
  /** The running daemon, or null when this process serves itself. */
  readonly daemon: { readonly pid: number; readonly api: string; readonly started_at: string } | null;
  get(path: string, query?: Query, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** @param body JSON text */
  post(path: string, body: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  delete(path: string): Promise<Answer>;
  /** A file that the node makes. @throws CliError when it makes none */
  bytes(path: string, query?: Query): Promise<Uint8Array>;
  /** The body of a long answer, in pieces of text. */
  stream(path: string, query: Query, accept: string, signal: AbortSignal): AsyncIterable<string>;
  close(): Promise<void>;
}

export interface Backend {
  readonly daemon: Api['daemon'];
  send(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** Nothing is resolved; requests in process never reach a network. */
const IN_PROCESS = 'http://offline.invalid';
/** Many times what a busy machine takes: a daemon that says nothing for so long is looked at, not waited for. */
const ALIVE_WAIT_MS = 15_000;

/** Connects to the node of a data folder. @throws CliError `unavailable` with what to do */
export async function connectApi(context: Context): Promise<Api> {
  const dir = context.dir();
  requireConfig(dir);
  const token = readToken(context, dir);
  const backend = (await connectDaemon(context, dir)) ?? (await openFiles(context, dir));
  return createApi(backend, token, context.keyFile);
}

/** Connects, uses and closes. */
export async function withApi<T>(context: Context, use: (api: Api) => Promise<T>): Promise<T> {
  const api = await connectApi(context);
  try {
    return await use(api);
  } finally {
    await api.close();
  }
}

/** Connects to the running daemon, or gives null; never opens the files. */
export async function connectDaemonApi(context: Context): Promise<Api | null> {
  const dir = context.dir();
  const backend = await connectDaemon(context, dir);
  return backend === null ? null : createApi(backend, readToken(context, dir), context.keyFile);
}

/** For what a folder of files cannot do. @param why behind "got none: " @throws CliError `unavailable` when no daemon runs */
export async function withDaemonApi<T>(context: Context, why: string, use: (api: Api) => Promise<T>): Promise<T> {
  const api = await connectDaemonApi(context);
  if (api === null) {
    const message = `expected the daemon of this folder to run, got none: ${why}`;
    throw new CliError({ exit: 'unavailable', message, fix: 'Start it: stigmem-peerd run --data DIR' });
  }
  try {
    return await use(api);
  } finally {
    await api.close();
  }
}

/** A configuration error as a failure of a command. */
export function configFailure(error: ConfigError): CliError {
  const [only, ...others] = error.problems;
  if (only !== undefined && others.length === 0) {
    return new CliError({
      exit: 'unavailable',
      code: error.code,
      message: `${only.where}: ${only.message}`,
      fix: only.fix,
    });
  }
  const message = `the configuration has ${error.problems.length} problems:\n${error.problems.map((p) => `  ${problemText(p)}`).join('\n')}`;
  return new CliError({ exit: 'unavailable', code: error.code, message });
}

function requireConfig(dir: string): void {
  // What the environment changes is the daemon's business; here it is enough that there is a node.
  const config = loadConfig(dir, {}, {});
  if (!config.ok) throw configFailure(config.error);
}

function readToken({ keyFile }: Context, dir: string): string {
  if (keyFile !== null) return readOwnKey(keyFile);
  const token = readSecretFile(dataPaths(dir).cliToken, 'the key of the command line');
  if (token.ok) return token.value;
  const { where, message, fix } = token.error;
  const renew = `Or make a new one: stigmem-peerd key create --cli --data ${dir}`;
  throw new CliError({ exit: 'unavailable', message: `${where}: ${message}`, fix: `${fix} ${renew}` });
}

function readOwnKey(file: string): string {
  const key = readSecretFile(file, 'your API key');
  if (key.ok) return key.value;
  const { where, message, fix } = key.error;
  throw new CliError({ exit: 'unavailable', message: `${where}: ${message}`, fix });
}

async function connectDaemon(context: Context, dir: string): Promise<Backend | null> {
  const info = readDaemonFile(dir, context.runtime.isAlive);
  if (info === null) return null;
  if (info.api.startsWith('https:') && info.certificate === undefined) {
    const message = 'expected run/daemon.json to hold the certificate of a daemon that speaks HTTPS, got none';
    throw new CliError({ exit: 'unavailable', message, fix: 'Restart the daemon: another version wrote the file.' });
  }
  // The one that is served, not the file: a new file that cannot be served must not lock the operator out.
  const sender = openDaemonSender(info.api, info.certificate ?? null);
  try {
    await askAlive(sender, info.api, ALIVE_WAIT_MS);
    const { certificate: _, ...daemon } = info;
    return { daemon, send: sender.send, close: async () => sender.close() };
  } catch (thrown) {
    sender.close();
    // Pids are reused: the process is there, but it is not our daemon. Whether one runs is for the lock to say.
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ECONNREFUSED') return null;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    const message = `expected the daemon (pid ${info.pid}) to answer at ${info.api}, got: ${reason}`;
    throw new CliError(
      { exit: 'unavailable', message, fix: 'Look at its log; restart it if it hangs.' },
      { cause: thrown },
    );
  }
}

async function openFiles(context: Context, dir: string): Promise<Backend> {
  const offline = await (await context.node()).openOffline(dir);
  return { daemon: null, send: (request) => offline.fetch(request), close: () => offline.close() };
}

/**
 * The API over whatever answers its requests.
 *
 * @param keyFile where the token is from; null: the command line's own
 */
export function createApi(backend: Backend, token: string, keyFile: string | null = null): Api {
  const base = backend.daemon?.api ?? IN_PROCESS;
  const send = async (method: string, path: string, query: Query, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    const response = await backend.send(new Request(`${base}${path}${queryText(query)}`, { ...init, method, headers }));
    if (response.status !== 401) return response;
    throw keyRefused(keyFile);
  };
  const answer = async (response: Promise<Response>): Promise<Answer> => {
    const { status, headers } = await response;
    return { status, headers, text: await (await response).text() };
  };
  const JSON_BODY = { 'content-type': 'application/json' };
  return {
    daemon: backend.daemon,
    get: (path, query = {}, headers = {}) => answer(send('GET', path, query, { headers })),
    post: (path, body, headers = {}) => answer(send('POST', path, {}, { body, headers: { ...JSON_BODY, ...headers } })),
    delete: (path) => answer(send('DELETE', path, {}, {})),
    async bytes(path, query = {}) {
      const response = await send('GET', path, query, {});
      if (response.status === 200) return new Uint8Array(await response.arrayBuffer());
      const { status, headers } = response;
      throw apiFailure({ status, headers, text: await response.text() });
    },
    async *stream(path, query, accept, signal) {
      const response = await send('GET', path, query, { headers: { accept }, signal });
      if (response.status !== 200) {
        const { status, headers } = response;
        throw apiFailure({ status, headers, text: await response.text() });
      }
      const decoder = new TextDecoder();
      for await (const piece of response.body ?? []) yield decoder.decode(piece, { stream: true });
    },
    close: () => backend.close(),
  };
}

function keyRefused(keyFile: string | null): CliError {
  const message = `expected the key in ${keyFile ?? 'keys/cli.token'} to be accepted, got 401: it is revoked, expired or of another node`;
  const fix =
    keyFile === null
      ? 'Make a new one: stigmem-peerd key create --cli --data DIR'
      : 'Ask whoever administers the node for a new one: stigmem-peerd key create NAME --data DIR';
  return new CliError({ exit: 'unavailable', message, fix });
}

function queryText(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== false);
  const text = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
}
