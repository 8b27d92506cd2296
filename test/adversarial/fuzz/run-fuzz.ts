/** Starts the fuzzing process and watches over it from outside: a loop without end cannot report itself. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FuzzReport } from './report.ts';

const CHILD = fileURLToPath(new URL('./fuzz-child.ts', import.meta.url));
/** A round over all targets takes some ten seconds; a process silent for so long hangs. */
const SILENCE_MS = 90_000;
/** Input that is held without bound ends the process instead of passing unseen. */
const MAX_HEAP_MIB = 384;

export interface FuzzOptions {
  readonly seed: string;
  /** How long; without it, `runs` ends the run. */
  readonly seconds?: number;
  /** Most executions of each target. */
  readonly runs?: number;
  readonly target?: string;
  /** Only this execution of each target: to see a finding again. */
  readonly execution?: number;
  readonly onProgress?: (executions: number) => void;
}

/** Runs the fuzzer. A process that hung or died is a finding like any other. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const folder = mkdtempSync(join(tmpdir(), 'peerd-fuzz-'));
  const progressFile = join(folder, 'progress');
  const { seed, seconds = 0, runs = 0, target = '*', execution = -1 } = options;
  const child = fork(CHILD, [seed, String(seconds), String(runs), target, String(execution), progressFile], {
    execArgv: ['--expose-gc', `--max-old-space-size=${MAX_HEAP_MIB}`],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith('STIGMEM_') && name !== 'NODE_OPTIONS'),
    ),
  });
  try {
    return (await watch(child, options)) ?? dead(seed, readFileSync(progressFile, 'utf8').trim());
  } finally {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

function watch(child: ChildProcess, { onProgress }: FuzzOptions): Promise<FuzzReport | undefined> {
  return new Promise((resolve) => {
    let silence: NodeJS.Timeout | undefined;
    const heard = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => child.kill('SIGKILL'), SILENCE_MS);
    };
    let report: FuzzReport | undefined;
    heard();
    child.on('message', (message: { alive?: number; report?: FuzzReport }) => {
      heard();
      if (message.alive !== undefined) onProgress?.(message.alive);
      report ??= message.report;
    });
    child.on('exit', () => {
      clearTimeout(silence);
      resolve(report);
    });
  });
}

function dead(seed: string, last: string): FuzzReport {
  const [target = '?', execution = '0'] = last.split(' ');
  const what = 'the process hung or died in this execution';
  return {
    seed,
    targets: [],
    findings: [{ target, execution: Number(execution), what, input: '', inputBytes: 0 }],
    heapGrowthMiB: 0,
    peakRssMiB: 0,
  };
}

/** The report as lines for people. */
export function reportText({ seed, targets, findings, heapGrowthMiB, peakRssMiB }: FuzzReport): string {
  const lines = targets.map(
    ({ target, executions, slowestMs, slowestBytes, slowestExecution }) =>
      `${target.padEnd(16)} ${String(executions).padStart(10)} runs   slowest ${slowestMs.toFixed(1).padStart(8)} ms, ${slowestBytes} bytes (execution ${slowestExecution})`,
  );
  const total = targets.reduce((sum, { executions }) => sum + executions, 0);
  lines.push(
    `${total} executions, heap ${heapGrowthMiB.toFixed(1)} MiB more at the end, ${peakRssMiB.toFixed(0)} MiB resident at most`,
  );
  for (const { target, execution, what, input, inputBytes } of findings) {
    lines.push(
      `FINDING in ${target}: ${what}`,
      `  again: node test/adversarial/fuzz/fuzz.ts --seed ${seed} --target ${target} --execution ${execution}`,
      `  input, ${inputBytes} bytes: ${input.slice(0, 2_000)}`,
    );
  }
  lines.push(`${findings.length} findings with seed ${seed}`);
  return lines.join('\n');
}
