/** What operators of honest nodes do beside granting: facts are erased, peer files are wrong for a while, and put right. */
import type { ErasureOrderName } from '../../src/core/erasure-order.ts';
import { vkeyOf } from '../../src/node/own-keys.ts';
import type { Chance } from './chance.ts';
import { CRASHES, isOfTheDead } from './disk.ts';
import { FOR_EVER } from './grants.ts';
import type { Mesh, SimNode } from './mesh.ts';
import type { AssertedFact } from './model.ts';
import { ORIGIN, PERMIT, READER, RELAY } from './relays.ts';
import { ERASURES } from './writer-data.ts';

const ANNOUNCED_MS = 15_000;
/** Pages of an answer hold five of them. */
const MANY_FACTS = 25;
const LONG_ANSWER_MS = 20_000;
const SLOW_MS = 3_000;
const RESTARTED_MS = 20_000;
/** Behind it a node that has announced a key was started with it. */
export const TAKEN_OVER_MS: number = ANNOUNCED_MS + RESTARTED_MS + 1_000;
const OVERLAPS_MS = [0, 20_000, 86_400_000];
/** Whose namespaces a peer is said to own by mistake. */
const NOBODY = 'nobody.example';
const BY = { actor: 'operator', reason: 'its file was wrong', approves: null };

/** Asks for tombstones of some of the node's own facts; others of its operators, and of its peers, think again. */
export async function erase(mesh: Mesh, node: SimNode, chance: Chance): Promise<void> {
  for (let i = chance.below(3); i >= 0; i--) {
    const own = factsOf(mesh, ({ node: author, erasure }) => author === node.name && erasure === null);
    // When it falls due is read from the clock: a wrong one would put that off for years.
    if (own.length === 0 || node.clock.skewMs !== 0 || (mesh.isRelayed && node.name === ORIGIN)) return;
    const fact = chance.pick(own);
    mesh.fault('erase', node.name);
    const outcome = await order(mesh, node, 'requestTombstone', fact);
    if (outcome !== 'refused') fact.erasure = outcome === 'done' ? 'asked' : 'unsure';
    if (chance.isHit(0.3)) mesh.platform.after(chance.below(20_000), () => void undo(mesh, node, fact));
    for (const other of mesh.nodes) {
      if (other === node || !chance.isHit(0.3)) continue;
      const atMs = ERASURES.undoWindowMs + chance.below(ERASURES.receivedWindowMs + 4_000);
      mesh.platform.after(atMs, () => void hold(mesh, other, fact));
      if (chance.isHit(0.5)) mesh.platform.after(atMs + chance.below(20_000), () => void release(mesh, other, fact));
    }
  }
}

/** Takes one back, within its window or behind it. */
async function undo(mesh: Mesh, node: SimNode, fact: AssertedFact): Promise<void> {
  const outcome = await order(mesh, node, 'undoTombstone', fact);
  if (outcome === 'refused') return;
  mesh.fault('undo', node.name);
  fact.erasure = outcome === 'done' ? 'undone' : 'unsure';
}

/** Keeps a fact of somebody else that is to be erased. */
async function hold(mesh: Mesh, node: SimNode, fact: AssertedFact): Promise<void> {
  if ((await order(mesh, node, 'holdErasure', fact)) === 'refused') return;
  mesh.fault('hold', node.name);
  mesh.model.heldBack.add(`${node.name} ${fact.entity}`);
}

async function release(mesh: Mesh, node: SimNode, fact: AssertedFact): Promise<void> {
  const outcome = await order(mesh, node, 'releaseErasure', fact);
  if (outcome === 'refused') return;
  mesh.fault('release', node.name);
  // What is not known to be released may still be held.
  if (outcome === 'done') mesh.model.heldBack.delete(`${node.name} ${fact.entity}`);
}

async function order(
  mesh: Mesh,
  { running, disk }: SimNode,
  name: ErasureOrderName,
  { factId }: AssertedFact,
): Promise<'done' | 'refused' | 'unknown'> {
  if (running === undefined || factId === null) return 'refused';
  try {
    const given = { approves: null, fact: factId, actor: 'operator', reason: 'it has to go' };
    const { kind } = await running.base.writer.orderErasure(name, given);
    return kind === 'done' ? 'done' : 'refused';
  } catch (error) {
    if (!isOfTheDead(error) && !disk.isFull) throw error;
    mesh.note(`no answer to ${name}`);
    return 'unknown';
  }
}

function factsOf({ model }: Mesh, isMeant: (fact: AssertedFact) => boolean): AssertedFact[] {
  return [...model.asserted.values()].filter((fact) => fact.factId !== null && isMeant(fact));
}

/** A grant ends while a long answer is under way: the partner was away, and comes back to many pages over a slow line. */
export async function endMidway(mesh: Mesh, from: SimNode, chance: Chance): Promise<void> {
  const to = chance.pick(mesh.nodes.filter((other) => other !== from));
  if (mesh.model.grants.ever(from.name, to.name, 'company').length === 0) return;
  mesh.fault('grant ends midway', from.name);
  mesh.network.cut(from.peerId, to.peerId);
  await mesh.assert(from, mesh.newFacts(from, MANY_FACTS, 'company'));
  const endMs = mesh.platform.nowMs() + from.clock.skewMs + chance.below(LONG_ANSWER_MS);
  mesh.regrant(from, to, 'company', { notBeforeMs: null, notAfterMs: endMs });
  mesh.weather.maxDelayMs = SLOW_MS;
  mesh.network.healAll();
}

