/** What every way of using a data folder needs: configuration, keys, lock, the journal's threads. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, loadConfig } from '../config/config.ts';
import { type DataPaths, dataPaths } from '../config/data-dir.ts';
import type { ConfigFlags } from '../config/overlay.ts';
import { type ConfigProblem, problemText } from '../config/problem.ts';
import { randomSeed, readSeedFile, writeSeedFile } from '../config/secret-file.ts';
import type { Result } from '../core/result.ts';
import { JournalError } from '../journal/errors.ts';
import { type JournalIdentity, LOCK_FILE } from '../journal/files.ts';
import { takeLock } from '../journal/lock.ts';
import type { CorruptFact } from '../journal/read-model.ts';
import { createAuditBell, type RingableAuditBell } from '../observe/audit-bell.ts';
import { createEvents, type Events } from '../observe/events.ts';
import { createLogger, type Logger } from '../observe/logger.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import { GrowthBell } from '../serve/growth-bell.ts';
import { ReaderClient } from '../threads/reader-client.ts';
import type { WriterEvent } from '../threads/writer.ts';
import { WriterClient } from '../threads/writer-client.ts';
import { identityFromSeed } from '../transport/identity.ts';

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
  readonly paths: DataPaths;
  readonly nodeSeed: Uint8Array;
  readonly logSeed: Uint8Array;
  readonly witnessSeed: Uint8Array;
  /** Private scalar of the anchor key, P-256. */
  readonly anchorSeed: Uint8Array;
  readonly identity: JournalIdentity;
  /** `12D3Koo…` */
  readonly peerId: string;
  /** The journal is held by the restore guard until it is cleared. */
  readonly guarded: boolean;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly events: Events;
  readonly audits: RingableAuditBell;
  readonly growth: GrowthBell;
  readonly writer: WriterClient;
  readonly reader: ReaderClient;
  /** Rejects when the journal's thread ends by itself. */
  readonly failed: Promise<never>;
  readonly health: Health;
}

/** What `/readyz` looks at besides the moment itself. */
export interface Health {
  corrupt: CorruptFact | null;
  projectionLag: number;
}

/**
 * Opens a data folder for this process alone.
 *
 * @param owned closes what was opened, in reverse order
 * @throws StartError, JournalError
 */
export async function openBase(
  dir: string,
  flags: ConfigFlags,
  owned: AsyncDisposableStack,
  use: 'daemon' | 'offline' = 'offline',
): Promise<Base> {
  const config = required(loadConfig(dir, process.env, flags), (error) => error.problems);
  const paths = dataPaths(dir);
  const nodeSeed = required(readSeedFile(paths.nodeKey, 'node'), (problem) => [problem]);
  const logSeed = required(readSeedFile(paths.logKey, 'log'), (problem) => [problem]);
  const lock = takeLock(join(dir, LOCK_FILE));
  owned.defer(() => lock.release());
  const witnessSeed = seedOrNew(paths.witnessKey, 'witness');
  const anchorSeed = seedOrNew(paths.anchorKey, 'anchor');

  const logger = createLogger(config.log.level);
  const metrics = createMetrics();
  const events = createEvents(logger, metrics);
  const audits = createAuditBell();
  const growth = new GrowthBell({ size: 0, feeds: [] });
  // Without peers there is nobody to ask: what the file of signed checkpoints says has to do.
  const guarded = use === 'daemon' && hasPeers(paths.peers);
  const writer = await openWriter(dir, config, { logSeed, guarded }, (event) => {
    if (event.kind === 'grown') {
      growth.ring(event);
      events.appended(event.seconds);
    } else if (event.kind === 'audited') audits.ring(event.seq);
    else logger.error({ error: event.message }, 'refused mutations cannot be chained');
  });
  owned.defer(() => writer.close());
  const reader = new ReaderClient({ folder: dir, logSeed, cacheMiB: READER_CACHE_MIB }, () => writer.head());
  owned.defer(() => reader.close());

  const identity = await writer.identity();
  if (identity.nodeId !== config.nodeId)
    throw new JournalError('broken', anotherNode(identity.nodeId, config.nodeId, paths));
  const { peerId } = await identityFromSeed(nodeSeed);
  const health = { corrupt: null, projectionLag: 0 };
  const stations = { logger, metrics, events, audits, growth, writer, reader, health };
  const keys = { nodeSeed, logSeed, witnessSeed, anchorSeed };
  return { config, paths, ...keys, identity, peerId, guarded, ...stations, failed: writer.failed() };
}

function openWriter(
  dir: string,
  config: Config,
  { logSeed, guarded }: { readonly logSeed: Uint8Array; readonly guarded: boolean },
  onEvent: (event: WriterEvent) => void,
): Promise<WriterClient> {
  return WriterClient.open({
    folder: dir,
    logSeed,
    guarded,
    signedHeadsFile: config.guard.signedHeadsFile,
    cacheMiB: WRITER_CACHE_MIB,
    nodeAuthority: config.authority,
    maxValueBytes: config.limits.maxValueBytes,
    nowMs: Date.now,
    onEvent,
  });
}

function hasPeers(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.toml'));
}

/** Folders made before there was such a key get one: nobody has been told of another. */
function seedOrNew(path: string, use: 'witness' | 'anchor'): Uint8Array {
  if (!existsSync(path)) writeSeedFile(path, use, randomSeed(use));
  return required(readSeedFile(path, use), (problem) => [problem]);
}

function required<T, E>(result: Result<T, E>, problemsOf: (error: E) => readonly ConfigProblem[]): T {
  if (result.ok) return result.value;
  throw new StartError(problemsOf(result.error));
}

function anotherNode(inJournal: string, inConfig: string, paths: DataPaths): string {
  return `${paths.journal} belongs to ${inJournal}, ${paths.config} says ${inConfig}: a node id never changes. Put the right file back.`;
}
