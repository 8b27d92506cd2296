/**
 * The process that fuzzes. Started by `run-fuzz.ts` with a small heap and `--expose-gc`:
 * `fuzz-child.ts <seed> <seconds> <runs> <target or *> <execution or -1> <progress file>`
 */
import { openSync, writeSync } from 'node:fs';
import { openFolderTargets } from './folder-targets.ts';
import { FRAME_TARGET } from './frame-target.ts';
import { KEPT_TARGETS } from './kept-targets.ts';
import { mutate } from './mutate.ts';
import { NOTE_TARGETS } from './note-targets.ts';
import { ONBOARDING_TARGETS } from './onboarding-targets.ts';
import { PAGE_TARGETS } from './page-targets.ts';
import { PURE_TARGETS } from './pure-targets.ts';
import { Random } from './random.ts';
import type { Finding, FuzzReport, TargetReport } from './report.ts';
import type { Target } from './target.ts';

const SLICE_MS = 150;
/** What reads and writes a folder takes longer for each input and gets more time. */
const IO_SLICE_MS = 450;
const LIMIT_MS = 500;
const MAX_FINDINGS_PER_TARGET = 5;
const MAX_HEAP_GROWTH_MIB = 64;
/** Caches and lazily compiled code fill in the first looks; growth counts from here. */
const WARM_UP_ROUNDS = 3;
const SHOWN_BYTES = 8_192;

const [seed = '', seconds = '0', runs = '0', only = '*', execution = '-1', progressFile = ''] = process.argv.slice(2);
const progress = openSync(progressFile, 'w');
const findings: Finding[] = [];

interface Running {
  readonly target: Target;
  executions: number;
  slowestMs: number;
  slowestBytes: number;
  slowestExecution: number;
  findings: number;
}

/** An input depends on seed, target and number alone: any one can be made again without those before it. */
function inputOf({ name, corpus }: Target, number: number): Buffer {
  return mutate(corpus, new Random(`${seed} ${name} ${number}`));
}

async function execute(running: Running, number: number): Promise<void> {
  const { target } = running;
  writeSync(progress, `${target.name} ${number}`.padEnd(64), 0);
  const input = inputOf(target, number);
  const whole = Buffer.from(input);
  try {
    let ms = await timed(target, input);
    if (ms > running.slowestMs) {
      for (let again = 0; again < 2 && ms > running.slowestMs; again++) ms = Math.min(ms, await timed(target, input));
      if (ms > running.slowestMs)
        Object.assign(running, { slowestMs: ms, slowestBytes: input.length, slowestExecution: number });
      const limit = target.limitMs ?? LIMIT_MS;
      if (ms > limit) note(running, number, whole, `took ${ms.toFixed(0)} ms, the limit is ${limit}`);
    }
    if (!whole.equals(input)) note(running, number, whole, 'the input was written to');
  } catch (error) {
    note(running, number, whole, error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  running.executions++;
}

/** Milliseconds: of this thread's own work where that is all there is, of the clock where others have a part in it. */
async function timed(target: Target, input: Buffer): Promise<number> {
  const start = performance.now();
  const cpu = process.threadCpuUsage();
  const working = target.run(input);
  if (working !== undefined) await working;
  if (target.limitMs !== undefined) return performance.now() - start;
  const { user, system } = process.threadCpuUsage(cpu);
  return (user + system) / 1000;
}

function note(running: Running, number: number, input: Buffer, what: string): void {
  running.findings++;
  const shown = what.split('\n').slice(0, 8).join('\n');
  findings.push({
    target: running.target.name,
    execution: number,
    what: shown,
    input: input.subarray(0, SHOWN_BYTES).toString('base64'),
    inputBytes: input.length,
  });
}

function heapMiB(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

/** One slice for each target in turn, so that every length of run is fair to all. @returns heap growth, MiB */
async function fuzz(all: readonly Running[]): Promise<number> {
  const end = performance.now() + Number(seconds) * 1000;
  const most = Number(runs) || Number.POSITIVE_INFINITY;
  let first = 0;
  let last = 0;
  for (let round = 0; ; round++) {
    const active = all.filter((one) => one.executions < most && one.findings < MAX_FINDINGS_PER_TARGET);
    if (active.length === 0 || (Number(seconds) > 0 && performance.now() > end)) break;
    for (const running of active) {
      const until = performance.now() + (running.target.limitMs === undefined ? SLICE_MS : IO_SLICE_MS);
      do await execute(running, running.executions);
      while (performance.now() < until && running.executions < most && running.findings < MAX_FINDINGS_PER_TARGET);
    }
    last = heapMiB();
    if (round <= WARM_UP_ROUNDS) first = last;
    process.send?.({ alive: all.reduce((sum, { executions }) => sum + executions, 0) });
  }
  return last - first;
}

const folder = await openFolderTargets();
const targets = [
  ...PURE_TARGETS,
  ...NOTE_TARGETS,
  ...ONBOARDING_TARGETS,
  ...KEPT_TARGETS,
  ...PAGE_TARGETS,
  FRAME_TARGET,
  ...folder.targets,
].filter(({ name }) => only === '*' || name === only);
const running = targets.map((target) => ({
  target,
  executions: 0,
  slowestMs: 0,
  slowestBytes: 0,
  slowestExecution: 0,
  findings: 0,
}));
let heapGrowthMiB = 0;
if (Number(execution) >= 0) for (const one of running) await execute(one, Number(execution));
else heapGrowthMiB = await fuzz(running);
await folder.close();

if (heapGrowthMiB > MAX_HEAP_GROWTH_MIB)
  findings.push({
    target: '*',
    execution: 0,
    what: `the heap grew by ${heapGrowthMiB.toFixed(0)} MiB`,
    input: '',
    inputBytes: 0,
  });
const report: FuzzReport = {
  seed,
  targets: running.map(({ target, findings: _, ...rest }): TargetReport => ({ target: target.name, ...rest })),
  findings,
  heapGrowthMiB,
  peakRssMiB: process.resourceUsage().maxRSS / 1024,
};
process.send?.({ report }, undefined, undefined, () => process.disconnect());
