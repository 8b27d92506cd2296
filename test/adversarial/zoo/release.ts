/** Lets one animal at a node and waits for the verdict. */
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostilePeer } from '../../../src/drill/hostile-peer.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import type { PeerLine } from '../../support/node-process.ts';
import type { Animal, ClientAnimal, OutsiderAnimal, PeerAnimal } from './animal.ts';
import { isServing } from './judges.ts';
import type { Victim } from './victim.ts';

const LOOK_EVERY_MS = 50;
/** A peer that is not let in yet is refused: it calls again. */
const CALL_AGAIN_MS = 200;

export interface Verdict {
  readonly animal: string;
  /** What was not as it should be. */
  readonly findings: readonly string[];
  readonly seconds: number;
  /** How much the node’s resident memory had grown at most, MiB; null where it cannot be seen. */
  readonly grownMiB: number | null;
}

export interface Cage {
  /** Puts the animal's peer file where the node finds it. @returns how to take it away */
  readonly admit: (name: string, file: PeerLine) => Promise<() => void> | (() => void);
  /** Where the animal listens. */
  readonly host: string;
  readonly deadlineMs: number;
}

/** @returns once the verdict is reached, or the deadline is over */
export async function release(
  animal: PeerAnimal | OutsiderAnimal | ClientAnimal,
  victim: Victim,
  cage: Cage,
): Promise<Verdict> {
  const startMs = performance.now();
  const watched = watchMemory(victim);
  try {
    const findings = animal.kind === 'peer' ? await asPeer(animal, victim, cage) : await animal.attack(victim);
    const after = await isServing(victim);
    return { animal: animal.name, findings: [...findings, ...after], ...measured(startMs, watched.stop()) };
  } finally {
    watched.stop();
  }
}

/** Lets an animal at a copy of the folder of a node that does not run. */
export async function releaseInto(animal: Extract<Animal, { kind: 'insider' }>, dir: string): Promise<Verdict> {
  const startMs = performance.now();
  const root = mkdtempSync(join(tmpdir(), 'peerd-zoo-'));
  try {
    const copy = join(root, 'data');
    cpSync(dir, copy, { recursive: true });
    const findings = await animal.attack({ dir: copy });
    return { animal: animal.name, findings, ...measured(startMs, null) };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function asPeer(animal: PeerAnimal, victim: Victim, cage: Cage): Promise<readonly string[]> {
  // Somebody new each time: what a node keeps of one drill does not decide the next.
  const mark = randomBytes(6).toString('hex');
  const authority = `${animal.name.slice(0, 30)}-${mark}.zoo.example`;
  const behaviour = animal.behaviour(authority);
  behaviour.log.receiver = victim.options.nodeId;
  const peer = new HostilePeer(`${animal.name} ${randomBytes(32).toString('hex')}`, behaviour);
  const { nodeId, peerId, address, logKey } = await peer.listen(cage.host);
  const expected = animal.isImpostor ? (await identityFromSeed(randomBytes(32))).peerId : peerId;
  const file = { nodeId, peerId: expected, addresses: [bare(address)], logKey, ...animal.grants };
  const remove = await cage.admit(`zoo-${mark}`, file);
  const endMs = performance.now() + cage.deadlineMs;
  try {
    await letIn(victim, nodeId, endMs);
    if (animal.isMetFirst) await met(victim, nodeId, endMs);
    const seen = behaviour.call === undefined ? [] : await call(peer, victim, endMs);
    return [...seen, ...(animal.judge === undefined ? [] : await judged(animal.judge, victim, nodeId, endMs))];
  } finally {
    remove();
    await peer.close();
  }
}

/** An address says itself whom it leads to, and a file that says otherwise is not taken. */
function bare(address: string): string {
  return address.replace(/\/p2p\/.*$/, '');
}

/** Whoever calls before is a stranger, and what is done to strangers is no verdict. Without a key nobody can tell. */
async function letIn(victim: Victim, nodeId: string, endMs: number): Promise<void> {
  for (; performance.now() < endMs; await sleep(LOOK_EVERY_MS))
    if ((await victim.get(`/v1/federation/peers/${encodeURIComponent(nodeId)}`)).status !== 404) return;
  throw new Error(`the peer file of ${nodeId} was not taken in time`);
}

/** Until the node has its declaration: over a connection that comes from elsewhere it would ask in vain. */
async function met(victim: Victim, nodeId: string, endMs: number): Promise<void> {
  for (; performance.now() < endMs; await sleep(LOOK_EVERY_MS)) {
    const { body } = await victim.get(`/v1/federation/peers/${encodeURIComponent(nodeId)}`);
    if (body.pinned_log_key !== null) return;
  }
  throw new Error(`the declaration of ${nodeId} was not taken in time`);
}

async function call(peer: HostilePeer, victim: Victim, endMs: number): Promise<readonly string[]> {
  for (let last = 'nothing'; ; await sleep(CALL_AGAIN_MS)) {
    if (performance.now() > endMs) return [`it could not call: ${last}`];
    try {
      const seen = await peer.call(victim.options);
      return Array.isArray(seen) ? seen.map(String) : [`its call came to ${String(seen)}`];
    } catch (error) {
      last = String(error);
    }
  }
}

async function judged(
  judge: NonNullable<PeerAnimal['judge']>,
  victim: Victim,
  nodeId: string,
  endMs: number,
): Promise<readonly string[]> {
  for (; performance.now() < endMs; await sleep(LOOK_EVERY_MS)) {
    const finding = await judge(victim, nodeId);
    if (finding !== null) return finding;
  }
  const { body } = await victim.get(`/v1/federation/peers/${encodeURIComponent(nodeId)}`);
  const { state, waiting_on, last_error, accepted, refused } = body;
  return [`no verdict in time; the node says: ${JSON.stringify({ state, waiting_on, last_error, accepted, refused })}`];
}

function watchMemory(victim: Victim): { readonly stop: () => number | null } {
  const before = victim.memoryMiB();
  let most = before ?? 0;
  const look = (): void => {
    most = Math.max(most, victim.memoryMiB() ?? 0);
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return before === null ? null : most - before;
    },
  };
}

function measured(startMs: number, grownMiB: number | null): Pick<Verdict, 'seconds' | 'grownMiB'> {
  return { seconds: (performance.now() - startMs) / 1000, grownMiB };
}
