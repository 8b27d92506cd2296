/**
 * `npm run sim -- --seeds 1000`: runs a simulated mesh for each seed, on every core. A seed that fails is printed with the
 * command that replays it.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeWorld } from './mesh.ts';
import { type Outcome, simulate } from './scenario.ts';

const BASE_SEED = 1;
const SEEDS_AT_ONCE = 20;
/** Nodes that a crash abandons are never taken apart: what they hold adds up, and slows a worker down that goes on for long. */
const LOTS_OF_A_WORKER = 6;
const MAX_FAILURES_SHOWN = 20;
/** What a run leaves behind dies young: with room for it, collecting it costs half as much. Errors are told again by a replay. */
const FLAGS = ['--max-semi-space-size=64', '--stack-trace-limit=0'];

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: String(BASE_SEED) },
    seed: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    worker: { type: 'boolean', default: false },
  },
});

interface Totals {
  seeds: number;
  failed: number;
  virtualMs: number;
  steps: number;
  durableSteps: number;
  facts: number;
  readonly faults: Map<string, number>;
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name}: expected a whole number, got ${text}`);
  return value;
}

async function replay(seed: number): Promise<boolean> {
  const world = await makeWorld();
  try {
    const outcome = await simulate(seed, world, (line) => process.stdout.write(line));
    report(outcome);
    console.log(`seed ${seed}: ${outcome.virtualMs / 1000} s of virtual time, trace ${outcome.trace}`);
    return outcome.problems.length === 0;
  } finally {
    world.remove();
  }
}

function report({ seed, problems }: Outcome): void {
  if (problems.length === 0) return;
  console.log(`FAILED: seed ${seed}`);
  for (const problem of problems) console.log(`  ${problem}`);
  console.log(`  replay: npm run sim -- --seed ${seed}`);
}

/** Seeds are handed out in small lots: whoever is done takes the next. */
async function runAll(from: number, seeds: number, workers: number): Promise<boolean> {
  const started = performance.now();
  const totals: Totals = { seeds: 0, failed: 0, virtualMs: 0, steps: 0, durableSteps: 0, facts: 0, faults: new Map() };
  let next = from;
  let endSeed = from + seeds;
  // Ctrl-C ends with the figures of what was run.
  process.on('SIGINT', () => {
    endSeed = Math.min(endSeed, next);
  });
  const compiled = mkdtempSync(join(tmpdir(), 'peerd-sim-compiled-'));
  const env = { NODE_COMPILE_CACHE: compiled, ...process.env };
  const startWorker = (): Promise<number> => {
    const child = fork(new URL(import.meta.url), ['--worker'], { execArgv: [...process.execArgv, ...FLAGS], env });
    let lots = 0;
    const hand = (): void => {
      const to = lots++ < LOTS_OF_A_WORKER ? Math.min(endSeed, next + SEEDS_AT_ONCE) : next;
      child.send({ from: next, to });
      next = to;
    };
    child.on('message', (message: { readonly outcomes: readonly Outcome[] } | 'ready') => {
      if (message !== 'ready') for (const outcome of message.outcomes) add(totals, outcome);
      hand();
    });
    return new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
  };
  const workInTurn = async (): Promise<number> => {
    let code = 0;
    do code = await startWorker();
    while (code === 0 && next < endSeed);
    return code;
  };
  const codes = await Promise.all(Array.from({ length: workers }, workInTurn));
  rmSync(compiled, { recursive: true, force: true });
  const seconds = (performance.now() - started) / 1000;
  tell(totals, seconds);
  return totals.failed === 0 && totals.seeds === endSeed - from && codes.every((code) => code === 0);
}

function add(totals: Totals, outcome: Outcome): void {
  totals.seeds++;
  totals.virtualMs += outcome.virtualMs;
  totals.steps += outcome.steps;
  totals.durableSteps += outcome.durableSteps;
  totals.facts += outcome.facts;
  for (const [kind, count] of Object.entries(outcome.faults))
    totals.faults.set(kind, (totals.faults.get(kind) ?? 0) + count);
  if (outcome.problems.length > 0 && totals.failed++ < MAX_FAILURES_SHOWN) report(outcome);
}

function tell({ seeds, failed, virtualMs, steps, durableSteps, facts, faults }: Totals, seconds: number): void {
  const injected = [...faults.values()].reduce((sum, count) => sum + count, 0);
  console.log(`${seeds} seeds, ${failed} failed, ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(1)} seeds/s)`);
  console.log(`${(virtualMs / 3_600_000).toFixed(1)} h of virtual time, ${steps} steps, ${durableSteps} durable steps`);
  console.log(
    `${facts} facts, ${injected} faults: ${[...faults]
      .sort()
      .map(([kind, n]) => `${n} ${kind}`)
      .join(', ')}`,
  );
}

async function work(): Promise<void> {
  const world = await makeWorld();
  process.on('exit', () => world.remove());
  process.on('SIGINT', () => {}); // whoever hands out seeds decides
  process.on('message', async ({ from, to }: { readonly from: number; readonly to: number }) => {
    if (from >= to) {
      process.disconnect();
      return;
    }
    const outcomes: Outcome[] = [];
    for (let seed = from; seed < to; seed++) outcomes.push(await simulate(seed, world));
    process.send?.({ outcomes });
  });
  process.send?.('ready');
}

if (values.worker) await work();
else {
  const isGood =
    values.seed === undefined
      ? await runAll(whole('from', values.from), whole('seeds', values.seeds), whole('workers', values.workers))
      : await replay(whole('seed', values.seed));
  process.exitCode = isGood ? 0 : 1;
}
