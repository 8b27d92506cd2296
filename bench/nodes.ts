/** Nodes for the benchmarks: data folders made and filled in this process, daemons as processes of the built program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDaemonFile } from '../src/config/daemon-file.ts';
import { dataPaths } from '../src/config/data-dir.ts';
import { readSeedFile } from '../src/config/secret-file.ts';
import { parseJson } from '../src/core/json.ts';
import { openDatabase } from '../src/journal/database.ts';
import { JOURNAL_FILE, LOCK_FILE } from '../src/journal/files.ts';
import { Journal } from '../src/journal/journal.ts';
import { takeLock } from '../src/journal/lock.ts';
import { Projector } from '../src/projections/projector.ts';
import { RecallIndex } from '../src/projections/recall-index.ts';
import { type VerifiedAssertion, verifyAssertion } from '../src/verify/assertion.ts';
import { logVkeyIn } from '../test/support/log-vkey.ts';

const MAIN = new URL('../dist/main.js', import.meta.url).pathname;
const BATCH = 1_000;
const DEADLINE_MS = 60_000;

export interface BenchNode {
  readonly dir: string;
  readonly nodeId: string;
  readonly peerId: string;
}

/** A fact as the data sets give it. */
export interface SourceFact {
  readonly entity: string;
  readonly relation: string;
  readonly value: { readonly type: string; readonly v: unknown };
  readonly source: string;
  readonly scope: string;
}

export async function makeNode(folder: string, authority: string): Promise<BenchNode> {
  const dir = join(folder, authority);
  const nodeId = `stigmem://${authority}`;
  const made = await run(['init', '--data', dir, '--node-id', nodeId, '--json']);
  return { dir, nodeId, peerId: JSON.parse(made).peer_id };
}

/** Appends facts through the same rules as the API, without the API. */
export function fill(node: BenchNode, facts: Iterable<SourceFact>): number {
  const lock = takeLock(join(node.dir, LOCK_FILE));
  const seed = readSeedFile(dataPaths(node.dir).logKey, 'log');
  if (!seed.ok) throw new Error(seed.error.message);
  const journal = Journal.open(node.dir, {
    logSeed: seed.value,
    cacheMiB: 64,
    random: (bytes) => randomFillSync(bytes),
  });
  let batch: VerifiedAssertion[] = [];
  const flush = (): void => {
    if (batch.length > 0) journal.appendOwn(batch, Date.now());
    batch = [];
  };
  for (const fact of facts) {
    batch.push(assertionOf(fact));
    if (batch.length === BATCH) flush();
  }
  flush();
  const { size } = journal;
  // A node that has been running has its look-ups: making them now would be charged to the pull.
  const projector = new Projector(journal.db);
  while (projector.advance() > 0);
  journal.close();
  lock.release();
  return size;
}

/** And its words, which are measured by themselves elsewhere. */
export function indexWords({ dir }: BenchNode): void {
  const db = openDatabase(join(dir, JOURNAL_FILE), { readonly: false, cacheMiB: 64 });
  const words = new RecallIndex(db);
  while (words.advance() > 0);
  db.close();
}

function assertionOf(fact: SourceFact): VerifiedAssertion {
  const value = parseJson(JSON.stringify(fact.value.v));
  if (!value.ok) throw new Error('a fact of the data set is no JSON');
  const request = {
    ...fact,
    value_type: fact.value.type,
    value: value.value,
    confidence: 1,
    valid_until: null,
    garden_id: null,
    derived_from: [],
    attestation: null,
    interpret_as: 'content',
  };
  const context = {
    nodeAuthority: 'bench.example',
    nowMs: Date.now(),
    maxValueBytes: 65_536,
    mayWriteInstructions: false,
  };
  const verified = verifyAssertion(request, context);
  if (!verified.ok) throw new Error(verified.error.message);
  return verified.value;
}

export interface PeerGrants {
  readonly address: string | null;
  readonly namespaces: readonly string[];
  readonly share: readonly string[];
  readonly accept: readonly string[];
}

export function writePeer(node: BenchNode, peer: BenchNode, grants: PeerGrants): void {
  const { namespaces, share, accept, address } = grants;
  const lines = [
    `node_id = ${JSON.stringify(peer.nodeId)}`,
    `peer_id = ${JSON.stringify(peer.peerId)}`,
    `log_key = ${JSON.stringify(logVkeyIn(peer.dir))}`,
    `addresses = ${JSON.stringify(address === null ? [] : [address])}`,
    `namespaces = ${JSON.stringify(namespaces)}`,
    `share = ${JSON.stringify(share)}`,
    `accept = ${JSON.stringify(accept)}`,
  ];
  writeFileSync(join(dataPaths(node.dir).peers, `${peer.nodeId.slice(10)}.toml`), `${lines.join('\n')}\n`);
}

export interface Daemon {
  readonly api: string;
  readonly address: string;
  get(path: string): Promise<Response>;
  /** Peak and present resident memory, MiB. */
  memory(): { readonly peak: number; readonly now: number };
  /** CPU seconds used so far. */
  cpu(): number;
  stop(): Promise<void>;
}

export async function startDaemon(node: BenchNode): Promise<Daemon> {
  const listen = '/ip4/127.0.0.1/tcp/0';
  const args = [MAIN, 'run', '--data', node.dir, '--api-port', '0', '--listen', listen, '--log-level', 'warn'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await firstLine(child);
  const address = /(\/ip4\/\S+\/p2p\/\w+)/.exec(line)?.[1];
  const info = readDaemonFile(node.dir, () => true);
  if (address === undefined || info === null) throw new Error(`a daemon said something else: ${line}`);
  const token = readFileSync(dataPaths(node.dir).cliToken, 'utf8').trim();
  return {
    api: info.api,
    address,
    get: (path) => fetch(`${info.api}${path}`, { headers: { authorization: `Bearer ${token}` } }),
    memory: () => ({ peak: statusOf(child, 'VmHWM') / 1024, now: statusOf(child, 'VmRSS') / 1024 }),
    cpu: () => cpuOf(child),
    stop: () => ended(child),
  };
}

export async function run(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
  return Buffer.concat(chunks).toString('utf8');
}

/** Waits until `done` gives something else than undefined. */
export async function until<T>(
  done: () => Promise<T | undefined>,
  everyMs: number,
  deadlineMs: number = DEADLINE_MS,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  while (performance.now() < end) {
    const value = await done();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error(`nothing after ${deadlineMs} ms`);
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.includes('\n')) resolve(text);
    });
    child.on('exit', (code) => reject(new Error(`a daemon ended with ${code}`)));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = new Promise((resolve) => child.on('exit', resolve));
  child.kill('SIGTERM');
  await exit;
}

function statusOf(child: ChildProcess, name: string): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
}

const TICKS_PER_SECOND = 100;

function cpuOf(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
