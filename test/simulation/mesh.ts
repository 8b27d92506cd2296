/** A mesh in one process: nodes with their disks and clocks, the network between them, and what may go wrong with each. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerFile } from '../../src/config/peer-file.ts';
import type { SeedUse } from '../../src/config/secret-file.ts';
import type { FeedGrant } from '../../src/core/disclosure.ts';
import { EPOCH_MS } from '../../src/drill/peer-log.ts';
import type { OwnKeys } from '../../src/node/own-keys.ts';
import type { AssertRequest } from '../../src/verify/assertion.ts';
import { Chance } from './chance.ts';
import { type CrashKind, Disk, installDisks, isOfTheDead } from './disk.ts';
import { FOR_EVER, type Grant } from './grants.ts';
import { KeysFault, rotateIn } from './keys.ts';
import { Liar, type LiarIdentity, makeLiar } from './liar.ts';
import { type AssertedFact, Model } from './model.ts';
import { Network, type Weather } from './network.ts';
import { type Made, makeNode, PeerFiles, type Running, startNode } from './node.ts';
import { Platform } from './platform.ts';
import { ORIGIN, PERMIT, READER, RELAY, RELAYED } from './relays.ts';

export const NAMES = ['a', 'b', 'c'] as const;
const START_MS = EPOCH_MS + 3_600_000;
export const CALM: Readonly<Weather> = { minDelayMs: 1, maxDelayMs: 20, loss: 0, reset: 0, repeat: 0 };

/** What is the same in every run of this process: keys, and the files of empty journals. */
export interface World {
  readonly root: string;
  readonly made: readonly Made[];
  readonly liar: LiarIdentity;
  remove(): void;
}

export async function makeWorld(): Promise<World> {
  const memory = '/dev/shm';
  const root = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'peerd-sim-'));
  const made = [];
  for (const name of NAMES) made.push(await makeNode(join(root, 'templates'), name));
  installDisks();
  return { root, made, liar: await makeLiar(), remove: () => rmSync(root, { recursive: true, force: true }) };
}

export class SimNode {
  readonly made: Made;
  readonly disk: Disk;
  readonly clock = { skewMs: 0 };
  readonly files: PeerFiles;
  running: Running | undefined;
  /** Of its newest process. */
  keys: OwnKeys;
  isDown = true;
  /** Of each node key that it has had, the newest last. */
  readonly peerIds: Set<string>;
  /** Each key that its log has had; it keeps none for longer than both are good. */
  readonly logKeys: Set<string>;
  readonly #mesh: Mesh;

  constructor(mesh: Mesh, made: Made) {
    this.#mesh = mesh;
    this.made = made;
    this.keys = made.keys;
    this.peerIds = new Set([made.peerId]);
    this.logKeys = new Set([made.keys.log.vkey]);
    this.files = new PeerFiles(mesh.peersOf(made.name));
    this.disk = new Disk(join(mesh.folder, made.name), made.template, mesh.chance, (kind) => this.#onCrash(kind));
  }

  get name(): string {
    return this.made.name;
  }

  /** As its newest process came with. */
  get peerId(): string {
    return [...this.peerIds].at(-1) ?? this.made.peerId;
  }

  /** @param copy an older copy of the folder to start on */
  async start(copy?: string): Promise<void> {
    if (!this.isDown) return;
    this.isDown = false;
    this.disk.reborn(copy);
    const { network, platform } = this.#mesh;
    try {
      const running = await startNode({
        made: this.made,
        disk: this.disk,
        network,
        platform,
        clock: this.clock,
        peers: this.files,
      });
      if (this.isDown) running.abandon();
      else {
        this.running = running;
        this.keys = running.base.keys;
        this.peerIds.delete(running.base.peerId);
        this.peerIds.add(running.base.peerId);
        this.logKeys.add(this.keys.log.vkey);
      }
    } catch (error) {
      // A crash may come while it starts, and the disk be too full for a key that takes over; anything else is a fault of the product.
      if (!this.isDown && !(this.disk.isFull && error instanceof KeysFault))
        this.#mesh.problem(`${this.name} does not start: ${String(error)}`);
      this.isDown = true;
      for (const peerId of this.peerIds) this.network.find(peerId)?.end();
    }
  }

  /** A key is changed while the node is down, which begins a process of its own. */
  async rotate(use: SeedUse, overlapMs: number): Promise<void> {
    await this.stop();
    if (!this.isDown) return;
    this.isDown = false;
    this.disk.reborn();
    try {
      await rotateIn(this.made, this.disk, this.#mesh.platform, use, overlapMs);
    } catch (error) {
      // On a full disk it is not changed, and the operator is told why.
      if (!isOfTheDead(error) && !this.disk.isFull) throw error;
    }
    this.isDown = true;
  }

  get network(): Network {
    return this.#mesh.network;
  }

  async stop(): Promise<void> {
    const { running } = this;
    if (this.isDown || running === undefined) return;
    this.running = undefined;
    await running.stop();
    this.isDown = true;
  }

  #onCrash(kind: CrashKind): void {
    this.#mesh.fault(`crash ${kind}`, this.name);
    this.isDown = true;
    const { running } = this;
    this.running = undefined;
    // Behind the code that is running now: it still has to meet the error.
    if (running !== undefined) this.#mesh.platform.after(0, () => running.abandon());
  }
}

/** What kind of mesh it is. */
export interface Drawn {
  readonly liar: boolean;
  /** Some feeds are shared in one direction alone. */
  readonly split: boolean;
  /** One node gets another's public facts by the third alone. */
  readonly relay: boolean;
}

export class Mesh {
  readonly folder: string;
  readonly chance: Chance;
  readonly platform: Platform;
  readonly network: Network;
  readonly weather: Weather;
  readonly model: Model = new Model(START_MS);
  readonly nodes: readonly SimNode[];
  readonly liar: Liar | undefined;
  readonly faults: Map<string, number> = new Map();
  readonly problems: string[] = [];
  readonly #world: World;
  readonly #trace: (line: string) => void;
  readonly isRelayed: boolean;
  readonly #hasLiar: boolean;
  #facts = 0;

