/** The node among its peers: transport, answers to peers, and a session for each peer file. */
import { randomInt } from 'node:crypto';
import type { PeerFile } from '../config/peer-file.ts';
import { openPeerFolder, type PeerFolder, type PeerFolderChange, type PeerFolderState } from '../config/peer-folder.ts';
import { watchPeers } from '../config/watch-peers.ts';
import { Recurring } from '../core/recurring.ts';
import type { DrillGround } from '../drill/peer-drill.ts';
import type { Onboarding } from '../onboard/onboarding.ts';
import type { PullDeps } from '../pull/deps.ts';
import { type FollowDeps, followPeers, recordGone } from '../pull/follow-peers.ts';
import { greet } from '../pull/greet.ts';
import { LateRecords } from '../pull/late-records.ts';
import { PeerSessions } from '../pull/peer-sessions.ts';
import { RefusedConnections } from '../serve/refused-connections.ts';
import { type RegisterDeps, registerProtocols } from '../serve/register.ts';
import { SYSTEM_CLOCK } from '../transport/clock.ts';
import { KeepAlive } from '../transport/keep-alive.ts';
import { createTransport } from '../transport/node.ts';
import type { AllowedPeer, AllowedPeers } from '../transport/peers.ts';
import type { Transport } from '../transport/transport.ts';
import { encodeHello, MAX_SUCCESSIONS } from '../wire/hello.ts';
import { PROTOCOLS } from '../wire/protocols.ts';
import type { Base } from './base.ts';
import { openGround } from './drill-ground.ts';
import { type Erasures, erasuresOf, tellErased } from './erasures.ts';
import { givingOf, rulesOf } from './grants.ts';
import type { RestoreGuard } from './guard.ts';
import { type LeftNotes, leftNotesOf } from './kept-notes.ts';
import { noticesOf } from './notices.ts';
import { observeCorrupt, observeDrill, observePage } from './observing.ts';
import { openOnboarding, serveInvitations } from './onboarding.ts';
import { PeerKeyring } from './peer-keyring.ts';
import { type Ping, pingsOf } from './pings.ts';
import { type Receipts, receiptsOf } from './receipts.ts';
import { relayingOf } from './relaying.ts';
import { guardOf } from './restore-guard.ts';
import { SOFTWARE } from './version.ts';
import { startWitness, type Witness } from './witness.ts';

export const STOP_GRACE_MS = 5_000;
/** Between two records of refused declarations of one peer, for one reason. */
const DECLARATIONS_APART_MS = 60_000;
const UINT32 = 2 ** 32;

export interface Federation {
  readonly guard: RestoreGuard;
  /** Resolves when the restore guard's first round is over and the peers are followed. */
  readonly decided: Promise<void>;
  readonly sessions: PeerSessions;
  readonly witness: Witness;
  readonly drills: DrillGround;
  /** Peer files in force, by name. */
  files(): ReadonlyMap<string, PeerFile>;
  addresses(): readonly string[];
  connected(peerId: string): boolean;
  readonly ping: Ping;
}

/** One that partners can be added to. */
export interface OpenFederation extends Federation {
  readonly onboarding: Onboarding;
}

/** The peer files, and what carries bytes to those whom they name. */
export interface Surroundings {
  readonly folder: PeerFolder;
  /** Tells of changes in the folder until the returned function is called. */
  readonly watch: (onChange: (change: PeerFolderChange) => void) => () => void;
  readonly openTransport: (peers: () => readonly PeerFile[]) => Promise<Transport>;
}

export async function startFederation(base: Base, owned: AsyncDisposableStack): Promise<OpenFederation> {
  const { peers } = base.paths;
  let opened: Transport | undefined;
  // Before the peer files are read: a yes that was interrupted becomes one of them.
  const onboarding = await openOnboarding(base, () => opened);
  const folder = openPeerFolder(peers, base.config.nodeId);
  const surroundings: Surroundings = {
    folder,
    watch: (onChange) => watchPeers(peers, folder, onChange),
    openTransport: async (allowed) => {
      opened = await openTransport(base, () => joined<AllowedPeer>(allowed(), onboarding.guests()));
      await serveInvitations(base, opened, onboarding);
      return opened;
    },
  };
  return { ...(await federate(base, surroundings, owned)), onboarding };
}

