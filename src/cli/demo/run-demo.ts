/** The demo from start to end: start four nodes, load, watch, and with `--once` judge. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expectOk } from '../api-failure.ts';
import type { Context, Outcome } from '../cli.ts';
import { CliError, EXITS } from '../exit.ts';
import type { Node } from '../runtime.ts';
import type { Child } from './child.ts';
import { arrival, expectations, findings, type Loaded, stopAndCheck } from './finish.ts';
import { judge } from './judgement.ts';
import { Live } from './live.ts';
import { loadFacts } from './load.ts';
import { type Mesh, startMesh } from './mesh.ts';
import { probe } from './probe.ts';
import { cldrFacts, mdnFacts, requireRealData } from './real-facts.ts';
import { Tour } from './tour.ts';

export interface DemoOptions {
  readonly once: boolean;
  /** Both sources together; Infinity for all there is. */
  readonly facts: number;
  readonly keep: boolean;
}

const PROBE_EVERY_MS = 3_000;
const PROBES_TO_JUDGE = 3;
const ENDING_MS = 1_000;
/** Locales with names, and facts of MDN: what a part of the load is spread over. */
const CLDR_LOCALES = 600;
const MDN_FACTS = 459_000;

/** Runs the demo. Everything it started is stopped and everything it made is removed when it returns. */
export async function runDemo(context: Context, options: DemoOptions): Promise<Outcome> {
  requireRealData();
  const { runtime } = context;
  const folder = mkdtempSync(join(tmpdir(), 'stigmem-peerd-demo-'));
  const live = new Live(context.json ? runtime.stderr : runtime.stdout, runtime);
  const children: Child[] = [];
  const stop = new AbortController();
  const ignore = runtime.onStop(() => {
    if (stop.signal.aborted) {
      // Asked twice: no more waiting, but nothing is left behind either.
      for (const child of children) child.kill();
      if (!options.keep) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      runtime.exit(EXITS.interrupted.code);
    }
    stop.abort();
  });
  try {
    const node = await context.node();
    live.line(`Starting four nodes below ${folder}`);
    const mesh = await startMesh(folder, node, runtime, !options.once, (child) => children.push(child));
    return await guide(context, options, mesh, node, live, stop.signal);
  } catch (thrown) {
    throw (await endOf(children)) ?? thrown;
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    ignore();
    if (options.keep) context.note(`The data folders are in ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

async function guide(
  context: Context,
  options: DemoOptions,
  mesh: Mesh,
  node: Node,
  live: Live,
  signal: AbortSignal,
): Promise<Outcome> {
  const cldr = { asserted: 0, refused: 0 };
  const mdn = { asserted: 0, refused: 0 };
  const loaded = { [mesh.cldr.authority]: cldr, [mesh.mdn.authority]: mdn };
  const tour = new Tour({ mesh, live, nowMs: context.runtime.nowMs, loaded, lookAround: await lookAround(mesh) });
  const looking = new AbortController();
  const looks = tour.run(AbortSignal.any([signal, looking.signal]));
  let probes = 0;
  const soFar = (): Loaded => ({ cldr: cldr.asserted, mdn: mdn.asserted, probes });

  tour.phase = 'loading real facts at cldr.example and mdn.example';
  const half = Math.ceil(options.facts / 2);
  const part = Number.isFinite(half);
  const work = Promise.all([
    loadFacts(mesh.cldr.api, cldrFacts(part ? Math.ceil(half / CLDR_LOCALES) : half), half, cldr, signal),
    loadFacts(mesh.mdn.api, mdnFacts(part ? Math.max(1, Math.floor(MDN_FACTS / half)) : 1), half, mdn, signal),
  ]);
  await untilFirst(work, looks);
  const loadedMs = tour.elapsedMs();
  tour.phase = 'loaded; the last facts are on their way';
  await untilFirst(arrival(mesh, tour, soFar, signal), looks);
  const arrivedMs = tour.elapsedMs();
  while (!signal.aborted && (!options.once || probes < PROBES_TO_JUDGE)) {
    tour.phase = options.once
      ? 'a few single facts'
      : 'everything has arrived; now and then one more fact. Ctrl-C stops';
    tour.propagationMs = await untilFirst(probe(mesh.cldr, mesh.reader, signal), looks);
    probes += 1;
    if (!options.once) await delay(PROBE_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  if (signal.aborted) return stopped(options);
  await arrival(mesh, tour, soFar, signal);
  looking.abort();
  await looks;
  await tour.look();
  live.line('Comparing what the three hold, fact by fact …');
  const expected = expectations(mesh, soFar());
  const found = await stopAndCheck(tour, await findings(tour), node, live);
  const faults = judge(expected, found);
  if (cldr.refused + mdn.refused > 0) faults.push(`${cldr.refused + mdn.refused} of the facts to load were refused`);
  return verdict(context, faults, {
    facts: cldr.asserted + mdn.asserted,
    loadedMs,
    arrivedMs,
    lies: mesh.hostile().lies,
  });
}

/** The work, unless looking at the nodes fails first: then something is wrong that no waiting mends. */
function untilFirst<T>(work: Promise<T>, looks: Promise<void>): Promise<T> {
  return Promise.race([work, looks.then(() => work)]);
}

/** Where to look, and a key to look with. */
async function lookAround(mesh: Mesh): Promise<string[]> {
  const { api, url } = mesh.reader;
  const body = JSON.stringify({ name: 'visitor', permissions: ['read', 'audit.read', 'federate'], days: 1 });
  const { secret } = JSON.parse(expectOk(await api.post('/v1/admin/keys', body))) as { readonly secret: string };
  return [
    `Look around at reader.example with the key ${secret}`,
    `  ${url}/docs`,
    `  curl -H "authorization: Bearer $KEY" "${url}/v1/federation/audit?reason=cid_mismatch"`,
    `  stigmem-peerd status --data ${mesh.reader.dir}`,
  ];
}

/** What failed first: a node that ended by itself makes everything else fail too, often a moment before it is known to have ended. */
async function endOf(children: readonly Child[]): Promise<CliError | null> {
  await Promise.race([delay(ENDING_MS), ...children.map(({ ended }) => ended)]);
  const [end] = children.flatMap((child) => child.ending() ?? []);
  return end === undefined ? null : new CliError({ exit: 'refused', message: end });
}

function stopped({ once, keep }: DemoOptions): Outcome {
  const human = keep
    ? 'Stopped; nothing is left running, and the data folders are kept.'
    : 'Stopped; nothing is left running and nothing is left on disk.';
  return { json: JSON.stringify({ stopped: true }), human, exit: once ? 'interrupted' : 'ok' };
}

interface Sums {
  readonly facts: number;
  readonly loadedMs: number;
  readonly arrivedMs: number;
  readonly lies: Readonly<Record<string, number>>;
}

function verdict(context: Context, faults: readonly string[], sums: Sums): Outcome {
  const { paint } = context.screen;
  const { facts, loadedMs, arrivedMs, lies } = sums;
  const json = JSON.stringify({
    ok: faults.length === 0,
    faults,
    facts,
    loaded_ms: loadedMs,
    arrived_ms: arrivedMs,
    refused: lies,
  });
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
  const human =
    faults.length === 0
      ? `${paint('green', 'As it should be')}: ${facts} facts at three nodes, each once; ${Object.keys(lies).length} kinds of lies refused, each for its reason; every journal clean. Loaded in ${seconds(loadedMs)} s, arrived everywhere after ${seconds(arrivedMs)} s.`
      : `${paint('red', 'Not as it should be')}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`;
  return { json, human, exit: faults.length === 0 ? 'ok' : 'refused' };
}