  constructor(world: World, seed: number, trace: (line: string) => void, options: Drawn) {
    this.#world = world;
    this.#trace = trace;
    this.folder = join(world.root, `run-${process.pid}-${seed}`);
    this.chance = new Chance(seed);
    this.platform = new Platform(START_MS, new Chance(seed + 2 ** 40));
    this.weather = { ...CALM };
    this.network = new Network({
      platform: this.platform,
      chance: this.chance,
      weather: this.weather,
      onFault: (kind) => this.fault(kind),
      trace: (line) => this.note(line),
    });
    for (const from of NAMES)
      for (const to of NAMES)
        for (const scope of ['public', 'company'])
          if (from !== to && (scope === 'public' || !options.split || from < to))
            if (!options.relay || from !== ORIGIN || to !== READER || scope !== 'public')
              this.model.grants.edit(from, to, scope, 0, FOR_EVER);
    this.isRelayed = options.relay;
    if (options.relay) {
      this.model.grants.edit(RELAY, READER, RELAYED, 0, FOR_EVER);
      this.model.grants.edit(ORIGIN, RELAY, PERMIT, 0, this.chance.isHit(0.7) ? FOR_EVER : null);
    }
    this.#hasLiar = options.liar;
    this.nodes = world.made.map((made) => new SimNode(this, made));
    const nodeOf = (peerId: string): string => this.nodes.find((node) => node.peerIds.has(peerId))?.made.nodeId ?? '';
    this.liar = options.liar ? new Liar(world.liar, this.model, nodeOf) : undefined;
  }

  get liarPeerId(): string {
    return this.#world.liar.peerId;
  }

  async start(): Promise<void> {
    for (const node of this.nodes) await node.start();
    if (this.liar !== undefined) {
      const transport = this.network.open(
        this.liarPeerId,
        () => true,
        () => true,
      );
      await this.liar.serve(transport);
    }
  }

  fault(kind: string, node = ''): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
    this.note(`fault ${kind} ${node}`.trimEnd());
  }

  problem(text: string): void {
    this.note(`problem ${text}`);
    if (this.problems.length < 20) this.problems.push(text);
  }

  note(line: string): void {
    this.#trace(`${this.platform.elapsedMs.toFixed(3)} ${line}\n`);
  }

