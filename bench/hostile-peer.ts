/**
 * `node bench/hostile-peer.ts`: what one hostile peer in twenty does to the others. A node with nineteen honest peers, each of
 * which asserts two facts a second; their lag, from there until a reader of the node has them. Each round has three turns, in
 * an order that changes: one with a hostile peer, of the next kind, and two without. The one without is the baseline, the other
 * one, `control`, shows what the machine does by itself.
 *
 *   --rounds N    (default 36: each kind of the six with each of the three first, twice)      --seconds N   of a turn (default 7)
 *   --kinds a,b   only these
 *   --apart       the hostile process takes what the others leave of the processor, as if it had its own machine
 */
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { percentile } from '../test/soak/figures.ts';
import { HostileProcess } from '../test/support/hostile-process.ts';
import { Bench, type NodeProcess } from '../test/support/node-process.ts';
import { HONEST, HOSTILE_KINDS, preciseNowMs } from './crowd.ts';

const CROWD = new URL('./crowd.ts', import.meta.url).href;
/** What begins or ends with a turn is not measured. */
const SETTLE_MS = 1_500;
const CALL_PAUSE_MS = 200;
const REDRAWN = 1_000;
const TURNS = ['without', 'with', 'control'] as const;

process.env['STIGMEM_TEST_MAIN'] ??= fileURLToPath(new URL('../dist/main.js', import.meta.url));
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '36' },
    seconds: { type: 'string', default: '7' },
    kinds: { type: 'string', default: HOSTILE_KINDS.join(',') },
    apart: { type: 'boolean', default: false },
  },
});

interface Arrival {
  /** Node id's host. */
  readonly by: string;
  readonly saidMs: number;
  readonly lagMs: number;
}

const after: (() => unknown)[] = [];
const bench = new Bench({ after: (end) => void after.push(end as () => unknown), diagnostic: console.error });
try {
  await measure();
} catch (error) {
  console.error(bench.tails());
  throw error;
} finally {
  for (const end of after) await end();
}

async function measure(): Promise<void> {
  const names = Array.from({ length: HONEST }, (_, i) => `h${i}`);
  const kinds = values.kinds.split(',');
  const [node, crowd, hostile] = await Promise.all([
    bench.node('victim.example', ['log.level=warn']).then((made) => made.start()),
    HostileProcess.start(bench, CROWD, names),
    HostileProcess.start(bench, CROWD, kinds),
  ]);
  if (values.apart) hostile.giveWay();
  for (const name of names) node.writePeer(name, crowd.asPeer(name));
  const ending = new AbortController();
  const arrivals: Arrival[] = [];
  const reading = readAll(node, arrivals, ending.signal);
  reading.catch(() => undefined);
  await bench.until('everybody is heard', () => arrivals.length > 20 * HONEST || undefined);
  const turns = await Promise.race([allTurns(node, hostile, kinds), reading.then(() => [])]);
  // What was asserted at the end of a turn has to have arrived, however late it is.
  await bench.until('the last turn has arrived', () => isPast(arrivals, turns) || undefined);
  ending.abort();
  await reading;
  await node.stop();
  tell(kinds, turns, arrivals);
}

/** From when to when a turn was measured. */
interface Turn {
  readonly is: (typeof TURNS)[number];
  /** Of its round. */
  readonly kind: string;
  readonly fromMs: number;
  readonly toMs: number;
}

async function allTurns(node: NodeProcess, hostile: HostileProcess, kinds: readonly string[]): Promise<Turn[]> {
  const turns: Turn[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const kind = kinds[round % kinds.length] ?? '';
    // Each of the three comes first in turn, with each kind.
    const first = Math.floor(round / kinds.length) % TURNS.length;
    for (let i = 0; i < TURNS.length; i++) {
      const is = TURNS[(first + i) % TURNS.length] ?? 'without';
      turns.push({ is, kind, ...(await oneTurn(is === 'with' ? hostile : null, kind, node)) });
    }
  }
  return turns;
}

