/** One run: what happens to a mesh is drawn from the seed, then everything is mended, and then everything has to be right. */
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { Chance } from './chance.ts';
import { CRASHES, isOfTheDead } from './disk.ts';
import { FOR_EVER, type Grant } from './grants.ts';
import { Watch } from './held.ts';
import { checkMesh, isSettled } from './invariants.ts';
import { LIE_NAMES } from './liar.ts';
import { meddler, TRICKS } from './meddler.ts';
import { CALM, type Drawn, Mesh, type SimNode, type World } from './mesh.ts';
import { correct, endMidway, erase, misfile, permit, readdress, retryAll, rotate, TAKEN_OVER_MS } from './operators.ts';
import { lie, PERMIT, RELAYED } from './relays.ts';

const TEN_YEARS_MS = 10 * 365.25 * 86_400_000;
const JUMPS_MS = [TEN_YEARS_MS, -TEN_YEARS_MS, 60_000, -60_000, 3_600_000, -3_600_000];
const SETTLE_EVERY_MS = 5_000;
const SETTLE_FOR_MS = 2 * 3_600_000;
/** Shorter than what is waited before clients ask again for what they were not told of. */
const GRANT_WATCHED_MS = 15_000;
/** The guard of a restored node has to be able to ask everybody. */
const GUARD_MS = 20_000;
const LOOK_EVERY_MS = 500;
/** A check of every hash of three journals costs as much as the rest of a short run. */
const FSCK_EVERY = 4;

export interface Outcome {
  readonly seed: number;
  readonly problems: readonly string[];
  readonly faults: Readonly<Record<string, number>>;
  readonly virtualMs: number;
  readonly steps: number;
  readonly durableSteps: number;
  readonly facts: number;
  /** Of everything that was noted: two runs of a seed have the same. */
  readonly trace: string;
}

/** What a run may do; which of these it does is drawn from the seed too. */
interface Act {
  readonly weight: number;
  readonly run: (mesh: Mesh, node: SimNode, chance: Chance) => Promise<void> | void;
}

export async function simulate(seed: number, world: World, onNote?: (line: string) => void): Promise<Outcome> {
  const hash = createHash('sha256');
  const trace = (line: string): void => {
    hash.update(line);
    onNote?.(line);
  };
  const split = seed % 4 === 1;
  const drawn = { liar: seed % 3 !== 0, split, relay: !split && seed % 5 < 2 };
  const mesh = new Mesh(world, seed, trace, drawn);
  mesh.platform.install();
  // Node ends a process for a rejection that nobody takes. Those of a process that is gone already harm nobody.
  const onRejection = (error: unknown): void => {
    if (!isOfTheDead(error)) mesh.problem(`a rejection that nobody takes: ${stackOf(error)}`);
  };
  process.on('unhandledRejection', onRejection);
  try {
    await mesh.start();
    await happen(mesh, actsOf(mesh.chance, drawn));
    await mend(mesh);
    await settle(mesh);
    for (const node of mesh.nodes) await finish(mesh, node.stop());
    if (mesh.platform.isBusy) mesh.problem('something asked again without a pause for ten seconds');
    checkMesh(mesh, seed % FSCK_EVERY === 0);
  } catch (error) {
    mesh.problem(stackOf(error));
  } finally {
    for (const { running } of mesh.nodes) running?.abandon();
    await mesh.platform.advance(1);
    mesh.platform.uninstall();
    process.off('unhandledRejection', onRejection);
    rmSync(mesh.folder, { recursive: true, force: true });
  }
  return {
    seed,
    problems: mesh.problems,
    faults: Object.fromEntries(mesh.faults),
    virtualMs: mesh.platform.elapsedMs,
    steps: mesh.platform.steps,
    durableSteps: mesh.nodes.reduce((sum, { disk }) => sum + disk.steps, 0),
    facts: mesh.model.asserted.size + mesh.model.told.length,
    trace: hash.digest('hex'),
  };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function happen(mesh: Mesh, acts: readonly Act[]): Promise<void> {
  const { chance, platform } = mesh;
  const count = 4 + chance.below(14);
  const total = acts.reduce((sum, { weight }) => sum + weight, 0);
  await platform.advance(chance.below(3_000));
  for (let i = 0; i < count; i++) {
    const act = chosen(acts, chance.below(total));
    await finish(mesh, Promise.resolve(act?.run(mesh, chance.pick(mesh.nodes), chance)));
    await platform.advance(chance.isHit(0.1) ? chance.below(40_000) : chance.below(2_500));
  }
}

function chosen(acts: readonly Act[], at: number): Act | undefined {
  let end = 0;
  return acts.find(({ weight }) => {
    end += weight;
    return at < end;
  });
}

/** Time has to pass for what is awaited. */
async function finish(mesh: Mesh, work: Promise<void>): Promise<void> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  for (let i = 0; !isOver; i++) {
    if (i > 10_000) throw new Error('something waits without end');
    await mesh.platform.advance(i < 100 ? 5 : 500);
  }
  await over;
}

