/** The end of a judged demo: everything has arrived, the nodes stop, their files are checked, the verdict is spoken. */
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../exit.ts';
import type { Node } from '../runtime.ts';
import type { Expectation, FactSum, NodeFindings } from './judgement.ts';
import { HOSTILE_AUTHORITY } from './lies.ts';
import type { Live } from './live.ts';
import type { Mesh } from './mesh.ts';
import type { Org } from './org.ts';
import { PROBE_SOURCE } from './probe.ts';
import { CLDR_SOURCE, MDN_SOURCE } from './real-facts.ts';
import type { Tour } from './tour.ts';
import { feedLengths, sumFacts } from './watch.ts';

/** No fact arriving anywhere for so long means that none will. */
const STALLED_MS = 60_000;
const ASK_MS = 500;
export const MALLORY_SOURCE: string = `stigmem://${HOSTILE_AUTHORITY}/agent/m`;

export interface Loaded {
  readonly cldr: number;
  readonly mdn: number;
  readonly probes: number;
}

/** What each node has to hold and to have refused. */
export function expectations(mesh: Mesh, loaded: Loaded): readonly [Expectation, Expectation, Expectation] {
  const facts = {
    [CLDR_SOURCE]: loaded.cldr,
    [MDN_SOURCE]: loaded.mdn,
    [PROBE_SOURCE]: loaded.probes,
    [MALLORY_SOURCE]: 0,
  };
  const { trueFacts, lies } = mesh.hostile();
  return [
    { authority: mesh.cldr.authority, facts, refusals: {} },
    { authority: mesh.mdn.authority, facts, refusals: {} },
    { authority: mesh.reader.authority, facts: { ...facts, [MALLORY_SOURCE]: trueFacts }, refusals: lies },
  ];
}

/** Waits until every journal is as long as it has to become, or nothing moves any more. */
export async function arrival(mesh: Mesh, tour: Tour, loaded: () => Loaded, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && tour.idleMs() < STALLED_MS) {
    if (await isThere(mesh, loaded())) return;
    await delay(ASK_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function isThere(mesh: Mesh, { cldr, mdn, probes }: Loaded): Promise<boolean> {
  const fromCldr = `from/${mesh.cldr.authority}/public`;
  const fromMdn = `from/${mesh.mdn.authority}/public`;
  const wanted: readonly (readonly [Org, Readonly<Record<string, number>>])[] = [
    [mesh.cldr, { [fromMdn]: mdn }],
    [mesh.mdn, { [fromCldr]: cldr + probes }],
    [
      mesh.reader,
      { [fromCldr]: cldr + probes, [fromMdn]: mdn, [`from/${HOSTILE_AUTHORITY}/public`]: mesh.hostile().trueFacts },
    ],
  ];
  for (const [org, feeds] of wanted) {
    const lengths = await feedLengths(org);
    if (Object.entries(feeds).some(([feed, length]) => (lengths[feed] ?? 0) < length)) return false;
  }
  return true;
}

/** What the running nodes hold and have refused. */
export async function findings(tour: Tour): Promise<NodeFindings[]> {
  const refusals = tour.refusals();
  return Promise.all(
    tour.orgs().map(async (org) => {
      const facts: Record<string, FactSum> = {};
      for (const source of [CLDR_SOURCE, MDN_SOURCE, PROBE_SOURCE, MALLORY_SOURCE])
        facts[source] = await sumFacts(org, source);
      return {
        authority: org.authority,
        facts,
        refusals: refusals[org.authority] ?? {},
        exitCode: 0,
        fsckProblems: [],
      };
    }),
  );
}

/** Stops the three nodes and derives their journals again from the bytes. */
export async function stopAndCheck(
  tour: Tour,
  running: readonly NodeFindings[],
  node: Node,
  live: Live,
): Promise<NodeFindings[]> {
  const exits = await Promise.all(tour.orgs().map(({ child }) => child.stop()));
  const checked: NodeFindings[] = [];
  for (const [index, org] of tour.orgs().entries()) {
    const before = running[index];
    if (before === undefined)
      throw new CliError({ exit: 'refused', message: `nothing was found out about ${org.authority}` });
    live.line(`fsck of ${org.authority} …`);
    const { problems } = await node.runFsck(org.dir, {});
    const fsckProblems = problems.map(
      ({ table, row, field, detail }) => `${table} ${row ?? ''} ${field ?? ''}: ${detail}`,
    );
    checked.push({ ...before, exitCode: exits[index] ?? null, fsckProblems });
  }
  return checked;
}
