/** The node among its peers: transport, answers to peers, and a session for each peer file. */
import { randomInt } from 'node:crypto';
import type { PeerFile } from '../config/peer-file.ts';
import { openPeerFolder, type PeerFolder } from '../config/peer-folder.ts';
import { watchPeers } from '../config/watch-peers.ts';
import { witnessName } from '../core/node-id.ts';
import { isoMicros } from '../core/time.ts';
import { createAnchorSigner } from '../merkle/ecdsa.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import { declareSelf } from '../pull/declare.ts';
import { type FollowDeps, followPeers } from '../pull/follow-peers.ts';
import { PeerSessions } from '../pull/peer-sessions.ts';
import { RefusedConnections } from '../serve/refused-connections.ts';
import { registerProtocols } from '../serve/register.ts';
import { SYSTEM_CLOCK } from '../transport/clock.ts';
import { KeepAlive } from '../transport/keep-alive.ts';
import { createTransport } from '../transport/node.ts';
import type { Transport } from '../transport/transport.ts';
import { encodeHello } from '../wire/hello.ts';
import { PROTOCOLS } from '../wire/protocols.ts';
import type { Base } from './base.ts';
import { RestoreGuard } from './guard.ts';
import { observeCorrupt, observePage } from './observing.ts';
import { SOFTWARE } from './version.ts';

export const STOP_GRACE_MS = 5_000;
const UINT32 = 2 ** 32;

export interface Federation {
  readonly guard: RestoreGuard;
  /** Resolves when the restore guard's first round is over and the peers are followed. */
  readonly decided: Promise<void>;
  readonly sessions: PeerSessions;
  addresses(): readonly string[];
}

export async function startFederation(base: Base, owned: AsyncDisposableStack): Promise<Federation> {
  const folder = openPeerFolder(base.paths.peers, base.config.nodeId);
  const peers = (): PeerFile[] => [...folder.state().peers.values()].filter((peer) => !peer.disabled);
  const transport = await openTransport(base, peers);
  owned.defer(() => transport.stop({ graceMs: STOP_GRACE_MS }));

  const hello = helloOf(base);
  const { writer, reader, growth, logger } = base;
  await registerProtocols({
    transport,
    growth,
    hello,
    logger,
    reader,
    peerOf: (peerId) => peers().find((peer) => peer.peerId === peerId),
    head: () => writer.head(),
    onCorrupt: (corrupt) => observeCorrupt(base, corrupt),
    nowMs: Date.now,
  });
  const sessions = sessionsOf(base, transport, hello, peers);
  owned.defer(() => sessions.stop());
  const guard = new RestoreGuard({
    journal: writer,
    transport,
    peers,
    waitMs: base.guarded ? base.config.guard.waitMs : 0,
    onChange: (status) => base.events.guard(status.state, status.detail),
  });
  owned.defer(() => guard.stop());
  const keepAlive = new KeepAlive({ transport, allowed: peers, clock: SYSTEM_CLOCK, random: chance });
  owned.defer(() => keepAlive.stop());
  owned.defer(
    transport.subscribe((peerId, change) => {
      if (change !== 'connected') return;
      guard.contact(peerId);
      sessions.contact(peerId);
    }),
  );

  const onAllowedChanged = (): void => {
    transport.refreshAllowed();
    keepAlive.refresh();
    // Who watches learns of a new grant now, not with the next heartbeat.
    growth.ring(growth.current());
  };
  // Nothing is pulled before the guard has asked: a page that is taken is history that is written.
  const decided = guard
    .start()
    .then(() => followFolder(base, folder, { sessions, journal: writer, logger, onAllowedChanged }, owned));
  decided.catch(() => {}); // whoever waits for it is told
  return { guard, decided, sessions, addresses: () => transport.addresses() };
}

function openTransport(base: Base, peers: () => readonly PeerFile[]): Promise<Transport> {
  const { config, logger, writer } = base;
  const refused = new RefusedConnections();
  return createTransport({
    seed: base.nodeSeed,
    listen: config.listen.p2p,
    announce: config.listen.announce,
    allowed: peers,
    limits: { maxConnections: config.limits.maxConnections },
    onRefused: (refusal) => {
      const record = refused.note(refusal, Date.now());
      if (record !== null) writer.audit(record).catch((error: unknown) => logger.error({ error }, 'audit failed'));
    },
    onError: (error) => logger.debug({ error: error.message }, 'transport'),
  });
}

function sessionsOf(
  base: Base,
  transport: Transport,
  hello: () => Uint8Array,
  peers: () => readonly PeerFile[],
): PeerSessions {
  const { config, logger, writer } = base;
  const nameOf = (nodeId: string): string => peers().find((peer) => peer.nodeId === nodeId)?.name ?? 'removed';
  return new PeerSessions({
    journal: writer,
    transport,
    settings: { ...config.federation, maxValueBytes: config.limits.maxValueBytes },
    logger,
    nowMs: Date.now,
    random: chance,
    hello,
    onPage: (peer, outcome) => observePage(base, nameOf(peer), outcome),
  });
}

/** One change after the other: a file written twice in a row must not be carried out out of order. */
async function followFolder(
  base: Base,
  folder: PeerFolder,
  deps: FollowDeps,
  owned: AsyncDisposableStack,
): Promise<void> {
  const state = folder.state();
  await followPeers({ added: [...state.peers.values()], changed: [], removed: [], state }, deps);
  let following = Promise.resolve();
  owned.defer(() => following);
  owned.defer(
    watchPeers(base.paths.peers, folder, (change) => {
      following = following
        .then(() => followPeers(change, deps))
        .catch((error: unknown) => base.logger.error({ error }, 'a change of the peer files could not be carried out'));
    }),
  );
}

function helloOf(base: Base): () => Uint8Array {
  const self = {
    identity: base.identity,
    peerId: base.peerId,
    nodeSigner: createLogSigner(base.identity.nodeId, base.nodeSeed),
    logKey: createLogSigner(base.identity.journalOrigin, base.logSeed).publicKey,
    witnessKey: createLogSigner(witnessName(base.identity.nodeId), base.witnessSeed).publicKey,
    anchorKey: createAnchorSigner(base.identity.journalOrigin, base.anchorSeed).publicKey,
    software: SOFTWARE,
  };
  const declaration = declareSelf(self, isoMicros(Date.now() * 1000));
  return () => encodeHello({ clock_ms: Date.now(), declaration, heads: [], protocols: PROTOCOLS, software: SOFTWARE });
}

function chance(): number {
  return randomInt(UINT32) / UINT32;
}