/** What clients and partners do whatever else goes wrong. */
const IN_EACH: ReadonlySet<string> = new Set(['assert', 'greed']);

/** Acts of meshes with a relay. */
const RELAYING: ReadonlySet<string> = new Set(['permit', 'relayLie']);

/** Acts that mean little without another one are drawn with it. */
const TOGETHER: Readonly<Record<string, string>> = { correct: 'misfile', endMidway: 'regrant' };

/** Each run has its own mixture, so that some are about one kind of fault alone. */
function actsOf(chance: Chance, { split, relay }: Drawn): readonly Act[] {
  const drawn = new Map<string, boolean>();
  return Object.entries(ACTS).map(([name, { weight, run }]) => {
    const kind = TOGETHER[name] ?? name;
    const isDrawn = IN_EACH.has(kind) || (drawn.get(kind) ?? chance.isHit(0.35));
    drawn.set(kind, isDrawn);
    // Of a split mesh an old copy cannot be completed: some of it was shown to nobody else.
    const isRestore = name === 'restore' && split;
    // A permit that was dated by a wrong clock holds until that clock would be right.
    const isLeftOut = isRestore || (relay ? name === 'jump' : RELAYING.has(name));
    return { weight: isDrawn && !isLeftOut ? weight : 0, run };
  });
}

