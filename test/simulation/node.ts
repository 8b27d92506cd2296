/** One node of a simulated mesh: the product's own stations on a simulated disk and network, with a clock that may be wrong. */

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/config.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import type { PeerFile } from '../../src/config/peer-file.ts';
import type { PeerFolder, PeerFolderChange, PeerFolderState } from '../../src/config/peer-folder.ts';
import type { SeedUse } from '../../src/config/secret-file.ts';
import { isoMicros } from '../../src/core/time.ts';
import type { JournalIdentity } from '../../src/journal/files.ts';
import { initJournal } from '../../src/journal/init.ts';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import type { Base } from '../../src/node/base.ts';
import { declarationOf } from '../../src/node/declaration.ts';
import { type Federation, federate } from '../../src/node/federation.ts';
import { type OwnKey, type OwnKeys, vkeyOf } from '../../src/node/own-keys.ts';
import { createAuditBell } from '../../src/observe/audit-bell.ts';
import { createEvents } from '../../src/observe/events.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { createTraces } from '../../src/observe/trace.ts';
import { createHttpClient } from '../../src/outbound/http-client.ts';
import { GrowthBell } from '../../src/serve/growth-bell.ts';
import { openReader, type ReaderData } from '../../src/threads/reader.ts';
import { ReaderClient } from '../../src/threads/reader-client.ts';
import type { Calls } from '../../src/threads/rpc.ts';
import { openWriter, type WriterEvent } from '../../src/threads/writer.ts';
import { WriterClient } from '../../src/threads/writer-client.ts';
import { identityFromSeed, peerIdOf } from '../../src/transport/identity.ts';
import type { Disk } from './disk.ts';
import { InProcess } from './in-process.ts';
import { keysIn, writeKeys } from './keys.ts';
import type { MemoryTransport, Network } from './network.ts';
import { type Platform, Scope } from './platform.ts';
import { writerData } from './writer-data.ts';

/** Keys and files that a node has in every run; they are made once in a process. */
export interface Made {
  readonly name: string;
  readonly nodeId: string;
  readonly peerId: string;
  /** Verifier key of its log. */
  readonly logKey: string;
  readonly identity: JournalIdentity;
  readonly keys: OwnKeys;
  /** Folder of its empty journal. */
  readonly template: string;
  /** Folder with the files of its keys. */
  readonly keyBackup: string;
  readonly config: Base['config'];
}

const LOGGER = createLogger('silent');
const METRICS = createMetrics();
const EVENTS = createEvents(LOGGER, METRICS);
/** Since when the keys of every node are valid. */
export const CREATED_AT = '2025-12-01T00:00:00.000000Z';

export async function makeNode(root: string, name: string): Promise<Made> {
  const nodeId = `stigmem://${name}.example`;
  const seed = (use: string): Buffer => createHash('sha256').update(`${use} of ${name}`).digest();
  const suffix = createHash('sha256').update(name).digest('hex').slice(0, 16);
  const origin = (log: string): string => `${name}.example/${log}/${suffix}`;
  const identity = { nodeId, journalOrigin: origin('journal'), auditOrigin: origin('audit'), createdAt: CREATED_AT };
  const keyOf = (use: SeedUse): OwnKey => {
    const key = seed(`${use} key`);
    return { seed: key, vkey: vkeyOf(use, key, identity), since: CREATED_AT, former: [], next: null };
  };
  const keys = { node: keyOf('node'), log: keyOf('log'), witness: keyOf('witness'), anchor: keyOf('anchor') };
  const template = join(root, name);
  mkdirSync(template, { recursive: true });
  writeFileSync(dataPaths(template).config, `node_id = "${nodeId}"\n`);
  const flags = { 'federation.page_entries': '5', 'guard.wait_s': '10' };
  const config = loadConfig(template, {}, flags);
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  initJournal(template, identity);
  const keyBackup = join(root, `keys of ${name}`);
  writeKeys(keyBackup, keys);
  const { peerId } = await identityFromSeed(keys.node.seed);
  const logKey = keys.log.vkey;
  return { name, nodeId, peerId, logKey, identity, keys, template, keyBackup, config: config.value };
}

/** A process of a node, from its start to its end. */
export interface Running {
  readonly base: Base;
  readonly federation: Federation;
  readonly transport: MemoryTransport;
  /** Ends in good order. */
  stop(): Promise<void>;
  /** Lets go of everything after the process has died. */
  abandon(): void;
}

export interface StartOptions {
  readonly made: Made;
  readonly disk: Disk;
  readonly network: Network;
  readonly platform: Platform;
  /** How wrong the node's clock is. */
  readonly clock: { skewMs: number };
  readonly peers: PeerFiles;
}

/** The peer files of a node, which an operator edits while it runs or is down. */
export class PeerFiles {
  readonly #files: Map<string, PeerFile>;
  #tell: ((change: PeerFolderChange) => void) | undefined;