function tell(kinds: readonly string[], turns: readonly Turn[], arrivals: readonly Arrival[]): void {
  const lags = (of: readonly Turn[]): readonly number[] =>
    of.flatMap(({ fromMs, toMs }) =>
      arrivals.filter(({ saidMs }) => saidMs >= fromMs && saidMs < toMs).map(({ lagMs }) => lagMs),
    );
  const baseline = turns.filter(({ is }) => is === 'without');
  console.log('              p50 ms: without  with; p99 ms: without  with; p99 ratio; facts measured');
  for (const kind of kinds)
    console.log(
      line(
        kind,
        lags(turns.filter((turn) => turn.kind === kind && turn.is !== 'with')),
        lags(turns.filter((turn) => turn.kind === kind && turn.is === 'with')),
      ),
    );
  for (const is of ['with', 'control'] as const) {
    const during = turns.filter((turn) => turn.is === is);
    const name = is === 'with' ? 'all kinds' : is;
    console.log(`${line(name, lags(baseline), lags(during))}, 90 % of ${interval(baseline, during, lags)}`);
  }
}

/** Whole turns are drawn again: facts of one moment wait for the same thing. @returns "0.93 to 1.08", of the ratio of p99 */
function interval(
  baseline: readonly Turn[],
  during: readonly Turn[],
  lags: (of: readonly Turn[]) => readonly number[],
): string {
  const p99 = (of: readonly (readonly number[])[]): number => {
    const drawn = of.map(() => of[Math.floor(Math.random() * of.length)] ?? []);
    return percentile(drawn.flat(), 0.99);
  };
  const [without, withIt] = [baseline, during].map((of) => of.map((turn) => lags([turn])));
  const ratios = Array.from({ length: REDRAWN }, () => p99(withIt ?? []) / p99(without ?? []));
  return [0.05, 0.95].map((share) => percentile(ratios, share).toFixed(2)).join(' to ');
}

/** Whether each honest peer has been heard with something newer than the last turn. */
function isPast(arrivals: readonly Arrival[], turns: readonly Turn[]): boolean {
  const endMs = turns.at(-1)?.toMs ?? 0;
  return new Set(arrivals.filter(({ saidMs }) => saidMs > endMs).map(({ by }) => by)).size === HONEST;
}

function line(kind: string, without: readonly number[], during: readonly number[]): string {
  const [p50, p50With] = [percentile(without, 0.5), percentile(during, 0.5)];
  const [p99, p99With] = [percentile(without, 0.99), percentile(during, 0.99)];
  const cells = [p50, p50With, p99, p99With].map((ms) => ms.toFixed(1).padStart(9));
  const ratio = (p99With / p99).toFixed(2).padStart(9);
  return `${kind.padEnd(14)}${cells.join(' ')} ${ratio}   ${without.length}+${during.length}, load ${loadavg()[0]?.toFixed(1)}`;
}

/** Those that only answer have nothing to do here. */
async function callAgain(hostile: HostileProcess, kind: string, node: NodeProcess): Promise<void> {
  await hostile.call(kind, node).catch(() => undefined);
  await sleep(CALL_PAUSE_MS);
}

async function oneTurn(
  hostile: HostileProcess | null,
  kind: string,
  node: NodeProcess,
): Promise<Pick<Turn, 'fromMs' | 'toMs'>> {
  if (hostile !== null) node.writePeer(kind, hostile.asPeer(kind, { accept: ['public'], share: ['public'] }));
  await sleep(SETTLE_MS);
  const fromMs = preciseNowMs();
  const endMs = performance.now() + Number(values.seconds) * 1000;
  while (performance.now() < endMs) {
    if (hostile === null) await sleep(Math.max(0, endMs - performance.now()));
    else await Promise.race([callAgain(hostile, kind, node), sleep(1_000)]);
  }
  const toMs = preciseNowMs();
  if (hostile !== null) node.removePeer(kind);
  await sleep(SETTLE_MS);
  return { fromMs, toMs };
}

/** What was asserted at each honest peer, as the node gives it to a reader. */
async function readAll(node: NodeProcess, arrivals: Arrival[], signal: AbortSignal): Promise<void> {
  for (let after = 0; !signal.aborted; ) {
    const { body } = await node.get(`/v1/changes?after=${after}&limit=500&wait_s=1`);
    const nowMs = preciseNowMs();
    for (const { fact } of body.changes) {
      const saidMs = Number(fact.value.v);
      const by = /^stigmem:\/\/(h\d+)\.example\//.exec(fact.entity)?.[1];
      if (by !== undefined) arrivals.push({ by, saidMs, lagMs: nowMs - saidMs });
    }
    after = body.position;
  }
}
