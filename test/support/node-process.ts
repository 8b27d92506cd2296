/**
 * Real nodes as child processes: data folders through the real `init`, daemons through the real `run`, everything else
 * over the HTTP API with the token of the command line. Folders lie in the system's temporary folder and are removed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { AuditEntry } from '../../src/admin/api/audit-entry.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import type { PeerStatus } from '../../src/core/peer-status.ts';
import type { FsckReport } from '../../src/journal/fsck/report.ts';
import { runFsck } from '../../src/node/fsck.ts';
import { logVkeyIn } from './log-vkey.ts';

/** `npm test` names the built program, which starts in a third of the time; a single file run by hand takes the sources. */
export const MAIN: string =
  process.env['STIGMEM_TEST_MAIN'] ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const KILL_AT = fileURLToPath(new URL('./kill-at.ts', import.meta.url));
const LOG_TAIL_CHARS = 3_000;
/** For one step of a machine that is busy with other tests: generous, because nothing is measured by it. */
export const STEP_MS = 180_000;
const LOOK_EVERY_MS = 15;
/**
 * A loopback address of this process alone: a node that starts again wants its port back, which a test beside it may have been given
 * meanwhile. Other systems have one such address only.
 */
const LOOPBACK = process.platform === 'linux' ? ownLoopback(process.pid) : '127.0.0.1';

/** What a peer file says; lists left out are empty. A grant with a time is written as its TOML table. */
export interface PeerLine {
  readonly nodeId: string;
  readonly peerId: string;
  readonly addresses: readonly string[];
  readonly share?: readonly string[];
  readonly accept?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly allowTeam?: boolean;
  readonly relay?: boolean;
  /** Verifier key of its log; without it nothing flows before an operator has trusted the one that is declared. */
  readonly logKey?: string;
  /** Text of a witness policy. */
  readonly witnesses?: string;
  /** Transparency logs of which one is asked for. */
  readonly anchors?: readonly string[];
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every shape
  readonly body: any;
}

export interface Detail {
  readonly record: AuditEntry;
  // biome-ignore lint/suspicious/noExplicitAny: evidence has a shape per kind of refusal
  readonly evidence: any;
  readonly intact: boolean;
}

/** Where the nodes and hostile peers of one test live; everything ends with the test. */
export class Bench {
  readonly root: string;
  readonly #logs = new Map<string, string>();
  readonly #processes = new Set<ChildProcess>();

