import { statfsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { ReadinessAnswer, WellKnown } from '../admin/api/node.ts';
import type { NodeStats } from '../admin/node-status.ts';
import type { PeerStatus } from '../core/peer-status.ts';
import { type Api, connectDaemonApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import {
  action,
  type Cli,
  type CommonOptions,
  type Context,
  type Outcome,
  withCommonOptions,
  withExamples,
} from './cli.ts';
import { CliError } from './exit.ts';
import { wholeNumber } from './numbers.ts';
import { type Sample, type Size, topFrame } from './top/frame.ts';

interface TopOptions extends CommonOptions {
  readonly interval: number;
}

/** What a terminal has that does not say its size. */
const DEFAULT_SIZE: Size = { columns: 80, rows: 24 };
/** Between the two samples that one table is made of. */
const ONCE_MS = 1_000;
// Another page of the terminal, no cursor, and no wrapping: a character that is two columns wide must not break a line.
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
/** q, Ctrl-C, or Escape alone: an arrow key begins with the same character. */
const isQuit = (key: string): boolean => key === '\u001b' || ['q', 'Q', '\u0003'].includes(key[0] ?? '');

export function addTop(program: Command, cli: Cli): void {
  const top = program
    .command('top')
    .summary('the running node, live')
    .description(
      'Shows facts in and out, refusals, the lag of each peer, the queue of the journal, memory and the delay of the main loop, drawn anew every few seconds until q is pressed. Where standard output is no terminal, or with --json, it prints one table of the next second.',
    )
    .option('--interval <seconds>', 'between two pictures', (text) => wholeNumber(text, 1, 60), 2)
    .action(action<TopOptions>(cli, runTop));
  withExamples(withCommonOptions(top), ['top --data ./acme', 'top --data ./acme --json | jq .stats']);
}

async function runTop(context: Context, _args: readonly string[], options: TopOptions): Promise<Outcome | null> {
  const api = await connectDaemonApi(context);
  if (api === null) {
    const message = 'expected a running node, got a data folder without one';
    throw new CliError({ exit: 'unavailable', message, fix: 'Start it: stigmem-peerd run --data DIR' });
  }
  try {
    if (context.json || !context.runtime.interactive) return await once(context, api);
    await watch(context, api, options.interval * 1_000);
    return null;
  } finally {
    await api.close();
  }
}

async function once(context: Context, api: Api): Promise<Outcome> {
  const before = await sample(context, api);
  await sleep(ONCE_MS);
  const now = await sample(context, api);
  const size = { columns: context.runtime.stdout.columns ?? 200, rows: Number.MAX_SAFE_INTEGER };
  const { nodeId: node_id, stats, readiness, peers } = now;
  const rates = { seconds: (now.atMs - before.atMs) / 1_000, before: before.stats };
  return {
    json: JSON.stringify({ node_id, stats, rates, readiness, peers }),
    human: topFrame(now, before, size, context.screen).slice(0, -1).join('\n'),
  };
}

/** Until somebody quits, or the process is told to stop. */
async function watch(context: Context, api: Api, intervalMs: number): Promise<void> {
  const { runtime } = context;
  const quit = new AbortController();
  let redraw = (): void => undefined;
  const restore = [
    runtime.onTerminal({ key: (key) => isQuit(key) && quit.abort(), resize: () => redraw() }),
    runtime.onStop(() => quit.abort()),
  ];
  runtime.stdout.write(ENTER);
  try {
    for (let before: Sample | null = null; !quit.signal.aborted; ) {
      const now = await sample(context, api);
      const shown = before;
      redraw = () => draw(context, now, shown);
      redraw();
      before = now;
      await sleep(intervalMs, undefined, { signal: quit.signal }).catch(() => undefined);
    }
  } finally {
    runtime.stdout.write(LEAVE);
    for (const back of restore) back();
  }
}

function draw(context: Context, now: Sample, before: Sample | null): void {
  const { columns, rows } = context.runtime.stdout;
  // A terminal of no size is one that does not say it.
  const size = { columns: columns || DEFAULT_SIZE.columns, rows: rows || DEFAULT_SIZE.rows };
  const lines = topFrame(now, before, size, context.screen).map((line) => `${line}${CLEAR_LINE}`);
  context.runtime.stdout.write(`${HOME}${lines.join('\n')}${CLEAR_BELOW}`);
}

async function sample(context: Context, api: Api): Promise<Sample> {
  const read = async <T>(path: string): Promise<T> => JSON.parse(expectOk(await api.get(path))) as T;
  const stats = await read<NodeStats>('/v1/stats');
  const atMs = context.runtime.nowMs();
  const { peers } = await read<{ peers: readonly PeerStatus[] }>('/v1/federation/peers');
  // 503 is an answer here, not a failure: it says what is not ready.
  const readiness = JSON.parse((await api.get('/readyz')).text) as ReadinessAnswer;
  const { node_id: nodeId } = await read<WellKnown>('/.well-known/stigmem');
  return { atMs, nodeId, stats, readiness, peers, freeBytes: freeBytes(context.dir()) };
}

function freeBytes(dir: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize;
  } catch {
    return null;
  }
}
