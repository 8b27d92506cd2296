/** The end of a judged demo: everything has arrived, the nodes stop, their files are checked, the verdict is spoken. */
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../exit.ts';
import type { Node } from '../runtime.ts';
import { type Expectation, judge, type NodeFindings } from './judgement.ts';
import { HOSTILE_AUTHORITY } from './lies.ts';
import type { Live } from './live.ts';
import type { Mesh } from './mesh.ts';
import { PROBE_SOURCE } from './probe.ts';
import { CLDR_SOURCE, MDN_SOURCE } from './real-facts.ts';
import type { Tour } from './tour.ts';
import { countFacts } from './watch.ts';

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

/** Waits until every node holds what it has to, or nothing moves any more. */
export async function arrival(mesh: Mesh, tour: Tour, loaded: () => Loaded, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && tour.idleMs() < STALLED_MS) {
    const found = await findings(tour);
    const expected = expectations(mesh, loaded());
    const isThere = judge(
      expected,
      found.map((one) => ({
        ...one,
        refusals: expected.find(({ authority }) => authority === one.authority)?.refusals ?? {},
      })),
    );
    if (isThere.length === 0) return;
    await delay(ASK_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** What the running nodes hold and have refused. */
export async function findings(tour: Tour): Promise<NodeFindings[]> {
  const refusals = tour.refusals();
  return Promise.all(
    tour.orgs().map(async (org) => {
      const sources = [CLDR_SOURCE, MDN_SOURCE, PROBE_SOURCE, MALLORY_SOURCE];
      const counts = await Promise.all(sources.map(async (source) => [source, await countFacts(org, source)] as const));
      const facts = Object.fromEntries(counts);
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
