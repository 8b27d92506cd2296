/**
 * `node bench/feed-timing.ts`: whether the time of an answer tells a partner of a feed that it was not granted. It asks for
 * gardens in an order that is drawn: one that has facts, one that does not exist, and another one that does not exist. The
 * pair of the last two shows what the machine does by itself.
 *
 * Printed of each pair: medians and 99th percentiles, and how often an answer about the first took longer than one about the
 * second (0.500: it tells nothing), with the number of standard errors that this is away from one half.
 *
 *   --asked N   of each garden (default 3000)     --facts N   in the garden that has some (default 20000)
 */
import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { TransportError } from '../src/transport/errors.ts';
import { identityFromSeed } from '../src/transport/identity.ts';
import { createTransport } from '../src/transport/node.ts';
import type { Transport } from '../src/transport/transport.ts';
import { PULL_PROTOCOL } from '../src/wire/protocols.ts';
import { encodePullRequest } from '../src/wire/pull-request.ts';
import { percentile } from '../test/soak/figures.ts';
import { Bench, type NodeProcess } from '../test/support/node-process.ts';

const LIMITS = { idleMs: 10_000, totalMs: 20_000, maxFrameBytes: 4_194_304 };
const PULL = { accept: ['zstd'], known_size: 0, page_bytes: 524_288, page_entries: 1_000, pages: 64 } as const;
const FACTS_AT_ONCE = 1_000;
/** The protocol may be asked a hundred times a second. */
const PAUSE_MS = 11;
const WARM_UP = 300;
const GARDENS = { exists: 'company/garden-1', absent: 'company/garden-2', other: 'company/garden-3' } as const;
type Garden = keyof typeof GARDENS;
const PAIRS: readonly (readonly [Garden, Garden])[] = [
  ['exists', 'absent'],
  ['other', 'absent'],
];

process.env['STIGMEM_TEST_MAIN'] ??= fileURLToPath(new URL('../dist/main.js', import.meta.url));
const { values } = parseArgs({
  options: { asked: { type: 'string', default: '3000' }, facts: { type: 'string', default: '20000' } },
});

const after: (() => unknown)[] = [];
const bench = new Bench({ after: (end) => void after.push(end as () => unknown), diagnostic: console.error });
try {
  await measure();
} finally {
  for (const end of after) await end();
}

async function measure(): Promise<void> {
  const node = await (await bench.node('a.example', ['log.level=warn', 'gardens=garden-1'])).start();
  for (let from = 0; from < Number(values.facts); from += FACTS_AT_ONCE) await assertFacts(node, from);
  const seed = randomBytes(32);
  const { peerId } = await identityFromSeed(seed);
  node.writePeer('probe', { nodeId: 'stigmem://probe.example', peerId, addresses: [], share: ['public'] });
  const allowed = [{ peerId: node.asPeer({}).peerId, addresses: [node.address] }];
  const asking = await createTransport({ seed, listen: [], allowed: () => allowed });
  try {
    const to = node.asPeer({}).peerId;
    await bench.until('it is let in', () => ask(asking, to, 'exists'));
    tell(await times(asking, to));
  } finally {
    await asking.stop({ graceMs: 0 });
    await node.stop();
  }
}

async function assertFacts(node: NodeProcess, from: number): Promise<void> {
  const facts = Array.from({ length: FACTS_AT_ONCE }, (_, i) => ({
    entity: `${node.nodeId}/host/h${from + i}`,
    relation: 'ops:state',
    value: { type: 'text', v: 'up' },
    source: `${node.nodeId}/operator`,
    scope: 'company',
    garden_id: 'garden-1',
  }));
  const { status, body } = await node.post('/v1/facts', { facts });
  if (status !== 201) throw new Error(`POST /v1/facts: ${status} ${JSON.stringify(body).slice(0, 300)}`);
}

/** Milliseconds from the request to the end of its answer, of each garden. */
async function times(asking: Transport, to: string): Promise<Readonly<Record<Garden, number[]>>> {
  const taken: Record<Garden, number[]> = { exists: [], absent: [], other: [] };
  const names = Object.keys(GARDENS) as Garden[];
  for (let i = 0; i < WARM_UP + Number(values.asked) * names.length; i++) {
    const garden = names[randomInt(names.length)] ?? 'absent';
    const ms = await ask(asking, to, garden);
    if (i >= WARM_UP) taken[garden].push(ms);
    await sleep(PAUSE_MS);
  }
  return taken;
}

async function ask(asking: Transport, to: string, garden: Garden): Promise<number> {
  const request = encodePullRequest({ ...PULL, feeds: [{ feed: GARDENS[garden], after: 0 }] });
  const started = performance.now();
  let frames = 0;
  for await (const _frame of asking.request(to, PULL_PROTOCOL, request, LIMITS)) frames++;
  if (frames !== 1) throw new TransportError('reset', `expected one frame, got ${frames}`);
  return performance.now() - started;
}

function tell(taken: Readonly<Record<Garden, readonly number[]>>): void {
  for (const pair of PAIRS) {
    const [one, other] = pair.map((garden) => taken[garden]) as [readonly number[], readonly number[]];
    const slower = longerShare(one, other);
    const error = Math.sqrt((one.length + other.length + 1) / (12 * one.length * other.length));
    const figures = [0.5, 0.99].flatMap((share) => [one, other].map((all) => percentile(all, share).toFixed(3)));
    console.log(
      `${pair.join(' against ')}: p50 ms ${figures.slice(0, 2).join(', ')}; p99 ms ${figures.slice(2).join(', ')}; ` +
        `longer in ${slower.toFixed(3)} (${((slower - 0.5) / error).toFixed(1)} standard errors); ${one.length}+${other.length} answers`,
    );
  }
}

/** Of all pairs of one of `a` and one of `b`: in which share is that of `a` larger? (Mann–Whitney U) */
function longerShare(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((ms) => ({ ms, isA: true })), ...b.map((ms) => ({ ms, isA: false }))];
  all.sort((x, y) => x.ms - y.ms);
  const ranks = all.reduce((sum, { isA }, i) => sum + (isA ? i + 1 : 0), 0);
  return (ranks - (a.length * (a.length + 1)) / 2) / (a.length * b.length);
}