const ACTS: Readonly<Record<string, Act>> = {
  // Before the others, as a copy from before a change has no key that anybody believes.
  rotate: { weight: 6, run: rotate },
  assert: {
    weight: 14,
    run: (mesh, node, chance) => {
      const facts = mesh.newFacts(node, 1 + chance.below(7), chance.isHit(0.7) ? 'public' : 'company');
      void mesh.assert(node, facts);
    },
  },
  weather: {
    weight: 3,
    run: ({ weather, chance }) => {
      weather.maxDelayMs = chance.pick([5, 100, 2_000, 12_000]);
      weather.loss = chance.pick([0, 0, 0.01, 0.05]);
      weather.reset = chance.pick([0, 0, 0.01, 0.05]);
      weather.repeat = chance.pick([0, 0.02, 0.2]);
    },
  },
  part: {
    weight: 4,
    run: (mesh, node, chance) => {
      const other = chance.pick(mesh.nodes);
      if (other === node) return;
      mesh.fault('partition');
      mesh.network.cut(node.peerId, other.peerId);
    },
  },
  rejoin: { weight: 3, run: ({ network }) => network.healAll() },
  crash: {
    weight: 6,
    run: async (_mesh, node, chance) => {
      if (node.isDown) await node.start();
      else node.disk.planCrash(chance.pick(CRASHES), chance.below(12));
    },
  },
  kill: {
    weight: 2,
    run: async (_mesh, node) => {
      if (node.isDown) await node.start();
      else node.disk.die('after');
    },
  },
  start: { weight: 5, run: (_mesh, node) => node.start() },
  restart: {
    weight: 2,
    run: async (mesh, node) => {
      mesh.fault('restart');
      await node.stop();
      await node.start();
    },
  },
  fill: {
    weight: 3,
    run: (mesh, node) => {
      if (!node.disk.isFull) mesh.fault('disk full');
      node.disk.setFull(!node.disk.isFull);
    },
  },
  jump: {
    weight: 2,
    run: (mesh, node, chance) => {
      mesh.fault('clock jump');
      mesh.skew(node, node.clock.skewMs === 0 ? chance.pick(JUMPS_MS) : 0);
    },
  },
  restore: {
    weight: 2,
    run: async (mesh, node, chance) => {
      const copy = node.disk.copy(`copy-${mesh.platform.steps}`);
      for (let i = chance.below(4); i >= 0; i--) {
        void mesh.assert(node, mesh.newFacts(node, 1 + chance.below(4), 'public'));
        await mesh.platform.advance(chance.below(4_000));
      }
      mesh.fault('restore', node.name);
      await restore(mesh, node, copy);
    },
  },
  regrant: {
    weight: 7,
    run: (mesh, from, chance) => {
      const to = chance.pick(mesh.nodes.filter((other) => other !== from));
      const isRelay = mesh.model.grants.ever(from.name, to.name, RELAYED).length > 0;
      const feed = isRelay ? RELAYED : chance.pick(['public', 'company', 'company'] as const);
      // Of a split mesh what was never shared stays so.
      if (mesh.model.grants.ever(from.name, to.name, feed).length === 0) return;
      const nowMs = mesh.platform.nowMs() + from.clock.skewMs;
      const [kind, grant] = chance.pick<readonly [string, Grant | null]>([
        ['none', null],
        ['for ever', FOR_EVER],
        ['for a time', { notBeforeMs: null, notAfterMs: nowMs + chance.below(10_000) }],
        ['for a time', { notBeforeMs: null, notAfterMs: nowMs + chance.below(10_000) }],
        ['from then on', { notBeforeMs: nowMs + chance.below(10_000), notAfterMs: null }],
      ]);
      mesh.fault(`grant ${kind}`);
      mesh.regrant(from, to, feed, grant);
      // Around the moment at which it ends or begins.
      for (let i = chance.below(3); i >= 0; i--)
        mesh.platform.after(chance.below(GRANT_WATCHED_MS), () => {
          void mesh.assert(from, mesh.newFacts(from, 1 + chance.below(3), feed === 'company' ? feed : 'public'));
        });
    },
  },
  endMidway: { weight: 4, run: endMidway },
  erase: { weight: 7, run: erase },
  permit: { weight: 4, run: permit },
  relayLie: { weight: 4, run: (mesh, _node, chance) => lie(mesh, chance) },
  misfile: { weight: 4, run: misfile },
  correct: { weight: 3, run: correct },
  meddle: {
    weight: 2,
    run: (mesh, node, chance) => {
      const { running } = node;
      if (running === undefined) return;
      const trick = chance.pick(TRICKS);
      mesh.fault(`meddle ${trick}`);
      mesh.model.meddled.add(node.name);
      if (trick === 'others') mesh.model.misdirected.add(node.name);
      running.transport.meddle = running.transport.meddle === undefined ? meddler(trick, chance) : undefined;
    },
  },
  tell: {
    weight: 8,
    run: ({ liar }, _node, chance) => {
      for (let i = chance.below(5); i >= 0; i--) liar?.tell(chance.isHit(0.3) ? chance.pick(LIE_NAMES) : null);
    },
  },
  greed: {
    weight: 4,
    run: (mesh, node, chance) => {
      if (mesh.liar === undefined) return;
      mesh.fault('greed');
      for (let i = chance.below(3); i >= 0; i--) mesh.liar.ask(node.peerId, chance);
    },
  },
  page: {
    weight: 2,
    run: (mesh, _node, chance) => {
      if (mesh.liar === undefined) return;
      mesh.liar.page = chance.pick(['none', 'none', 'rollback', 'garbage', 'endless', 'silence']);
      if (mesh.liar.page !== 'none') mesh.fault(`liar ${mesh.liar.page}`);
    },
  },
  equivocate: {
    weight: 1,
    run: (mesh, node) => {
      if (mesh.liar?.equivocate([node.peerId]) !== true) return;
      mesh.fault('equivocation');
      mesh.model.equivocatedAt = mesh.platform.elapsedMs;
    },
  },
};

/** An operator puts an old copy back, with the network as it should be then: the guard can do its work. */
async function restore(mesh: Mesh, node: SimNode, copy: string): Promise<void> {
  node.disk.die('after');
  mesh.model.restored.add(node.name);
  calm(mesh);
  for (const other of mesh.nodes) if (other !== node) await finish(mesh, other.start());
  await mesh.platform.advance(GUARD_MS);
  await finish(mesh, node.start(copy));
  await mesh.platform.advance(GUARD_MS);
}

