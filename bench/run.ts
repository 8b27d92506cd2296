/**
 * `npm run bench`: verified pull against two baselines, in one run and as ratios, since machines differ and are noisy.
 *
 *   --facts N      facts to pull (default 100,000)
 *   --rounds N     rounds; the median of the ratios is what counts (default 3)
 *   --million      also pulls into a journal of 10^6 entries
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installNeighbour, type NeighbourResult, replicate } from './neighbour.ts';
import { run } from './nodes.ts';
import { type PullResult, verifiedPull } from './verified-pull.ts';

const MILLION = 1_000_000;
const LIMIT = new URL('./pipeline-limit.ts', import.meta.url).pathname;

const { values } = parseArgs({
  options: {
    facts: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    million: { type: 'boolean', default: false },
  },
});
const facts = Number(values.facts);
await installNeighbour();

interface Round {
  readonly pull: PullResult;
  readonly limit: { readonly factsPerSecond: number };
  readonly neighbour: NeighbourResult;
}

const rounds: Round[] = [];
for (let i = 0; i < Number(values.rounds); i++) rounds.push(await inFolder((folder) => oneRound(folder)));
report(rounds);
if (values.million) await reportMillion(rounds);

async function oneRound(folder: string): Promise<Round> {
  const pull = await verifiedPull(folder, facts);
  for (const node of [pull.source, pull.puller]) await run(['fsck', '--data', node.dir, '--json']);
  const limit = JSON.parse(execFileSync(process.execPath, [LIMIT, String(facts), folder], { encoding: 'utf8' }));
  const neighbour = await replicate(folder, facts);
  console.error(
    `round: pull ${per(pull.factsPerSecond)}, limit ${per(limit.factsPerSecond)}, Hypercore ${per(neighbour.recordsPerSecond)}`,
  );
  return { pull, limit, neighbour };
}

function report(all: readonly Round[]): void {
  const ratio = (of: (round: Round) => number): string => median(all.map(of)).toFixed(2);
  const figure = (of: (pull: PullResult) => number): number => median(all.map(({ pull }) => of(pull)));
  console.log(`${facts.toLocaleString('en')} facts, ${all.length} rounds, medians; fsck of both nodes clean in each`);
  console.log(`verified pull                        ${per(figure((pull) => pull.factsPerSecond))}`);
  console.log(
    `against Hypercore, same records      ${ratio(({ pull, neighbour }) => pull.factsPerSecond / neighbour.recordsPerSecond)}`,
  );
  console.log(
    `against the one-thread limit         ${ratio(({ pull, limit }) => pull.factsPerSecond / limit.factsPerSecond)}`,
  );
  console.log(`puller: peak resident memory         ${figure((pull) => pull.pullerPeakMiB).toFixed(0)} MiB`);
  console.log(
    `puller: main loop delay p99 / max    ${figure((pull) => pull.loopDelayP99Ms).toFixed(1)} / ${figure((pull) => pull.loopDelayMaxMs).toFixed(1)} ms`,
  );
  console.log(
    `CPU seconds, puller / server         ${figure((pull) => pull.pullerCpuSeconds).toFixed(1)} / ${figure((pull) => pull.serverCpuSeconds).toFixed(1)}`,
  );
}

async function reportMillion(all: readonly Round[]): Promise<void> {
  const full = await inFolder((folder) => verifiedPull(folder, facts, MILLION));
  const empty = median(all.map(({ pull }) => pull.factsPerSecond));
  console.log(`into 10^6 entries, against empty     ${(full.factsPerSecond / empty).toFixed(2)}`);
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'stigmem-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function per(rate: number): string {
  return `${Math.round(rate).toLocaleString('en')}/s`;
}
