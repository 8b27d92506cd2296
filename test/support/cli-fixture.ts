/** The command line in this process: the real commands and the real API, over a node in memory. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { RunningNode } from '../../src/app.ts';
import { runProgram } from '../../src/cli/program.ts';
import type { Node, Output, Runtime, StopSignal } from '../../src/cli/runtime.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import { writeSecretFile, writeSeedFile } from '../../src/config/secret-file.ts';
import { renderConfig } from '../../src/config/template.ts';
import { Findings, type FsckProblem, type FsckReport } from '../../src/journal/fsck/report.ts';
import { planRestore, restoreSnapshot } from '../../src/node/restore-snapshot.ts';
import { rotateKey } from '../../src/node/rotate-key.ts';
import { checkSnapshot, checkSnapshotAlone, makeSnapshot, pruneShelf, shelfOf } from '../../src/node/snapshots.ts';
import { exportTiles } from '../../src/node/tiles-export.ts';
import { verifyJournal } from '../../src/node/verify-journal.ts';
import { exportWorm, verifyWormTarget } from '../../src/node/worm-export.ts';
import { createTestApi, type TestApi, type TestApiOptions } from './api-fixture.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The one JSON document on standard output. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every shape
  readonly json: () => any;
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array | Readable;
  readonly env?: Readonly<Record<string, string>>;
  readonly isTTY?: boolean;
  /** Somebody can be asked. */
  readonly interactive?: boolean;
  readonly columns?: number;
  /** Keys that are pressed as soon as somebody listens for them; `resize`: the terminal gets another size. */
  readonly keys?: readonly string[];
  /** Signals to send, each when the command has printed a line since the last one. */
  readonly signals?: readonly StopSignal[];
  /** Whether a process is there: nodes as processes are found by it. */
  readonly isAlive?: (pid: number) => boolean;
}

export interface CliFixture {
  /** A data folder with configuration and keys; its node is the one in memory. */
  readonly dir: string;
  readonly api: TestApi;
  /** Replaceable parts of the node. */
  readonly node: { -readonly [K in keyof Node]: Node[K] };
  /** Requests that reached the API, as `POST /v1/facts`. */
  readonly requests: string[];
  /** Runs one command line; `--data` is added. */
  run(args: string, options?: RunOptions): Promise<Ran>;
  /** Runs exactly these arguments. */
  runBare(args: readonly string[], options?: RunOptions): Promise<Ran>;
  close(): Promise<void>;
}

export const NODE_ID = 'stigmem://acme.example';

export async function createCliFixture(options: TestApiOptions = {}): Promise<CliFixture> {
  const root = mkdtempSync(join(tmpdir(), 'peerd-cli-'));
  const dir = join(root, 'acme');
  const paths = dataPaths(dir);
  for (const folder of [dir, paths.keys, paths.peers, paths.run]) mkdirSync(folder);
  writeFileSync(paths.config, renderConfig(NODE_ID));
  writeSeedFile(paths.nodeKey, 'node', new Uint8Array(32).fill(1));
  writeSeedFile(paths.logKey, 'log', new Uint8Array(32).fill(2));
  writeSeedFile(paths.witnessKey, 'witness', new Uint8Array(32).fill(3));
  writeSeedFile(paths.anchorKey, 'anchor', new Uint8Array(32).fill(4));
  const api = await createTestApi(options);
  writeSecretFile(paths.cliToken, api.keys.admin);
  const requests: string[] = [];
  const node: CliFixture['node'] = {
    openOffline: async () => ({
      fetch: async (request) => {
        requests.push(`${request.method} ${new URL(request.url).pathname}`);
        return api.api.fetch(request);
      },
      close: async () => undefined,
    }),
    runDaemon: async (): Promise<RunningNode> => Promise.reject(new Error('no daemon in this test')),
    initJournal: (folder) => writeFileSync(join(folder, 'journal.db'), ''),
    runFsck: async () => fsckReport({}, 0),
    signCheck: () => null,
    leaveCheck: () => false,
    exportTiles,
    identityIn: () => ({
      nodeId: NODE_ID,
      journalOrigin: 'acme.example/journal/0000000000000001',
      auditOrigin: 'acme.example/audit/0000000000000001',
      createdAt: '2026-01-01T00:00:00.000000+00:00',
    }),
    verifyJournal,
    rotateKey,
    ...COPIES,
  };
  const runBare = (args: readonly string[], how: RunOptions = {}): Promise<Ran> => runOnce(args, node, how);
  return {
    dir,
    api,
    node,
    requests,
    run: (args, how) => runBare([...split(args), '--data', dir], how),
    runBare,
    close: async () => {
      await api.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** The program's own: they work on files. */
const COPIES = {
  checkSnapshot,
  checkSnapshotAlone,
  exportWorm,
  makeSnapshot,
  planRestore,
  pruneShelf,
  restoreSnapshot,
  shelfOf,
  verifyWormTarget,
};

/** Runs one command line in this process. */
export async function runOnce(args: readonly string[], node: Node, how: RunOptions): Promise<Ran> {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const handlers = new Set<(signal: StopSignal) => void>();
  const signals = [...(how.signals ?? [])];
  let exited: number | null = null;
  const output = (into: string[]): Output => ({
    write: (text) => {
      into.push(text);
      const signal = signals.shift();
      if (signal === undefined) return;
      setImmediate(() => {
        for (const handler of handlers) handler(signal);
      });
    },
    isTTY: how.isTTY ?? false,
    columns: how.columns,
    rows: 40,
  });
  const runtime: Runtime = {
    env: how.env ?? {},
    stdin: how.stdin instanceof Readable ? how.stdin : stdinOf(how.stdin ?? ''),
    interactive: how.interactive ?? false,
    stdout: output(stdout),
    stderr: output(stderr),
    pid: 4242,
    self: ['node', 'main.ts'],
    nowMs: Date.now,
    isAlive: how.isAlive ?? (() => false),
    onStop(handler) {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    onTerminal: ({ key, resize }) => {
      const timers = (how.keys ?? []).map((pressed) =>
        setImmediate(() => (pressed === 'resize' ? resize() : key(pressed))),
      );
      return () => timers.forEach(clearImmediate);
    },
    exit: (code) => {
      exited ??= code;
    },
  };
  const code = await runProgram(args, runtime, async () => node);
  const text = stdout.join('');
  return { code: exited ?? code, stdout: text, stderr: stderr.join(''), json: () => JSON.parse(text) };
}

async function* stdinOf(content: string | Uint8Array): AsyncGenerator<Uint8Array> {
  // Cut at odd places: a line, and a character, may be in two chunks.
  const bytes = Buffer.from(content);
  for (let start = 0; start < bytes.length; start += 997) yield bytes.subarray(start, start + 997);
}

/** A report with this problem, or a clean one. */
export function fsckReport(problem: Partial<FsckProblem>, problemCount: number): FsckReport {
  const problems =
    problemCount === 0 ? [] : [{ table: 't', row: null, field: null, code: 'c', detail: 'd', ...problem }];
  const checked = { ...new Findings().checked, entries: 9 };
  const heads = { journal: null, audit: null };
  return { ok: problemCount === 0, heads, problems, problemCount, notices: [], checked, seconds: 0.5 };
}

/** Splits at spaces; quotes keep them. */
function split(args: string): string[] {
  return [...args.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
