/** What every way of using a data folder needs: configuration, keys, lock, the journal's threads. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeLeftBehind } from '../config/atomic-file.ts';
import { type Config, loadConfig } from '../config/config.ts';
import { type DataPaths, dataPaths, writtenFolders } from '../config/data-dir.ts';
import { type ExplainedSetting, explainedSettings } from '../config/effective.ts';
import type { ConfigFlags } from '../config/overlay.ts';
import { type ConfigError, type ConfigProblem, problemText } from '../config/problem.ts';
import { readSwarmKey } from '../config/swarm-key.ts';
import type { HeldPermit } from '../core/disclosure.ts';
import { ok, type Result } from '../core/result.ts';
import { isoMicros } from '../core/time.ts';
import { JournalError } from '../journal/errors.ts';
import { type JournalIdentity, LOCK_FILE } from '../journal/files.ts';
import { takeLock } from '../journal/lock.ts';
import { readOwnSuccessions } from '../journal/own-successions.ts';
import type { CorruptFact } from '../journal/read-model.ts';
import { createAuditBell, type RingableAuditBell } from '../observe/audit-bell.ts';
import { createEvents, type Events } from '../observe/events.ts';
import { createLogger, type Logger } from '../observe/logger.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import type { Traces } from '../observe/trace.ts';
import { createHttpClient, type HttpClient } from '../outbound/http-client.ts';
import { GrowthBell } from '../serve/growth-bell.ts';
import type { SnapshotSchedule } from '../snapshot/schedule.ts';
import { ReaderClient } from '../threads/reader-client.ts';
import type { WriterData, WriterEvent } from '../threads/writer.ts';
import { WriterClient } from '../threads/writer-client.ts';
import { identityFromSeed } from '../transport/identity.ts';
import type { OpenedSuccession } from '../wire/succession.ts';
import type { Shipping } from '../worm/shipping.ts';
import { declarationOf } from './declaration.ts';
import type { OpeningEvent } from './front-door.ts';
import { type OwnKey, type OwnKeys, openOwnKeys } from './own-keys.ts';
import { openRestoreSeed } from './restore-seed.ts';
import { openTraces } from './traces.ts';

/** Page cache of the two journal connections, MiB. */
const WRITER_CACHE_MIB = 16;
const READER_CACHE_MIB = 8;

/** A data folder that cannot be used as it is; the message lists everything that is wrong with it. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly code = 'invalid_configuration';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(problemText).join('\n'));
    this.problems = problems;
  }
}

export interface Base {
  readonly config: Config;
  /** Where each value of it came from. */
  readonly settings: readonly ExplainedSetting[];
  /** As the file, the environment and the flags say now. What of it counts without a restart is for who asks. */
  readonly reload: () => Result<Config, ConfigError>;
  readonly paths: DataPaths;
  readonly keys: OwnKeys;
  /** This node's successions of keys. */
  readonly statements: readonly OpenedSuccession[];
  readonly identity: JournalIdentity;
  /** This node's declaration, signed by its identity key. */
  readonly declaration: string;
  /** `12D3Koo…` */
  readonly peerId: string;
  /** Key of the private network; null: any node may speak to us. */
  readonly swarmKey: Uint8Array | null;
  /** The journal is held by the restore guard until it is cleared. */
  readonly guarded: boolean;
  /** For servers of the configuration. */
  readonly http: HttpClient;
  readonly logger: Logger;
  readonly traces: Traces;
  readonly metrics: Metrics;
  readonly events: Events;
  readonly audits: RingableAuditBell;
  /** Rings when there is something new for peers. */
  readonly growth: GrowthBell;
  /** Rings at each append. */
  readonly appended: GrowthBell;
  /** Called with the nodes whose facts have been erased here. */
  readonly erased: Set<(authors: readonly string[]) => void>;
  readonly writer: WriterClient;
  readonly reader: ReaderClient;
  /** Rejects when the journal's thread ends by itself. */
  readonly failed: Promise<never>;
  readonly health: Health;
  readonly backups: Backups;
  /** What others have signed about our relaying their facts, by feed. */
  readonly permits: Map<string, HeldPermit>;
  /** Nodes whose declared log key somebody has confirmed: the journal holds their declaration. */
  readonly confirmed: Set<string>;
  /** The node's clock, Unix ms. */
  readonly nowMs: () => number;
}

