/**
 * `npm run soak -- --minutes 60`: ten daemons, writes, restarts, lost packets and one hostile peer; samples as CSV, a picture of
 * them, and at the end everything is compared: each acknowledged fact at each node once, and nothing for fsck to find.
 *
 *   --minutes N   how long (default 60)      --nodes N   how many (default 10)
 *   --loss N      percent of the peers' packets that are lost, each way (default 5)
 *   --out DIR     where soak.csv and soak.svg go (default docs)
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Bench } from '../support/node-process.ts';
import type { Lag } from './fact-book.ts';
import { percentile, type Sample, slopePerHour } from './figures.ts';
import { isLie } from './hostile.ts';
import { LOSSY_HOST, losePackets, lossSoFar, runInside } from './loss.ts';
import { NEVER_RESTARTED, pause, SoakMesh } from './mesh.ts';
import { csvOf, pictureOf, type Row } from './table.ts';

const SAMPLE_MS = 10_000;
/** A process grows to its size by then: its heaps, its caches, the code that is compiled. */
const WARM_UP_S = 300;
const ARRIVE_MS = 300_000;
const PACE = {
  batchEveryMs: 30_000,
  maxBatch: 9,
  restartEveryMs: 90_000,
  maxDownMs: 10_000,
  callEveryMs: 10_000,
};

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    nodes: { type: 'string', default: '10' },
    loss: { type: 'string', default: '5' },
    out: { type: 'string', default: fileURLToPath(new URL('../../docs', import.meta.url)) },
  },
});
const outside = await runInside(fileURLToPath(import.meta.url), process.argv.slice(2));
process.exitCode = outside ?? (await soak(Number(values.minutes), Number(values.nodes)));

async function soak(minutes: number, count: number): Promise<number> {
  losePackets(Number(values.loss));
  const ending = new AbortController();
  process.once('SIGINT', () => ending.abort());
  const after: (() => unknown)[] = [];
  const bench = new Bench({ after: (end) => void after.push(end as () => unknown), diagnostic: console.error });
  try {
    const mesh = await SoakMesh.start(bench, { nodes: count, host: LOSSY_HOST, ...PACE });
    mesh.begin();
    const rows = await sample(mesh, minutes * 60_000, ending.signal);
    writeFileSync(join(values.out, 'soak.csv'), csvOf(rows, count));
    writeFileSync(join(values.out, 'soak.svg'), pictureOf(rows, count));
    await mesh.endWork();
    const problems = await settle(mesh);
    report(mesh, rows, problems);
    return problems.length === 0 ? 0 : 1;
  } finally {
    for (const end of after) await end();
  }
}

async function sample(mesh: SoakMesh, ms: number, signal: AbortSignal): Promise<Row[]> {
  const rows: Row[] = [];
  const startMs = performance.now();
  for (let next = SAMPLE_MS; next <= ms && !signal.aborted; next += SAMPLE_MS) {
    await pause(startMs + next - performance.now(), signal);
    const nodes = await Promise.all(
      mesh.nodes.map(async (node, i) => {
        const hostile = await node.peer('hostile').catch(() => undefined);
        const measured = mesh.measure(i);
        return measured === undefined ? undefined : { ...measured, refused: hostile?.refused };
      }),
    );
    rows.push({
      atS: (performance.now() - startMs) / 1000,
      load: loadavg()[0] ?? 0,
      asserted: mesh.book.asserted,
      lags: mesh.book.takeLags(),
      nodes,
    });
  }
  return rows;
}

/** Everything that was acknowledged arrives; then the nodes stop, and their journals are checked. */
async function settle(mesh: SoakMesh): Promise<readonly string[]> {
  const endMs = performance.now() + ARRIVE_MS;
  while (mesh.book.missing(mesh.nodes.length).length > 0 && performance.now() < endMs) await pause(200);
  const problems: string[] = [];
  for (const [i, node] of mesh.nodes.entries()) {
    const { body } = await node.get('/v1/federation/peers');
    for (const peer of body.peers) {
      const judged = peer.cursors[0]?.after ?? 0;
      const lies = peer.name === 'hostile' ? Array.from({ length: judged }, (_, at) => isLie(at + 1)) : [];
      const expected = lies.filter(Boolean).length;
      if (peer.refused !== expected || peer.state === 'suspended')
        problems.push(`n${i} has refused ${peer.refused} of ${peer.name}, expected ${expected}; it is ${peer.state}`);
    }
  }
  await mesh.endReads();
  await mesh.endNodes();
  problems.push(...mesh.book.problems, ...mesh.book.missing(mesh.nodes.length));
  for (const [i, node] of mesh.nodes.entries()) {
    const found = (await node.fsck()).problems;
    problems.push(...found.map((problem) => `fsck of n${i}: ${JSON.stringify(problem)}`));
  }
  return problems;
}

function report(mesh: SoakMesh, rows: readonly Row[], problems: readonly string[]): void {
  const all = rows.flatMap((row) => row.lags);
  const lines = [
    `${mesh.nodes.length} nodes, ${((rows.at(-1)?.atS ?? 0) / 60).toFixed(1)} min, load ${percentile(
      rows.map(({ load }) => load),
      0.5,
    ).toFixed(1)} at the median`,
    `${mesh.book.asserted} facts asserted, each at every node once, ${all.length} arrivals measured`,
    `${mesh.restarts.asked} restarts by SIGTERM, ${mesh.restarts.killed} by SIGKILL; ${mesh.calls} calls of the hostile peer, ${mesh.unanswered} that did not end in a minute`,
    `packets ${JSON.stringify(lossSoFar())}`,
    `lag, both nodes up: ${lagLine(all.filter(({ undisturbed }) => undisturbed))}`,
    `lag, all:           ${lagLine(all)}`,
    ...growthLines(rows, mesh.nodes.length),
    ...problems.slice(0, 20).map((problem) => `PROBLEM: ${problem}`),
    problems.length === 0 ? 'no problem: nothing lost, nothing twice, fsck clean' : `${problems.length} problems`,
  ];
  for (const line of lines) console.log(line);
}

function lagLine(lags: readonly Lag[]): string {
  const ms = lags.map((lag) => lag.ms);
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => percentile(ms, share).toFixed(0));
  return `p50 ${p50} ms, p99 ${p99} ms, max ${max} ms of ${ms.length}`;
}

function growthLines(rows: readonly Row[], count: number): readonly string[] {
  const of = (value: 'rssMiB' | 'handles', from: number, to: number): readonly Sample[] =>
    rows.flatMap(({ atS, nodes }) =>
      nodes
        .slice(from, to)
        .flatMap((one) => (one === undefined ? [] : [{ atS, life: one.life, ageS: one.ageS, value: one[value] }])),
    );
  const line = (name: string, from: number, to: number, warmUpS: number): string => {
    const [rss, handles] = [
      slopePerHour(of('rssMiB', from, to), warmUpS),
      slopePerHour(of('handles', from, to), warmUpS),
    ];
    return `slope, ${name}, from ${warmUpS} s on: RSS ${rss.toFixed(1)} MiB/h, handles ${handles.toFixed(2)}/h`;
  };
  const half = (rows.at(-1)?.atS ?? 0) / 2;
  const handles = of('handles', 0, count).map(({ value }) => value);
  return [
    line('all nodes', 0, count, WARM_UP_S),
    line('never restarted', 0, NEVER_RESTARTED, WARM_UP_S),
    line('never restarted', 0, NEVER_RESTARTED, Math.round(half)),
    `handles: ${percentile(handles, 0)} to ${percentile(handles, 1)}, median ${percentile(handles, 0.5)}`,
  ];
}
