/**
 * `node bench/hostile-peer.ts`: what one hostile peer in twenty does to the others. A node with nineteen honest peers, each of
 * which asserts a fact a second; their lag, from there until a reader of the node has them, while one of a hostile kind is a
 * partner and while it is not, in turns and in one run. `control` changes nothing: it shows what the machine does by itself.
 *
 *   --rounds N    turns of each kind (default 6)      --seconds N   of a turn (default 8)
 *   --kinds a,b   only these
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
const CONTROL = 'control';

process.env['STIGMEM_TEST_MAIN'] ??= fileURLToPath(new URL('../dist/main.js', import.meta.url));
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '8' },
    kinds: { type: 'string', default: [CONTROL, ...HOSTILE_KINDS].join(',') },
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
} finally {
  for (const end of after) await end();
}

async function measure(): Promise<void> {
  const names = Array.from({ length: HONEST }, (_, i) => `h${i}`);
  const [node, crowd] = await Promise.all([
    bench.node('victim.example', ['log.level=warn']).then((made) => made.start()),
    HostileProcess.start(bench, CROWD, names),
  ]);
  for (const name of names) node.writePeer(name, crowd.asPeer(name));
  const ending = new AbortController();
  const arrivals: Arrival[] = [];
  const reading = readAll(node, arrivals, ending.signal);
  await bench.until('everybody is heard', () => arrivals.length > 20 * HONEST || undefined);

  console.log('              p50 ms: without  with; p99 ms: without  with; p99 ratio; arrivals measured');
  for (const kind of values.kinds.split(',')) await measureKind(kind, node, arrivals);
  ending.abort();
  await reading;
  await node.stop();
}

/** From when to when a turn was measured. */
interface Turn {
  readonly isWith: boolean;
  readonly fromMs: number;
  readonly toMs: number;
}

async function measureKind(kind: string, node: NodeProcess, arrivals: readonly Arrival[]): Promise<void> {
  const hostile = kind === CONTROL ? null : await HostileProcess.start(bench, CROWD, [kind]);
  const turns: Turn[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const order = round % 2 === 0 ? [false, true] : [true, false];
    for (const isWith of order) turns.push({ isWith, ...(await oneTurn(isWith ? hostile : null, kind, node)) });
  }
  await hostile?.stop();
  // What was asserted at the end of a turn has to have arrived, however late it is.
  await bench.until(
    'the last turn has arrived',
    () => (arrivals.at(-1) !== undefined && isPast(arrivals, turns)) || undefined,
  );
  const lags = (isWith: boolean): readonly number[] =>
    turns
      .filter((turn) => turn.isWith === isWith)
      .flatMap(({ fromMs, toMs }) => arrivals.filter(({ saidMs }) => saidMs >= fromMs && saidMs < toMs))
      .map(({ lagMs }) => lagMs);
  console.log(line(kind, lags(false), lags(true)));
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
