/** The process as commands see it. `main.ts` makes the real one; tests make their own. */
import type { OfflineNode, RunningNode } from '../app.ts';
import type { ConfigFlags } from '../config/overlay.ts';
import type { SeedUse } from '../config/secret-file.ts';
import type { JournalIdentity } from '../journal/files.ts';
import type { FsckProgress } from '../journal/fsck/context.ts';
import type { FsckReport } from '../journal/fsck/report.ts';
import type { LogName } from '../journal/tables.ts';
import type { CheckTimes } from '../node/left-checks.ts';
import type { Rehearsal, RestoreOptions } from '../node/restore-snapshot.ts';
import type { Rotation, RotationOutcome } from '../node/rotate-key.ts';
import type { CheckedSnapshot, SnapshotRun } from '../node/snapshots.ts';
import type { ExportPlace } from '../node/tiles-export.ts';
import type { VerifyJournalOptions } from '../node/verify-journal.ts';
import type { WormExportOptions, WormExportReport, WormTarget } from '../node/worm-export.ts';
import type { ExportOptions, ExportReport } from '../publish/export-log.ts';
import type { MadeSnapshot } from '../snapshot/create.ts';
import type { RestorePlan } from '../snapshot/restore.ts';
import type { ShelvedSnapshot } from '../snapshot/shelf.ts';
import type { SnapshotReport } from '../snapshot/verify.ts';
import type { WormReport, WormTrust, WormVerifyOptions } from '../worm/verify.ts';

export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Width of the terminal; undefined where there is none. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
}

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export interface Runtime {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Somebody sits in front of it: both standard input and output are a terminal. */
  readonly interactive: boolean;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly pid: number;
  /** What starts this program again: node, then the path of main. */
  readonly self: readonly [string, ...string[]];
  nowMs(): number;
  /** Tells whether a process exists. */
  isAlive(pid: number): boolean;
  /** Calls `handler` for every such signal until the returned function is called. */
  onStop(handler: (signal: StopSignal) => void): () => void;
  /**
   * Takes keys one by one, without showing them, and tells of a new size of the terminal, until the returned function is
   * called. Only where somebody sits in front of it.
   */
  onTerminal(handlers: { readonly key: (key: string) => void; readonly resize: () => void }): () => void;
  /** Ends the process now. */
  exit(code: number): void;
}

/** The parts of the node that commands drive. Loaded when a command needs them: `--help` must not start a database. */
export interface Node {
  runDaemon(dir: string, flags: ConfigFlags): Promise<RunningNode>;
  openOffline(dir: string): Promise<OfflineNode>;
  initJournal(dir: string, identity: JournalIdentity): void;
  identityIn(dir: string): JournalIdentity;
  runFsck(
    dir: string,
    options: { readonly onProgress?: (progress: FsckProgress) => void; readonly signal?: AbortSignal },
  ): Promise<FsckReport>;
  /** Null: nobody could say that the report is of this node. */
  signCheck(dir: string, report: FsckReport, times: CheckTimes): string | null;
  /** Has a signed report wait for the daemon. @returns false: this account is not the folder's */
  leaveCheck(dir: string, note: string, endedMs: number): boolean;
  rotateKey(dir: string, use: SeedUse, rotation: Rotation): Promise<RotationOutcome>;
  verifyJournal(file: string, options: VerifyJournalOptions): Promise<FsckReport>;
  makeSnapshot(dir: string, directory: string, withKeys: boolean, run: SnapshotRun): Promise<MadeSnapshot>;
  checkSnapshot(dir: string, path: string, scratch: string, run: SnapshotRun): Promise<CheckedSnapshot>;
  checkSnapshotAlone(
    path: string,
    keys: readonly [Uint8Array, ...Uint8Array[]],
    scratch: string,
    run: SnapshotRun,
  ): Promise<SnapshotReport>;
  shelfOf(dir: string, directory: string): readonly ShelvedSnapshot[];
  pruneShelf(dir: string, directory: string, keep: number): Promise<readonly ShelvedSnapshot[]>;
  planRestore(path: string, folder: string, options: RestoreOptions): Promise<Rehearsal>;
  restoreSnapshot(
    path: string,
    folder: string,
    plan: RestorePlan,
    options: RestoreOptions & { readonly isAlone: boolean },
  ): Promise<SnapshotReport>;
  exportWorm(dir: string, target: WormTarget, options: WormExportOptions): Promise<WormExportReport>;
  verifyWormTarget(target: WormTarget, trust: WormTrust, options: WormVerifyOptions): Promise<WormReport>;
  exportTiles(journalFile: string, log: LogName, place: ExportPlace, options: ExportOptions): Promise<ExportReport>;
}
