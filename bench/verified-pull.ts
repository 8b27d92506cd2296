/** Verified pull between two processes over loopback, both on disk: what the product is for. */

import { type BenchNode, fill, indexWords, makeNode, startDaemon, until, writePeer } from './nodes.ts';
import { realFacts } from './real-facts.ts';

export interface PullResult {
  readonly facts: number;
  readonly seconds: number;
  readonly factsPerSecond: number;
  readonly pullerPeakMiB: number;
  readonly pullerCpuSeconds: number;
  readonly serverCpuSeconds: number;
  /** Main loop of the puller while pulling, milliseconds. */
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  readonly source: BenchNode;
  readonly puller: BenchNode;
}

const FEED = 'public';
const NAMESPACES = ['cldr.example', 'mdn.example'];

/** Pulls `count` real facts from a fresh node into another, which has `before` facts of its own already. */
export async function verifiedPull(folder: string, count: number, before = 0): Promise<PullResult> {
  const source = await makeNode(folder, 'cldr.example');
  const puller = await makeNode(folder, 'reader.example');
  const facts = fill(source, realFacts(count));
  indexWords(source);
  if (before > 0) {
    fill(puller, realFacts(before, 'reader.example'));
    indexWords(puller);
  }
  writePeer(source, puller, { address: null, namespaces: [], share: [FEED], accept: [] });
  const server = await startDaemon(source);
  // The grant is there before the puller starts: from its first second on it pulls.
  writePeer(puller, source, { address: server.address, namespaces: NAMESPACES, share: [], accept: [FEED] });
  const client = await startDaemon(puller);
  try {
    const from = { at: performance.now(), server: server.cpu(), client: client.cpu() };
    await client.get('/metrics'); // starts the window of the loop's delay
    const at = await until(
      async () => ((await acceptedBy(client)) >= facts ? performance.now() : undefined),
      100,
      900_000,
    );
    const seconds = (at - from.at) / 1000;
    const delay = await loopDelay(client);
    return {
      facts,
      seconds,
      factsPerSecond: facts / seconds,
      pullerPeakMiB: client.memory().peak,
      pullerCpuSeconds: client.cpu() - from.client,
      serverCpuSeconds: server.cpu() - from.server,
      loopDelayP99Ms: delay.p99 * 1000,
      loopDelayMaxMs: delay.max * 1000,
      source,
      puller,
    };
  } finally {
    await client.stop();
    await server.stop();
  }
}

type Client = Awaited<ReturnType<typeof startDaemon>>;

async function acceptedBy(client: Client): Promise<number> {
  const { peers } = (await (await client.get('/v1/federation/peers')).json()) as {
    peers: readonly { accepted: number; refused: number }[];
  };
  const refused = peers[0]?.refused ?? 0;
  if (refused > 0) throw new Error(`${refused} facts were refused`);
  return peers[0]?.accepted ?? 0;
}

async function loopDelay(client: Client): Promise<{ p99: number; max: number }> {
  const text = await (await client.get('/metrics')).text();
  const at = (quantile: string): number =>
    Number(new RegExp(`event_loop_delay_seconds\\{quantile="${quantile}"\\} (\\S+)`).exec(text)?.[1] ?? Number.NaN);
  return { p99: at('0.99'), max: at('1') };
}