export async function federate(
  base: Base,
  surroundings: Surroundings,
  owned: AsyncDisposableStack,
): Promise<Federation> {
  const { folder } = surroundings;
  const files = filesOf(folder);
  const keys = await PeerKeyring.open(base, files);
  const peers = (): PeerFile[] => files().map((peer) => keys.current(peer));
  const allowed = (): readonly PeerFile[] => keys.possible();
  const drills = openGround(() => ({ pulling, refreshAllowed: () => transport.refreshAllowed() }), observeDrill(base));
  const transport = await surroundings.openTransport(() => joined(allowed(), drills.peers()));
  owned.defer(() => transport.stop({ graceMs: STOP_GRACE_MS }));

  const own = { hello: helloOf(base), leftNotes: leftNotesOf(base) };
  const { writer, growth, logger } = base;
  const peerOf = (peerId: string): PeerFile | undefined => allowed().find((peer) => peer.peerId === peerId);
  let started: PeerSessions | undefined;
  await registerProtocols({
    ...receiptsOf(base, peerOf, () => started),
    ...noticesOf(base, () => started),
    ...erasuresOf(base, () => started),
    ...servingDeps(base, own.leftNotes),
    transport,
    hello: own.hello,
    peerOf,
  });
  let dialling: KeepAlive | undefined;
  const onSuccessions = (nodeId: string): Promise<void> => keys.learn(nodeId).then(() => dialling?.refresh());
  // One change after the other: what is known of a file twice in a row must not be carried out out of order.
  let following: Promise<void> = Promise.resolve();
  const inTurn: InTurn = (change) => {
    following = following.then(change).catch((error: unknown) => {
      logger.error({ error }, 'a change of the peer files, or of a peer’s key, could not be carried out');
    });
    return following;
  };
  const relaying = relayingOf(base, files, () => growth.ring(growth.current()));
  const pulling = pullDeps(base, { ...own, transport, peers, onSuccessions, relaying, witness: () => witness });
  const sessions = new PeerSessions(pulling);
  started = sessions;
  owned.defer(() => sessions.stop());
  tellErased(base, peers, sessions, owned);
  const guard = guardOf(base, transport, { peers, unread: () => folder.state().unread }, owned);
  const meet = (peer: PeerFile, signal: AbortSignal): Promise<unknown> => greet(peer, pulling, signal);
  const parts = { transport, peers, guard, greet: meet, onSuspended: sessions.contact.bind(sessions), random: chance };
  const witness = await startWitness(base, parts, owned);
  const keepAlive = new KeepAlive({ transport, allowed, clock: SYSTEM_CLOCK, random: chance });
  dialling = keepAlive;
  owned.defer(() => keepAlive.stop());
  owned.defer(
    transport.subscribe((peerId, change) => {
      if (change !== 'connected') return;
      const renewed = keys.seen(peerId);
      if (renewed !== null) {
        onAllowedChanged();
        void inTurn(() => changeTo(renewed(), sessions));
      }
      guard.contact(peerId);
      sessions.contact(peerId);
      witness.contact();
    }),
  );

  const onAllowedChanged = (): void => {
    transport.refreshAllowed();
    keepAlive.refresh();
    guard.filesChanged();
    // Who watches learns of a new grant now, not with the next heartbeat.
    growth.ring(growth.current());
  };
  // Nothing is pulled before the guard has asked: a page that is taken is history that is written.
  const deps = { sessions, journal: writer, records: lateRecords(base, owned), logger, onAllowedChanged };
  const decided = guard.start().then(() => followFolder(surroundings, keys, deps, inTurn, owned));
  following = decided.catch(() => {}); // whoever waits for it is told
  return { guard, decided, sessions, witness, drills, ...reachOf(base, { ...own, transport, peers }, folder) };
}

/** Those that are not disabled: the same list for as long as no file has changed. */
function filesOf(folder: PeerFolder): () => readonly PeerFile[] {
  let known: { readonly state: PeerFolderState; readonly files: readonly PeerFile[] } | undefined;
  return () => {
    const state = folder.state();
    if (known?.state !== state) known = { state, files: [...state.peers.values()].filter((peer) => !peer.disabled) };
    return known.files;
  };
}

function joined<T>(all: readonly T[], more: readonly T[]): readonly T[] {
  return more.length === 0 ? all : [...all, ...more];
}

async function changeTo(peer: PeerFile | undefined, sessions: PeerSessions): Promise<void> {
  if (peer !== undefined) await sessions.change(peer);
}

