/** Starts a node: puts the stations together, and takes them apart again. No rule lives here. */
import type { AdminServer } from './admin/server.ts';
import { type DaemonInfo, removeDaemonFile, writeDaemonFile } from './config/daemon-file.ts';
import type { ConfigFlags } from './config/overlay.ts';
import type { Weakening } from './core/weakening.ts';
import { startAnchoring } from './node/anchor.ts';
import { apiOf } from './node/api.ts';
import { openBase } from './node/base.ts';
import { drillsOffline, startDrills } from './node/drills.ts';
import { STOP_GRACE_MS, startFederation } from './node/federation.ts';
import { FrontDoor } from './node/front-door.ts';
import { startKeysWatch } from './node/keys-watch.ts';
import { openFilesFault, processLimits } from './node/open-files.ts';
import { startSiem } from './node/siem.ts';
import { startSnapshots } from './node/snapshots.ts';
import { startJournalChecks } from './node/start-journal-checks.ts';
import { startTee } from './node/tee.ts';
import { TlsWatch } from './node/tls-watch.ts';
import { weakeningsNow } from './node/weakness-watch.ts';
import { startWorm } from './node/worm.ts';
import { SYSTEM_CLOCK } from './transport/clock.ts';

export { initJournal } from './journal/init.ts';
export { runFsck } from './node/fsck.ts';
export { identityIn } from './node/identity.ts';
export { leaveCheck, signCheck } from './node/left-checks.ts';
export { planRestore, restoreSnapshot } from './node/restore-snapshot.ts';
export { rotateKey } from './node/rotate-key.ts';
export { checkSnapshot, checkSnapshotAlone, makeSnapshot, pruneShelf, shelfOf } from './node/snapshots.ts';
export { exportTiles } from './node/tiles-export.ts';
export { verifyJournal } from './node/verify-journal.ts';
export { exportWorm, verifyWormTarget } from './node/worm-export.ts';

export interface RunningNode {
  /** Base URL of the HTTP API. */
  readonly api: string;
  /** Multiaddrs, each ending in `/p2p/<peer id>`. */
  readonly addresses: readonly string[];
  readonly nodeId: string;
  /** Resolves when the node has stopped, rejects when it failed. */
  readonly done: Promise<void>;
  /** Resolves when keys that had been missing were put back: stop it, and start it again. */
  readonly keysBack: Promise<void>;
  /** What of its configuration is weaker than by default, as of now. */
  weakenings(): readonly Weakening[];
  /** Takes up new files of the API's certificate now. */
  reload(): void;
  /** Finishes what is under way, then stops. */
  stop(): Promise<void>;
}

export interface OfflineNode {
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/**
 * Starts the node of a data folder.
 *
 * @throws StartError, JournalError, AdminError or TransportError; what was opened is closed again
 */
export async function runDaemon(dir: string, flags: ConfigFlags): Promise<RunningNode> {
  await using starting = new AsyncDisposableStack();
  const door = new FrontDoor();
  const startedAt = new Date().toISOString();
  const listening = Promise.withResolvers<AdminServer>();
  const base = await openBase(dir, flags, starting, 'daemon', async (config) => {
    const server = await door.listen(config, starting);
    // Commands find the daemon by it, and are told what it waits for.
    writeDaemonFile(dir, daemonInfo(server, startedAt));
    starting.defer(() => removeDaemonFile(dir, process.pid));
    listening.resolve(server);
    return (event) => door.heard(event);
  });
  const server = await listening.promise;
  const { size, feeds } = await base.writer.guardView();
  base.growth.ring({ size, feeds });
  const federation = await startFederation(base, starting);
  startAnchoring(base, starting);
  const siem = await startSiem(base, starting);
  const drills = startDrills(base, federation, siem, starting);
  base.backups.shipping = startWorm(base, federation.guard, starting);
  base.backups.schedule = startSnapshots(base, federation.guard, starting);
  startTee(base, starting);
  const checks = startJournalChecks(base, federation, starting);

  const { tls, nodeUrl } = base.config.api;
  let certificate: TlsWatch | undefined;
  const files = openFilesFault(processLimits() ?? '', base.config.limits.maxConnections);
  if (files !== null) base.logger.warn(files);
  const notices = (): readonly string[] => [...(files === null ? [] : [files]), ...(certificate?.notices() ?? [])];
  door.serve(
    apiOf(base, federation, { nodeUrl: () => nodeUrl ?? server.url, notices, siem, drills, checks }, starting),
  );
  // Before what answers requests is closed: those that are under way end first.
  starting.defer(() => server.close({ graceMs: STOP_GRACE_MS }));
  starting.defer(() => removeDaemonFile(dir, process.pid));
  const tell = (): void => writeDaemonFile(dir, daemonInfo(server, startedAt));
  if (tls !== null) {
    const files = [tls.certFile, tls.keyFile];
    const watch = new TlsWatch({ server, files, events: base.events, onLoaded: tell, clock: SYSTEM_CLOCK });
    starting.defer(() => watch.stop());
    certificate = watch;
  }
  await federation.decided;
  startKeysWatch(base, federation, starting);

  const running = starting.move();
  const stopped = Promise.withResolvers<void>();
  const stop = (): Promise<void> => running.disposeAsync().then(stopped.resolve, stopped.reject);
  const done = Promise.race([stopped.promise, base.failed]);
  const { keysBack } = federation.guard;
  const { nodeId } = base.config;
  const weakenings = (): readonly Weakening[] => weakeningsNow(base, federation.files());
  const reload = (): void => certificate?.reload();
  return { api: server.url, addresses: federation.addresses(), nodeId, done, keysBack, weakenings, reload, stop };
}

function daemonInfo(server: AdminServer, startedAt: string): DaemonInfo {
  const certificate = server.tls()?.cert;
  const info = { pid: process.pid, api: server.url, started_at: startedAt };
  return certificate === undefined ? info : { ...info, certificate };
}

/** The same API over the files of a folder whose node is not running. Nothing listens, nothing is pulled. */
export async function openOffline(dir: string): Promise<OfflineNode> {
  await using opening = new AsyncDisposableStack();
  const base = await openBase(dir, {}, opening);
  const nodeUrl = (): string => `http://${base.config.api.host}:${base.config.api.port}`;
  const api = apiOf(
    base,
    null,
    { nodeUrl, notices: () => [], siem: null, drills: drillsOffline(base), checks: null },
    opening,
  );
  base.failed.catch(() => {}); // a call that needs the journal says so itself
  const open = opening.move();
  return { fetch: async (request) => api.fetch(request), close: () => open.disposeAsync() };
}