  /** @param t where it ends: a test, or anything else that calls what `after` was given */
  constructor(t: Pick<TestContext, 'after' | 'diagnostic'>) {
    this.root = mkdtempSync(join(tmpdir(), 'peerd-processes-'));
    t.after(async () => {
      await Promise.all([...this.#processes].map((child) => endNow(child)));
      // Known to the runner since Node 20.12, and not yet to its types.
      if ((t as { passed?: boolean }).passed === false) t.diagnostic(this.tails());
      rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
    });
  }

  /** Starts a process whose standard error goes to a file of its own. */
  spawn(
    name: string,
    args: readonly string[],
    stdio: 'pipe' | 'ipc',
    env: Readonly<Record<string, string>> = {},
  ): ChildProcess {
    const file = join(this.root, `${name}.log`);
    this.#logs.set(name, file);
    const log = openSync(file, 'a', 0o600);
    const streams = stdio === 'ipc' ? ['ignore', log, log, 'ipc' as const] : ['ignore', 'pipe' as const, log];
    const child = spawn(process.execPath, [...args], { stdio: streams as never, env: { ...cleanEnv(), ...env } });
    closeSync(log);
    this.#processes.add(child);
    child.once('exit', () => this.#processes.delete(child));
    return child;
  }

  /** The ends of all logs. */
  tails(): string {
    const tail = (file: string): string => readFileSync(file, 'utf8').slice(-LOG_TAIL_CHARS);
    return [...this.#logs].map(([name, file]) => `--- end of the log of ${name}\n${tail(file)}`).join('\n');
  }

  /** Looks until `look` gives something; fails after a deadline with the ends of all logs. */
  async until<T>(what: string, look: () => Promise<T | undefined> | T | undefined, ms: number = STEP_MS): Promise<T> {
    const endMs = performance.now() + ms;
    let last: unknown;
    while (performance.now() < endMs) {
      const found = await (async () => look())().catch((error: unknown) => {
        last = error;
        return undefined;
      });
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    throw new Error(`not within ${ms} ms: ${what}; last error: ${String(last)}\n${this.tails()}`);
  }

  /** Runs one command over a node's folder. @returns its standard output */
  async cli(node: { readonly dir: string }, args: readonly string[]): Promise<string> {
    const child = this.spawn(`cli ${args[0] ?? ''}`, [MAIN, ...args, '--data', node.dir], 'pipe');
    const said = child.stdout === null ? '' : text(child.stdout);
    await within(STEP_MS, `${args.join(' ')} ends`, once(child, 'close'));
    return said;
  }

  /** Makes the data folder of a node. @param name of the folder, where two nodes say that they are the same */
  async node(
    authority: string,
    settings: readonly string[] = [],
    name: string = authority,
    host: string = LOOPBACK,
  ): Promise<NodeProcess> {
    const dir = join(this.root, name);
    const child = this.spawn(`${name}-init`, initArguments(dir, authority), 'pipe');
    const line = await firstLine(child, `init of ${authority}`);
    const { peer_id: peerId } = JSON.parse(line) as { peer_id: string };
    if (child.exitCode === null && child.signalCode === null)
      await within(STEP_MS, `init of ${authority} ends`, once(child, 'exit'));
    return new NodeProcess(this, { authority, dir, name, host, peerId, settings });
  }
}

interface NodeOptions {
  readonly authority: string;
  readonly dir: string;
  readonly name: string;
  /** Where peers reach it. */
  readonly host: string;
  readonly peerId: string;
  readonly settings: readonly string[];
}

/** One node: its folder, and its daemon while it runs. */
export class NodeProcess {
  readonly authority: string;
  readonly nodeId: string;
  readonly dir: string;
  readonly peerId: string;
  readonly #bench: Bench;
  readonly #name: string;
  readonly #settings: readonly string[];
  readonly #token: string;
  /** Kept over restarts, so that peer files stay right. */
  #listen: string;
  #url = '';
  #child: ChildProcess | undefined;

  constructor(bench: Bench, options: NodeOptions) {
    this.#bench = bench;
    this.authority = options.authority;
    this.nodeId = `stigmem://${options.authority}`;
    this.dir = options.dir;
    this.peerId = options.peerId;
    this.#name = options.name;
    this.#settings = options.settings;
    this.#listen = `/ip4/${options.host}/tcp/0`;
    this.#token = readFileSync(dataPaths(this.dir).cliToken, 'utf8').trim();
  }

  /** Base URL of the API, once it listens. */
  get url(): string {
    return this.#url;
  }

  /** The command line's own key. */
  get token(): string {
    return this.#token;
  }

  get address(): string {
    return this.#listen;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** The daemon has started anew by itself, and listens elsewhere. */
  movedTo(url: string): void {
    this.#url = url;
  }

  /** Starts the daemon without waiting for it. @param killAtFile says where it kills itself, see kill-at.ts */
  launch(killAtFile: string | null = null): ChildProcess {
    // The last one of a setting holds.
    const set = ['log.level=debug', ...this.#settings].flatMap((setting) => ['--set', setting]);
    const fixed = ['--api-port', '0', '--listen', this.#listen, '--json'];
    const preload = killAtFile === null ? [] : ['--import', KILL_AT];
    const env = killAtFile === null ? {} : { KILL_AT_FILE: killAtFile };
    const args = [...preload, MAIN, 'run', '--data', this.dir, ...fixed, ...set];
    this.#child = this.#bench.spawn(this.#name, args, 'pipe', env);
    return this.#child;
  }

  /** Starts the daemon; resolves when it listens. */
  async start(killAtFile: string | null = null): Promise<this> {
    const line = await firstLine(this.launch(killAtFile), `start of ${this.authority}`).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.#bench.tails()}`);
    });
    const { api, addresses } = JSON.parse(line) as { api: string; addresses: readonly string[] };
    this.#url = api;
    this.#listen = /^\/ip4\/[^/]+\/tcp\/\d+/.exec(addresses[0] ?? '')?.[0] ?? this.#listen;
    return this;
  }

  /** Asks the daemon to stop; resolves with its exit code when it has. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return child?.exitCode ?? null;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await within(STEP_MS, `${this.authority} stops`, ended);
    return child.exitCode;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    if (this.#child !== undefined) await endNow(this.#child);
  }

  async get(path: string): Promise<Answer> {
    return this.#ask('GET', path);
  }

  /** @param token of another key than the command line's */
  async post(path: string, body: unknown = {}, token: string = this.#token): Promise<Answer> {
    return this.#ask('POST', path, JSON.stringify(body), token);
  }

  async delete(path: string): Promise<Answer> {
    return this.#ask('DELETE', path);
  }

  /** Resolves when the daemon has ended, by itself or by a signal. */
  async ended(): Promise<void> {
    if (this.#child !== undefined && this.isRunning)
      await within(STEP_MS, `${this.#name} ends`, once(this.#child, 'exit'));
  }

  /** This node as a line in the peer file of another. */
  asPeer(grants: Pick<PeerLine, 'share' | 'accept'>): PeerLine {
    const { dir, nodeId, peerId } = this;
    return { nodeId, peerId, addresses: [this.#listen], logKey: logVkeyIn(dir), ...grants };
  }

  writePeer(name: string, peer: PeerLine): void {
    this.writePeerText(name, peerText(peer));
  }

  /** Any text, right or wrong, put in place at once. */
  writePeerText(name: string, text: string): void {
    const file = join(dataPaths(this.dir).peers, `${name}.toml`);
    const fresh = join(this.dir, `${name}.new`);
    writeFileSync(fresh, text, { mode: 0o600 });
    renameSync(fresh, file);
  }

  removePeer(name: string): void {
    rmSync(join(dataPaths(this.dir).peers, `${name}.toml`));
  }

  /** What the node says of a peer; undefined while it knows none of that name. */
  async peer(name: string): Promise<PeerStatus | undefined> {
    const { status, body } = await this.get(`/v1/federation/peers/${name}`);
    return status === 200 ? (body as PeerStatus) : undefined;
  }

  /** Waits until what the node says of a peer is as wanted. */
  async peerUntil(name: string, what: string, wanted: (peer: PeerStatus) => boolean): Promise<PeerStatus> {
    let last: PeerStatus | undefined;
    const look = async (): Promise<PeerStatus | undefined> => {
      last = await this.peer(name);
      return last !== undefined && wanted(last) ? last : undefined;
    };
    return this.#bench.until(`${name} at ${this.authority} ${what}`, look).catch((error: Error) => {
      throw new Error(`${error.message}\nlast seen of ${name}: ${JSON.stringify(last)}`);
    });
  }

  /** All audit records that match, in order. `query` as in a URL. */
  async audit(query: string): Promise<readonly AuditEntry[]> {
    const found: AuditEntry[] = [];
    for (let cursor = 0; ; ) {
      const { body } = await this.get(`/v1/federation/audit?order=asc&limit=500&cursor=${cursor}&${query}`);
      found.push(...(body.entries as AuditEntry[]));
      if (body.has_more !== true) return found;
      cursor = Number(body.cursor);
    }
  }

  async evidence(seq: number): Promise<Detail> {
    return (await this.get(`/v1/federation/audit/${seq}`)).body as Detail;
  }

  /** Resident memory in MiB, now and at its highest; null where /proc does not say. */
  memory(): { readonly nowMiB: number; readonly peakMiB: number } | null {
    try {
      const text = readFileSync(`/proc/${this.pid}/status`, 'utf8');
      const mib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1]) / 1024;
      return { nowMiB: mib('VmRSS'), peakMiB: mib('VmHWM') };
    } catch {
      return null;
    }
  }

  /** Checks everything that is on disk, with the log key, whether the daemon runs or not. */
  async fsck(): Promise<FsckReport> {
    return runFsck(this.dir, {});
  }

  async #ask(method: string, path: string, body?: string, token: string = this.#token): Promise<Answer> {
    const headers = {
      authorization: `Bearer ${token}`,
      connection: 'close',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers,
      signal: AbortSignal.timeout(STEP_MS),
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  }
}

function ownLoopback(pid: number): string {
  return `127.${1 + ((pid >> 14) & 0x7f)}.${(pid >> 7) & 0x7f}.${1 + (pid & 0x7f)}`;
}

/** The text of a peer file. */
export function peerText(peer: PeerLine): string {
  const list = (items: readonly string[] = []): string => JSON.stringify(items);
  const namespaces = peer.namespaces ?? [peer.nodeId.slice('stigmem://'.length)];
  return `node_id = ${JSON.stringify(peer.nodeId)}
peer_id = ${JSON.stringify(peer.peerId)}
addresses = ${list(peer.addresses)}
namespaces = ${list(namespaces)}
share = [${(peer.share ?? []).map(grantToml).join(', ')}]
accept = [${(peer.accept ?? []).map(grantToml).join(', ')}]
${peer.allowTeam === true ? 'allow_team = true\n' : ''}${peer.relay === true ? 'relay = true\n' : ''}${peer.logKey === undefined ? '' : `log_key = ${JSON.stringify(peer.logKey)}\n`}[policy]
anchors = ${list(peer.anchors)}
${peer.witnesses === undefined ? '' : `witnesses = ${JSON.stringify(peer.witnesses)}\n`}`;
}

function grantToml(grant: string): string {
  return grant.startsWith('{') ? grant : JSON.stringify(grant);
}

/** Fails if the promise is not settled in time. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function initArguments(dir: string, authority: string): string[] {
  return [MAIN, 'init', '--data', dir, '--node-id', `stigmem://${authority}`, '--json'];
}

/** The first line on standard output; later ones are read and dropped, or the pipe would fill. */
async function firstLine(child: ChildProcess, what: string): Promise<string> {
  if (child.stdout === null) throw new Error(`${what}: no standard output`);
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`${what}: it ended with ${code ?? signal} instead`);
  });
  const line = once(lines, 'line').then(([text]) => text as string);
  return within(STEP_MS, what, Promise.race([line, ended]));
}

/** kill -9, unless it has ended before. */
export async function endNow(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** Settings of whoever runs the tests are not meant for these nodes. */
function cleanEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('STIGMEM_')));
}