/** What `/readyz` looks at besides the moment itself. */
export interface Health {
  corrupt: CorruptFact | null;
}

/** What makes copies of this node elsewhere, once it runs; null: nothing does. */
export interface Backups {
  shipping: Shipping | null;
  schedule: SnapshotSchedule | null;
}

/**
 * Opens a data folder for this process alone.
 *
 * @param owned closes what was opened, in reverse order
 * @param beforeJournal runs when the folder is ours and before its journal is opened; what it gives is told how far that is
 * @throws StartError, JournalError
 */
export async function openBase(
  dir: string,
  flags: ConfigFlags,
  owned: AsyncDisposableStack,
  use: 'daemon' | 'offline' = 'offline',
  beforeJournal: (config: Config) => Promise<(event: OpeningEvent) => void> = async () => () => {},
): Promise<Base> {
  const { reload, config, settings } = readSettings(dir, flags);
  const paths = dataPaths(dir);
  const lock = takeLock(join(dir, LOCK_FILE));
  owned.defer(() => lock.release());
  removeLeftBehind(writtenFolders(paths), Date.now());
  const { identity, statements } = readOwnSuccessions(dir);
  if (identity.nodeId !== config.nodeId)
    throw new JournalError('broken', anotherNode(identity.nodeId, config.nodeId, paths));
  const keys = required(openOwnKeys(paths, identity, statements, Date.now()), (problem) => [problem]);

  const swarmKey = required(openSwarmKey(config), (problem) => [problem]);

  const logger = createLogger(config.log.level);
  const metrics = createMetrics((error) => logger.error({ err: error }, 'a part of the metrics could not be measured'));
  const events = createEvents(logger, metrics);
  const http = createHttpClient(config.network.allowed);
  const traces = openTraces({ config, http, logger, metrics }, owned);
  const audits = createAuditBell();
  const growth = new GrowthBell({ size: 0, feeds: [] });
  const guarded = use === 'daemon' && canBeAsked(config, paths);
  const erased = new Set<(authors: readonly string[]) => void>();
  const appended = new GrowthBell({ size: 0, feeds: [] });
  const restoreSeed = required(openRestoreSeed(paths), (problem) => [problem]);
  const opening = await beforeJournal(config);
  const writer = await openWriter(dir, config, { ...signingSeeds(keys), restoreSeed, guarded }, (event) => {
    if (event.kind === 'grown') {
      appended.ring(event);
      // With a policy of our own, peers are told when there is a checkpoint that they will be given.
      if (config.witness.policy === null) growth.ring(event);
      events.appended(event.seconds);
    } else if (event.kind === 'audited') audits.ring(event.seq);
    else if (event.kind === 'erased') for (const listener of erased) listener(event.authors);
    else logWriter(event, logger, opening);
  });
  owned.defer(() => writer.close());

  const { peerId } = await identityFromSeed(keys.node.seed);
  const declaration = declarationOf({ identity, peerId, keys, config }, isoMicros(Date.now() * 1000));
  const { logSeed, formerLogSeeds } = signingSeeds(keys);
  const data = { folder: dir, logSeed, formerLogSeeds, restoreSeed, cacheMiB: READER_CACHE_MIB };
  const reader = new ReaderClient(
    data,
    () => writer.head(),
    () => declaration,
  );
  owned.defer(() => reader.close());

  const backups: Backups = { shipping: null, schedule: null };
  const stations = {
    logger,
    traces,
    metrics,
    events,
    audits,
    growth,
    appended,
    erased,
    writer,
    reader,
    health: { corrupt: null },
    backups,
    declaration,
  };
  const failed = failureOf(writer);
  const permits = new Map(await writer.heldPermits());
  const confirmed = new Set(await writer.declaredNodes());
  const told = { swarmKey, keys, statements, identity, peerId, permits, confirmed, http };
  return { config, settings, reload, paths, ...told, guarded, ...stations, failed, nowMs: Date.now };
}