function calm(mesh: Mesh): void {
  Object.assign(mesh.weather, CALM);
  mesh.network.healAll();
  for (const { disk, running } of mesh.nodes) {
    disk.setFull(false);
    // One that was planned before would take a peer away that the guard has to ask.
    disk.planCrash('after', Number.POSITIVE_INFINITY);
    if (running !== undefined) running.transport.meddle = undefined;
  }
  if (mesh.liar !== undefined) mesh.liar.page = 'none';
}

/** Every fault ends, every node runs, clients ask again for what they were not told of, operators resume honest peers. */
async function mend(mesh: Mesh): Promise<void> {
  calm(mesh);
  for (const node of mesh.nodes) {
    mesh.skew(node, 0);
    await finish(mesh, node.start());
  }
  if (mesh.faults.has('rotate node')) {
    // Who had announced one comes with it by then.
    await mesh.platform.advance(TAKEN_OVER_MS);
    for (const node of mesh.nodes) await finish(mesh, readdress(mesh, node));
  }
  grantAgain(mesh);
  await untilClear(mesh);
  for (const node of mesh.nodes) await finish(mesh, correct(mesh, node));
  for (const node of mesh.nodes) {
    const open = [...mesh.model.asserted.values()].filter((fact) => fact.node === node.name && !fact.acknowledged);
    if (open.length > 0) await finish(mesh, mesh.assert(node, open));
  }
  meetAnew(mesh);
}

/** Keys that have changed are told at a greeting, and one that is good for long is not asked for again. */
function meetAnew({ nodes }: Mesh): void {
  for (const { running } of nodes) for (const { peerId } of nodes) running?.federation.sessions.contact(peerId);
}

/** Until every restore guard lets its node write, or has had the time for it. */
async function untilClear({ nodes, platform }: Mesh): Promise<void> {
  const isClear = (): boolean => nodes.every(({ running }) => running?.federation.guard.isClear === true);
  for (const endMs = platform.elapsedMs + GUARD_MS; !isClear() && platform.elapsedMs < endMs; )
    await platform.advance(LOOK_EVERY_MS);
}

/** What has not begun begins now, and of what has ended some is opened again: then all of it has to arrive. */
function grantAgain(mesh: Mesh): void {
  for (const from of mesh.nodes)
    for (const to of mesh.nodes)
      for (const feed of ['public', 'company', PERMIT, RELAYED]) {
        if (from === to || mesh.model.grants.ever(from.name, to.name, feed).length === 0) continue;
        const toCome = (mesh.model.grants.written(from.name, to.name, feed)?.notBeforeMs ?? 0) > mesh.platform.nowMs();
        const isClosed = !mesh.mayRead(from.name, to.name, feed);
        if (toCome || (isClosed && mesh.chance.isHit(0.6))) mesh.regrant(from, to, feed, FOR_EVER);
      }
}

async function settle(mesh: Mesh): Promise<void> {
  const endMs = mesh.platform.elapsedMs + SETTLE_FOR_MS;
  using watch = new Watch();
  while (mesh.platform.elapsedMs < endMs) {
    for (const node of mesh.nodes) await finish(mesh, resumeMeddled(mesh, node));
    if (isSettled(mesh, watch)) break;
    await mesh.platform.advance(SETTLE_EVERY_MS);
  }
  // What came in under a wrong file, and only then; a page that was being judged when it was put right comes behind.
  for (let round = 0; round < 2; round++) {
    await finish(mesh, retryAll(mesh));
    do await mesh.platform.advance(SETTLE_EVERY_MS);
    while (mesh.platform.elapsedMs < endMs && !isSettled(mesh, watch));
  }
  for (const { name, running } of mesh.nodes) {
    mesh.note(`${name}: guard ${JSON.stringify(running?.federation.guard.status())}`);
    for (const status of running?.federation.sessions.list() ?? []) mesh.note(`${name}: ${JSON.stringify(status)}`);
  }
}

async function resumeMeddled(mesh: Mesh, node: SimNode): Promise<void> {
  const sessions = node.running?.federation.sessions;
  for (const { name, state } of sessions?.list() ?? [])
    if (state === 'suspended' && mesh.model.meddled.has(name))
      await sessions?.resume(name, { actor: 'operator', reason: '', approves: null });
}
