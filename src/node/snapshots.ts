/** Snapshots of a node: by hand beside a running daemon, and by its clock. */
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { KEY_LOCK_END } from '../admin/key-file.ts';
import { type Config, loadConfig } from '../config/config.ts';
import { dataPaths } from '../config/data-dir.ts';
import { checkPeerFile } from '../config/peer-file.ts';
import { readSeedFile } from '../config/secret-file.ts';
import { readTomlFile } from '../config/toml-file.ts';
import { createLogSigner, type LogSigner } from '../merkle/ed25519.ts';
import { readSnapshot } from '../snapshot/check.ts';
import { createSnapshot, type MadeSnapshot, removeLeftovers, type SnapshotSources } from '../snapshot/create.ts';
import { SnapshotError } from '../snapshot/errors.ts';
import { ANCHORS, CONFIG } from '../snapshot/files.ts';
import { SnapshotSchedule } from '../snapshot/schedule.ts';
import { listSnapshots, prunable, removeSnapshots, type ShelvedSnapshot, watchedShelf } from '../snapshot/shelf.ts';
import { recordProof, type SnapshotReport, snapshotKeys, verifySnapshot } from '../snapshot/verify.ts';
import { isSnapshotPath } from '../wire/snapshot-manifest.ts';
import { localClaims } from './anchor-claims.ts';
import { type Base, StartError } from './base.ts';
import type { RestoreGuard } from './guard.ts';
import { identityIn } from './identity.ts';
import { SOFTWARE } from './version.ts';
import { logKeysOf } from './worm-store.ts';

export type PhaseProgress = (phase: string, done: number, total: number) => void;

export interface SnapshotRun {
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  readonly onProgress?: PhaseProgress;
}

/** The log key of a data folder. @throws StartError */
export function logSignerOf(dir: string): LogSigner {
  const seed = readSeedFile(dataPaths(dir).logKey, 'log');
  if (!seed.ok) throw new StartError([seed.error]);
  return createLogSigner(identityIn(dir).journalOrigin, seed.value);
}

/** Of a data folder as its configuration says. @throws SnapshotError, StartError */
export async function makeSnapshot(
  dir: string,
  directory: string,
  withKeys: boolean,
  run: SnapshotRun,
): Promise<MadeSnapshot> {
  return snapshotOf(configOf(dir), directory, withKeys, run);
}