/** An operator writes another owner into a partner's file: what comes from then on is refused. */
export function misfile(mesh: Mesh, node: SimNode, chance: Chance): void {
  const other = chance.pick(mesh.nodes.filter((one) => one !== node));
  const file = node.files.find(other.name);
  if (file === undefined) return;
  mesh.fault('wrong peer file', node.name);
  mesh.model.misfiled.add(`${node.name} ${other.name}`);
  node.files.edit({ ...file, namespaces: [NOBODY] });
}

/** It is put right, and what was refused is judged again. */
export async function correct(mesh: Mesh, node: SimNode): Promise<void> {
  for (const other of mesh.nodes) {
    const file = node.files.find(other.name);
    if (file === undefined || !file.namespaces.includes(NOBODY)) continue;
    node.files.edit({ ...file, namespaces: [file.authority] });
    await retry(mesh, node, other.name);
    // What a relay brought is that peer's page.
    if (mesh.isRelayed && node.name === READER && other.name === ORIGIN) await retry(mesh, node, RELAY);
  }
}

/** As `peer retry` does: until there is nothing behind. */
export async function retry(mesh: Mesh, { disk, name, running }: SimNode, peer: string): Promise<void> {
  try {
    for (let after: number | null = 0; after !== null && running !== undefined; ) {
      const outcome = await running.federation.sessions.retry(peer, after, BY);
      after = outcome.kind === 'retried' ? outcome.report.next : null;
      const taken = outcome.kind === 'retried' ? Object.values(outcome.report.resolved) : [];
      mesh.note(`${name} retries ${peer}: ${outcome.kind} ${taken.reduce((sum, count) => sum + count, 0)}`);
    }
  } catch (error) {
    // Who is held by its guard writes nothing, and says so; nor has a full disk room for the record of a run.
    const isHeld = running?.federation.guard.isClear === false;
    if (!isOfTheDead(error) && !isHeld && !disk.isFull) throw error;
  }
}

/** Whatever was wrong by then has come in: all of it is judged again. */
export async function retryAll(mesh: Mesh): Promise<void> {
  for (const node of mesh.nodes)
    for (const other of mesh.nodes) if (isMisread(mesh, node.name, other.name)) await retry(mesh, node, other.name);
}

/** A key is changed on a node that is stopped for it; a crash may come at each step, and the next start goes on from there. */
export async function rotate(mesh: Mesh, node: SimNode, chance: Chance): Promise<void> {
  // A statement that is dated by a wrong clock holds for as long as that clock was wrong.
  if (node.clock.skewMs !== 0 || node.running?.federation.guard.isClear !== true) return;
  const use = chance.pick(['log', 'log', 'witness', 'node', 'node'] as const);
  const overlapMs = use === 'node' ? ANNOUNCED_MS : chance.pick(OVERLAPS_MS);
  mesh.fault(`rotate ${use}`, node.name);
  if (chance.isHit(0.4)) node.disk.planCrash(chance.pick(CRASHES), chance.below(14));
  await node.rotate(use, overlapMs);
  await node.start();
  if (use === 'node')
    mesh.platform.after(ANNOUNCED_MS + chance.below(RESTARTED_MS), () => void node.stop().then(() => node.start()));
}

/** Who was away when a node key was announced does not know the new one: its operator is told it, and edits the file. */
export async function readdress(mesh: Mesh, { name, files, running }: SimNode): Promise<void> {
  for (const { made, peerId, name: peer } of mesh.nodes) {
    const file = files.find(peer);
    if (file === undefined || file.peerId === peerId) continue;
    const vkey = vkeyOf(
      'node',
      mesh.nodes.find((one) => one.name === peer)?.keys.node.seed ?? made.keys.node.seed,
      made.identity,
    );
    const [statements = []] = (await running?.base.writer.successions([made.nodeId])) ?? [];
    if (statements.some((one) => one.new === vkey)) continue;
    mesh.note(`${name} is told the new node key of ${peer}`);
    files.edit({ ...file, peerId, addresses: [`/memory/${peerId}`] });
  }
}

/** The origin lets its facts be relayed, or no more: a permit that was given holds until it ends. */
export function permit(mesh: Mesh): void {
  const [from, to] = [ORIGIN, RELAY].map((name) => mesh.nodes.find((node) => node.name === name));
  if (!mesh.isRelayed || from === undefined || to === undefined) return;
  const isOpen = mesh.model.grants.written(ORIGIN, RELAY, PERMIT) !== null;
  mesh.fault(isOpen ? 'permit none' : 'permit');
  mesh.regrant(from, to, PERMIT, isOpen ? null : FOR_EVER);
}

/** Also what a relay brought of whom the file is about. */
export function isMisread({ model, isRelayed }: Mesh, reader: string, peer: string): boolean {
  const isByRelay = isRelayed && reader === READER && peer === RELAY && model.misfiled.has(`${READER} ${ORIGIN}`);
  return isByRelay || model.misfiled.has(`${reader} ${peer}`);
}