  peersOf(name: string): readonly PeerFile[] {
    const others = this.#world.made.filter((made) => made.name !== name);
    const files = others.map((made) => ({
      ...peerFile(made.name, made, this.#shared(name, made.name)),
      relay: this.#isPermitting(name, made.name),
    }));
    return this.#hasLiar ? [...files, peerFile('liar', this.#world.liar, [granted('public', FOR_EVER)])] : files;
  }

  /** An operator edits what a peer may read. */
  regrant(from: SimNode, to: SimNode, feed: string, grant: Grant | null): void {
    this.note(`${from.name} grants ${feed} to ${to.name}: ${JSON.stringify(grant)}`);
    this.model.grants.edit(from.name, to.name, feed, this.platform.elapsedMs, grant);
    const file = from.files.find(to.name);
    if (file === undefined) return;
    const relay = this.#isPermitting(from.name, to.name);
    from.files.edit({ ...file, share: this.#shared(from.name, to.name), relay });
  }

  /** Sets a node's clock wrong, or right. */
  skew(node: SimNode, skewMs: number): void {
    node.clock.skewMs = skewMs;
    this.model.grants.skew(node.name, this.platform.elapsedMs, skewMs);
  }

  /** Whether a feed is open now. */
  mayRead(from: string, to: string, feed: string): boolean {
    const isOpen = (giver: string, taker: string, what: string): boolean =>
      this.model.grants.isOpen(giver, taker, what, this.platform.elapsedMs);
    // A permit is only asked for, and given, where the feed itself is open.
    const isPermitted = feed !== RELAYED || (isOpen(ORIGIN, RELAY, PERMIT) && isOpen(ORIGIN, RELAY, 'public'));
    return isPermitted && isOpen(from, to, feed);
  }

  /** A client gives facts to a node. What it is not told of, it does not know. */
  async assert(node: SimNode, facts: readonly AssertedFact[]): Promise<void> {
    const { running } = node;
    if (running === undefined) return;
    const requests = facts.map((fact) => requestOf(node.made.nodeId, fact));
    try {
      const outcomes = await running.base.writer.assert(requests, { mayWriteInstructions: false });
      outcomes.forEach((outcome, i) => {
        const fact = facts[i];
        if (outcome.kind === 'stored' && fact !== undefined) {
          fact.acknowledged = true;
          fact.factId = outcome.fact.entry.fact_id;
        }
        if (outcome.kind === 'refused') this.problem(`${node.name} refuses a good fact: ${outcome.refusal.code}`);
      });
    } catch (error) {
      this.note(`not stored: ${String(error)}`);
    }
  }

  newFacts(node: SimNode, count: number, scope: AssertedFact['scope']): AssertedFact[] {
    const atMs = this.platform.elapsedMs;
    return Array.from({ length: count }, () => {
      const id = ++this.#facts;
      const entity = `${node.made.nodeId}/service/s${id}`;
      // No value is a part of another one: files are looked through for them.
      const fact = { node: node.name, entity, value: `state ${id} of ${node.name}`, scope, atMs };
      return this.model.assert({ ...fact, acknowledged: false, factId: null, erasure: null });
    });
  }

  #isPermitting(from: string, to: string): boolean {
    return this.model.grants.written(from, to, PERMIT) !== null;
  }

  #shared(from: string, to: string): FeedGrant[] {
    return ['public', 'company', RELAYED].flatMap((feed) => {
      const grant = this.model.grants.written(from, to, feed);
      return grant === null ? [] : [granted(feed, grant)];
    });
  }
}

function granted(feed: string, grant: Grant): FeedGrant {
  return { feed, ...grant };
}

function peerFile(name: string, { nodeId, peerId, logKey }: LiarIdentity, share: readonly FeedGrant[]): PeerFile {
  const authority = nodeId.slice('stigmem://'.length);
  return {
    name,
    nodeId,
    authority,
    peerId,
    addresses: [`/memory/${peerId}`],
    namespaces: [authority],
    share,
    accept: ['public', 'company', ...(name === RELAY ? [RELAYED] : [])].map((feed) => granted(feed, FOR_EVER)),
    allowTeam: false,
    addressesFrom: 'operator',
    relay: false,
    logKey,
    disabled: false,
    limits: { maxValueBytes: null, pageEntries: null },
    policy: { witnesses: null, anchors: null },
  };
}

function requestOf(nodeId: string, { entity, value, scope }: AssertedFact): AssertRequest {
  return {
    entity,
    relation: 'ops:state',
    source: `${nodeId}/agent/a1`,
    value,
    value_type: 'text',
    scope,
    confidence: 1,
    valid_until: null,
    garden_id: null,
    derived_from: [],
    attestation: null,
    interpret_as: 'content',
  };
}