async function snapshotOf(
  config: Config,
  directory: string,
  withKeys: boolean,
  { nowMs, signal, onProgress }: SnapshotRun,
): Promise<MadeSnapshot> {
  const options = { signer: logSignerOf(config.dir), software: SOFTWARE, nowMs, signal };
  return createSnapshot(directory, sourcesOf(config, withKeys), {
    ...options,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

export interface CheckedSnapshot {
  readonly report: SnapshotReport;
  /** Signed word that it was restored and checked; null: it does not verify. */
  readonly proof: string | null;
}

/** Restores a snapshot of this node into a scratch folder, checks it whole, and says so beside its manifest. */
export async function checkSnapshot(
  dir: string,
  path: string,
  scratch: string,
  { nowMs, signal, onProgress }: SnapshotRun,
): Promise<CheckedSnapshot> {
  const signer = logSignerOf(dir);
  const { journal } = dataPaths(dir);
  const report = await verifySnapshot(path, {
    keys: snapshotKeys(journal, signer.publicKey),
    scratch,
    anchors: await localClaims(join(path, ANCHORS), signer.name),
    liveJournal: journal,
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  if (!report.ok || report.snapshot === null) return { report, proof: null };
  return { report, proof: recordProof(path, report.snapshot, signer, nowMs()) };
}

/** The same with public keys alone, for whoever has no data folder: nothing is written beside the manifest. */
export async function checkSnapshotAlone(
  path: string,
  keys: readonly [Uint8Array, ...Uint8Array[]],
  scratch: string,
  { signal, onProgress }: SnapshotRun,
): Promise<SnapshotReport> {
  const read = readSnapshot(path, keys);
  const anchors = read.ok ? await localClaims(join(path, ANCHORS), read.value.origin) : [];
  const progress = onProgress === undefined ? {} : { onProgress };
  return verifySnapshot(path, { keys, scratch, anchors, liveJournal: null, signal, ...progress });
}

/** Snapshots in a directory, newest first, under the keys of a data folder. */
export function shelfOf(dir: string, directory: string): readonly ShelvedSnapshot[] {
  return listSnapshots(directory, snapshotKeys(dataPaths(dir).journal, logSignerOf(dir).publicKey));
}

/** Removes what is behind the newest `keep` that were restored and checked. @returns what was removed */
export async function pruneShelf(
  dir: string,
  directory: string,
  keep: number,
  nowMs: number = Date.now(),
): Promise<readonly ShelvedSnapshot[]> {
  const old = prunable(shelfOf(dir, directory), keep, nowMs);
  await removeSnapshots(old);
  return old;
}

/** Null: none are made by themselves. */
export function startSnapshots(base: Base, guard: RestoreGuard, owned: AsyncDisposableStack): SnapshotSchedule | null {
  const { config, events, metrics, nowMs, writer } = base;
  if (config.snapshot === null) return null;
  const { directory, everyMs, keep, scratch } = config.snapshot;
  const { dir } = config;
  const signer = createLogSigner(base.identity.journalOrigin, base.keys.log.seed);
  const keys = logKeysOf(signer, base.statements);
  const list = watchedShelf(directory, keys);
  let failure: string | null = null;
  const schedule = new SnapshotSchedule({
    everyMs,
    list,
    isReady: () => guard.isClear,
    nowMs,
    makeChecked: async (signal) => {
      await removeLeftovers(directory, nowMs());
      const startedMs = nowMs();
      const made = await snapshotOf(config, directory, false, { nowMs, signal });
      const { report } = await checkSnapshot(dir, made.path, scratch, { nowMs, signal });
      if (!report.ok || report.snapshot === null) throw notVerified(made.name, report);
      const { audit, journal } = made.manifest;
      events.snapshotVerified(made.name, journal.size, (nowMs() - startedMs) / 1_000);
      const sizes = { journal_size: journal.size, audit_size: audit.size };
      await writer.audit({
        event: 'snapshot_verified',
        detail: { snapshot: made.name, manifest: report.snapshot.digest, ...sizes },
      });
      failure = null;
    },
    prune: async () => removeSnapshots(prunable(list(), keep, nowMs())),
    onFailed: async (thrown) => {
      const code = thrown instanceof SnapshotError ? thrown.code : 'unusable';
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      events.snapshotFailed(code, message);
      // The same again says nothing new.
      if (failure === message) return;
      failure = message;
      await writer.audit({ event: 'snapshot_failed', reason: code, detail: { error: message } });
    },
  });
  metrics.beforeScrape(() => metrics.snapshotVerifiedAgeSeconds.set(schedule.ageMs() / 1_000));
  schedule.start();
  owned.defer(() => schedule.stop());
  return schedule;
}

function notVerified(name: string, { problems }: SnapshotReport): SnapshotError {
  const [first] = problems;
  const what = first === undefined ? '' : `: ${first.path}: ${first.detail}`;
  const message = `snapshot ${name} was made, and does not verify when it is restored${what}. Run \`stigmem-peerd fsck\`; the snapshots before it are kept`;
  return new SnapshotError('not_verified', message);
}

/** Everything that a node needs to be itself again, but for its keys. */
export function sourcesOf(config: Config, withKeys: boolean): SnapshotSources {
  const paths = dataPaths(config.dir);
  const peers = namesIn(paths.peers, '.toml').map((name) => ({ from: join(paths.peers, name), path: `peers/${name}` }));
  const named = [config.witness.policyFile, ...peers.map(({ from }) => trustRootOf(from))];
  const own = [...new Set(named)].flatMap((file) => (file === null ? [] : inFolder(config.dir, file)));
  const isBeside = (name: string): boolean => !name.endsWith(SIGNING_KEY) && !name.endsWith(KEY_LOCK_END);
  const beside = withKeys ? namesIn(paths.keys, '').filter(isBeside) : [];
  return {
    journal: paths.journal,
    signedHeads: config.guard.signedHeadsFile,
    anchors: config.anchor.backends.includes('local') ? config.anchor.localPath : null,
    others: [
      { from: paths.config, path: CONFIG },
      // What no manifest can name can name no partner either.
      ...peers.filter(({ path }) => isSnapshotPath(path)),
      ...own,
      ...beside.map((name) => ({ from: join(paths.keys, name), path: `keys/${name}` })),
    ],
    keys: withKeys ? () => signingKeys(paths.keys) : null,
  };
}

/** The trust root that a peer file names, without which it cannot be used; null: none. */
function trustRootOf(peerFile: string): string | null {
  const file = readTomlFile(peerFile);
  const peer = file.ok ? checkPeerFile(peerFile, file.value) : file;
  const root = peer.ok ? peer.value.policy.anchors?.trustRootFile : null;
  return root == null ? null : resolve(dirname(peerFile), root);
}

/** What lies elsewhere is its operator's to copy, and what is not there has been told of already. */
function inFolder(dir: string, file: string): readonly SnapshotSources['others'][number][] {
  const path = relative(dir, file);
  if (isAbsolute(path) || path.startsWith('..') || !existsSync(file)) return [];
  if (isSnapshotPath(path)) return [{ from: file, path }];
  const message = `${file} cannot be in a snapshot: expected a name of letters, digits, dots, hyphens and underscores. Rename it, and name it so where it is used; nothing was kept`;
  throw new SnapshotError('unusable', message);
}

const SIGNING_KEY = '.key';
/** And the folder of those that sign beside their successors. */
const KEY_FOLDERS = ['', 'former/'];

/** One that goes away while they are read is left out: whoever compares two readings sees it. */
async function signingKeys(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const keys = new Map<string, Buffer>();
  const names = KEY_FOLDERS.flatMap((under) =>
    namesIn(join(folder, under), SIGNING_KEY).map((name) => `${under}${name}`),
  );
  for (const name of names) {
    const bytes = await readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (bytes !== null) keys.set(`keys/${name}`, bytes);
  }
  return keys;
}

/** Hidden and temporary files, and folders, are none of a node's. */
function namesIn(folder: string, end: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && entry.name.endsWith(end))
    .map(({ name }) => name);
}

function configOf(dir: string): Config {
  const config = loadConfig(dir, process.env, {});
  if (!config.ok) throw new StartError(config.error.problems);
  return config.value;
}