  constructor(files: readonly PeerFile[]) {
    this.#files = new Map(files.map((file) => [file.name, file]));
  }

  /** As the product's own folder: what is different is told, never looked for. */
  get folder(): PeerFolder {
    return { state: () => this.#state(), rescan: () => null };
  }

  find(name: string): PeerFile | undefined {
    return this.#files.get(name);
  }

  all(): readonly PeerFile[] {
    return [...this.#files.values()];
  }

  edit(file: PeerFile): void {
    this.#files.set(file.name, file);
    this.#tell?.({ added: [], changed: [file], removed: [], state: this.#state() });
  }

  /** The next process watches in place of the one before. */
  watch(onChange: (change: PeerFolderChange) => void): () => void {
    this.#tell = onChange;
    return () => {
      if (this.#tell === onChange) this.#tell = undefined;
    };
  }

  #state(): PeerFolderState {
    return { peers: new Map(this.#files), problems: [], unread: 0 };
  }
}

/** @throws what opening the journal throws */
export async function startNode({ made, disk, network, platform, clock, peers }: StartOptions): Promise<Running> {
  const owned = new AsyncDisposableStack();
  const scope = new Scope();
  const nowMs = (): number => platform.nowMs() + clock.skewMs;
  const { folder } = disk;
  const now = platform.within(scope, () => keysIn(made, folder, nowMs()));
  const { keys, statements } = now;
  const peerId = peerIdOf(createLogSigner(made.nodeId, keys.node.seed).publicKey);
  const growth = new GrowthBell({ size: 0, feeds: [] });
  const appended = new GrowthBell({ size: 0, feeds: [] });
  const onEvent = (event: WriterEvent): void => {
    if (event.kind !== 'grown') return;
    appended.ring(event);
    growth.ring(event);
  };
  const data = { ...writerData(folder, keys), guarded: true };
  const threads: InProcess[] = [];
  const enter = (work: () => void): void => platform.within(scope, work);
  const tell = (event: WriterEvent): void => void Promise.resolve().then(() => onEvent(event));
  const opened = platform.within(scope, () => openWriter(data, tell));
  const thread = new InProcess(enter, { ...opened.methods }, opened.afterCall);
  threads.push(thread);
  const { config } = made;
  const limits = { nodeAuthority: config.authority, maxValueBytes: config.limits.maxValueBytes, nowMs };
  const writer = new WriterClient(thread, limits);
  let closeReader: () => void = () => {};
  const startReader = (reader: ReaderData): Calls => {
    const methods = openReader(reader);
    closeReader = () => methods['close']?.();
    const calls = new InProcess(enter, methods);
    threads.push(calls);
    return calls;
  };
  // Whose keys have never changed says the same at each start.
  const issuedAt = statements.length === 0 ? CREATED_AT : isoMicros(platform.nowMs() * 1000);
  const declaration = declarationOf({ ...made, keys, peerId }, issuedAt);
  const { logSeed, formerLogSeeds, restoreSeed } = data;
  const readerData = { folder, logSeed, formerLogSeeds, restoreSeed, cacheMiB: 1 };
  const reader = new ReaderClient(
    readerData,
    () => writer.head(),
    () => declaration,
    startReader,
  );
  const base: Base = {
    traces: createTraces(null),
    reload: () => ({ ok: true, value: config }),
    config,
    settings: [],
    paths: dataPaths(folder),
    keys,
    statements,
    identity: made.identity,
    declaration,
    peerId,
    guarded: true,
    http: createHttpClient([]),
    swarmKey: null,
    logger: LOGGER,
    metrics: METRICS,
    events: EVENTS,
    audits: createAuditBell(),
    growth,
    appended,
    erased: new Set(),
    writer,
    reader,
    failed: new Promise(() => {}),
    health: { corrupt: null },
    backups: { shipping: null, schedule: null },
    permits: new Map(),
    confirmed: new Set(),
    nowMs,
  };
  growth.ring(await writer.guardView());
  let transport: MemoryTransport | undefined;
  const federation = await federate(
    base,
    {
      folder: peers.folder,
      watch: (onChange) => peers.watch((change) => platform.within(scope, () => onChange(change))),
      openTransport: async (allowed) => {
        const find = (id: string): PeerFile | undefined => allowed().find((peer) => peer.peerId === id);
        transport = network.open(
          peerId,
          (id) => find(id) !== undefined,
          (id) => (find(id)?.addresses.length ?? 0) > 0,
        );
        return transport;
      },
    },
    owned,
  );
  if (transport === undefined) throw new Error('no transport');
  const end = transport;
  const release = (): void => {
    for (const one of threads) one.end();
    scope.end();
  };
  return {
    base,
    federation,
    transport: end,
    async stop() {
      await owned.disposeAsync();
      await reader.close();
      await writer.close();
      release();
    },
    abandon() {
      end.end();
      release();
      closeReader();
      owned.disposeAsync().catch(() => {});
    },
  };
}