function reachOf(
  base: Base,
  parts: Parameters<typeof pingsOf>[1] & { readonly transport: Transport },
  folder: PeerFolder,
): Pick<Federation, 'files' | 'addresses' | 'connected' | 'ping'> {
  const { transport } = parts;
  const files = (): ReadonlyMap<string, PeerFile> => folder.state().peers;
  return {
    files,
    addresses: () => transport.addresses(),
    connected: (peerId) => transport.connected(peerId),
    ping: pingsOf(base, parts, files),
  };
}

function servingDeps(
  base: Base,
  leftNotes: LeftNotes,
): Omit<RegisterDeps, 'transport' | 'hello' | 'peerOf' | 'takeNotices' | keyof Erasures | keyof Receipts> {
  const { growth, logger, reader, writer } = base;
  return {
    ...givingOf(base),
    growth,
    logger,
    reader,
    keepNotes: (nodeId, notes) => writer.keepNotes(nodeId, notes),
    onLost: (nodeId, from) => leftNotes.onLost(nodeId, from),
    successions: async (nodeId) => ((await writer.successions([nodeId]))[0] ?? []).map(({ note }) => note),
    head: () => writer.head(),
    served: (knownSize) => writer.servedHead(knownSize),
    onCorrupt: (corrupt) => observeCorrupt(base, corrupt),
    nowMs: base.nowMs,
  };
}

function openTransport(base: Base, allowed: AllowedPeers): Promise<Transport> {
  const { config, logger, writer } = base;
  const refused = new RefusedConnections();
  return createTransport({
    seed: base.keys.node.seed,
    listen: config.listen.p2p,
    announce: config.listen.announce,
    allowed,
    allowedNetworks: config.network.dialled,
    swarmKey: base.swarmKey,
    limits: { maxConnections: config.limits.maxConnections },
    onRefused: (refusal) => {
      const record = refused.note(refusal, base.nowMs());
      if (record !== null) writer.audit(record).catch((error: unknown) => logger.error({ error }, 'audit failed'));
    },
    onError: (error) => logger.debug({ error: error.message }, 'transport'),
  });
}

function pullDeps(
  base: Base,
  parts: Pick<PullDeps, 'transport' | 'hello' | 'onSuccessions' | 'relaying'> & {
    readonly peers: () => readonly PeerFile[];
    readonly leftNotes: LeftNotes;
    readonly witness: () => Witness;
  },
): PullDeps {
  const { config, logger, writer, nowMs } = base;
  const { transport, hello, onSuccessions, relaying, leftNotes, peers, witness } = parts;
  const nameOf = (nodeId: string): string => peers().find((peer) => peer.nodeId === nodeId)?.name ?? 'removed';
  return {
    journal: writer,
    pendingNotes: (nodeId) => leftNotes.pending(nodeId),
    transport,
    settings: { ...config.federation, ...config.limits },
    rules: rulesOf(base),
    refusedDeclarations: new Recurring(DECLARATIONS_APART_MS),
    logger,
    traces: base.traces,
    nowMs,
    random: chance,
    hello,
    onSuccessions,
    relaying,
    onPage: (peer, outcome) => {
      observePage(base, nameOf(peer), outcome);
      if (outcome.kind === 'appended') witness().pulled();
      if (outcome.kind === 'refused' && outcome.heads !== null) witness().convicted(peer, outcome.heads);
    },
  };
}

function lateRecords({ writer, logger }: Base, owned: AsyncDisposableStack): LateRecords {
  const records = new LateRecords({ audit: (input) => writer.audit(input), logger });
  owned.defer(() => records.stop());
  return records;
}

/** Runs a change behind those before it. Never rejects. */
type InTurn = (change: () => Promise<void>) => Promise<void>;

async function followFolder(
  { folder, watch }: Surroundings,
  keys: PeerKeyring,
  deps: FollowDeps,
  inTurn: InTurn,
  owned: AsyncDisposableStack,
): Promise<void> {
  const state = folder.state();
  await followPeers(await keys.applied({ added: [...state.peers.values()], changed: [], removed: [], state }), deps);
  await recordGone(state, deps);
  owned.defer(() => inTurn(async () => {}));
  owned.defer(watch((change) => void inTurn(async () => followPeers(await keys.applied(change), deps))));
}

function helloOf(base: Base): () => Uint8Array {
  const { declaration, nowMs, statements } = base;
  const successions = statements.slice(-MAX_SUCCESSIONS).map(({ note }) => note);
  const said = { declaration, heads: [], protocols: PROTOCOLS, software: SOFTWARE, successions };
  return () => encodeHello({ clock_ms: nowMs(), ...said });
}

function chance(): number {
  return randomInt(UINT32) / UINT32;
}
