import { dirname, join } from 'node:path';

/** Where things are in a data folder. */
export interface DataPaths {
  readonly config: string;
  readonly journal: string;
  readonly peers: string;
  readonly keys: string;
  /** Seed of the libp2p identity. */
  readonly nodeKey: string;
  /** Seed of the log key: checkpoints and feed heads. */
  readonly logKey: string;
  /** Seed of the witness key: cosignatures on peers' checkpoints. */
  readonly witnessKey: string;
  /** Private scalar of the anchor key: checkpoints that go to transparency logs. */
  readonly anchorKey: string;
  /** Seed of the key that restore notes are sealed under. */
  readonly restoreKey: string;
  /** Hashed API keys. */
  readonly apiKeys: string;
  /** The command line's own API key, in the clear: 0600. */
  readonly cliToken: string;
  /** Records of invitations and of partners that wait to be confirmed; the daemon alone writes them. */
  readonly onboarding: string;
  /** Signed reports of drills, a file for each month. */
  readonly drills: string;
  /** Signed reports of checks that wait to be recorded. */
  readonly checks: string;
  readonly run: string;
  /** Says where the running daemon listens. */
  readonly daemon: string;
  /** The page by which a browser comes to a link of `open`: 0600, over within a minute. */
  readonly openPage: string;
}

/** Folders in which files are replaced as a whole. */
export function writtenFolders({ config, keys, peers, onboarding, drills, checks, run }: DataPaths): readonly string[] {
  return [dirname(config), keys, peers, onboarding, drills, checks, run];
}

/** Where the key of a use is. */
export function keyFile(paths: DataPaths, use: 'node' | 'log' | 'witness' | 'anchor'): string {
  return { node: paths.nodeKey, log: paths.logKey, witness: paths.witnessKey, anchor: paths.anchorKey }[use];
}

/** Paths below a data folder; nothing is read or made. */
export function dataPaths(dir: string): DataPaths {
  const keys = join(dir, 'keys');
  const run = join(dir, 'run');
  return {
    config: join(dir, 'config.toml'),
    journal: join(dir, 'journal.db'),
    peers: join(dir, 'peers'),
    keys,
    nodeKey: join(keys, 'node.key'),
    logKey: join(keys, 'log.key'),
    witnessKey: join(keys, 'witness.key'),
    anchorKey: join(keys, 'anchor.key'),
    restoreKey: join(keys, 'restore.key'),
    apiKeys: join(keys, 'api-keys.json'),
    cliToken: join(keys, 'cli.token'),
    onboarding: join(dir, 'onboarding'),
    drills: join(dir, 'drills'),
    checks: join(dir, 'checks'),
    run,
    daemon: join(run, 'daemon.json'),
    openPage: join(run, 'open.html'),
  };
}