function readSettings(dir: string, flags: ConfigFlags): Pick<Base, 'reload' | 'config' | 'settings'> {
  const reload = (): Result<Config, ConfigError> => loadConfig(dir, process.env, flags);
  return {
    reload,
    config: required(reload(), (error) => error.problems),
    settings: required(explainedSettings(dir, process.env, flags), (error) => error.problems),
  };
}

function logWriter(
  event: Extract<WriterEvent, { readonly kind: 'migrating' | 'filling_cases' | 'failed' | 'derived' }>,
  logger: Logger,
  opening: (event: OpeningEvent) => void,
): void {
  if (event.kind === 'migrating' || event.kind === 'filling_cases') opening(event);
  if (event.kind === 'migrating')
    logger.info(
      { schema: event.version, last: event.last },
      'the journal’s schema is brought up to date; until that is done the node answers health checks alone',
    );
  else if (event.kind === 'filling_cases')
    logger.debug({ done: event.done, of: event.of }, 'cases are made of the audit log');
  else if (event.kind === 'failed')
    logger.error({ error: event.message }, 'refused mutations cannot be chained, or an erasure not go on');
  else if (event.fault === null) logger.info('look-ups and words are filled again');
  else logger.error(event.fault, 'look-ups and words cannot be filled; tried again');
}

/** Whoever waits for it is told; until somebody does, the calls that fail say so. */
function failureOf(writer: WriterClient): Promise<never> {
  const failed = writer.failed();
  failed.catch(() => undefined);
  return failed;
}

type SigningSeeds = Pick<
  WriterData,
  'logSeed' | 'formerLogSeeds' | 'witnessSeed' | 'formerWitnessSeeds' | 'anchorSeed'
>;

function signingSeeds({ log, witness, anchor }: OwnKeys): SigningSeeds {
  const seedsOf = ({ former }: OwnKey): Uint8Array[] => former.map(({ seed }) => seed);
  return {
    logSeed: log.seed,
    formerLogSeeds: seedsOf(log),
    witnessSeed: witness.seed,
    formerWitnessSeeds: seedsOf(witness),
    anchorSeed: anchor.seed,
  };
}

function openWriter(
  dir: string,
  config: Config,
  given: SigningSeeds & Pick<WriterData, 'guarded' | 'restoreSeed'>,
  onEvent: (event: WriterEvent) => void,
): Promise<WriterClient> {
  return WriterClient.open({
    folder: dir,
    signedHeadsFile: config.guard.signedHeadsFile,
    ...given,
    fourEyes: {
      actions: config.review.fourEyes,
      proposalMs: config.review.proposalMs,
      namedPersons: config.review.namedPersons,
    },
    witnessPolicy: config.witness.policy,
    cacheMiB: WRITER_CACHE_MIB,
    erasures: config.tombstones,
    nodeAuthority: config.authority,
    maxValueBytes: config.limits.maxValueBytes,
    nowMs: Date.now,
    onEvent,
  });
}

/** Without anybody to ask, what the file of signed checkpoints says has to do. */
function canBeAsked({ anchor, guard, witness, worm }: Config, { peers }: DataPaths): boolean {
  if (hasPeers(peers) || witness.policy?.witnesses.some(({ url }) => url !== null)) return true;
  if (worm !== null && existsSync(guard.signedHeadsFile)) return true;
  // Anchors show what was signed, but not that nothing more was: they do not stand for a file that is not there.
  return anchor.backends.includes('local') && existsSync(anchor.localPath) && existsSync(guard.signedHeadsFile);
}

function hasPeers(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.toml'));
}

function openSwarmKey({ network }: Config): Result<Uint8Array | null, ConfigProblem> {
  return network.swarmKeyFile === null ? ok(null) : readSwarmKey(network.swarmKeyFile);
}

function required<T, E>(result: Result<T, E>, problemsOf: (error: E) => readonly ConfigProblem[]): T {
  if (result.ok) return result.value;
  throw new StartError(problemsOf(result.error));
}

function anotherNode(inJournal: string, inConfig: string, paths: DataPaths): string {
  return `${paths.journal} belongs to ${inJournal}, ${paths.config} says ${inConfig}: a node id never changes. Put the right file back.`;
}
