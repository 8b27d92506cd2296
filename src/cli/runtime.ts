/** The process as commands see it. `main.ts` makes the real one; tests make their own. */
import type { OfflineNode, RunningNode } from '../app.ts';
import type { ConfigFlags } from '../config/overlay.ts';
import type { SeedUse } from '../config/secret-file.ts';
import type { JournalIdentity } from '../journal/files.ts';
import type { FsckProgress } from '../journal/fsck/context.ts';
import type { FsckReport } from '../journal/fsck/report.ts';
import type { LogName } from '../journal/tables.ts';
import type { Rotation, RotationOutcome } from '../node/rotate-key.ts';
import type { ExportPlace } from '../node/tiles-export.ts';
import type { VerifyJournalOptions } from '../node/verify-journal.ts';
import type { WormExportOptions, WormExportReport, WormTarget } from '../node/worm-export.ts';
import type { ExportOptions, ExportReport } from '../publish/export-log.ts';
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
  rotateKey(dir: string, use: SeedUse, rotation: Rotation): Promise<RotationOutcome>;
  verifyJournal(file: string, options: VerifyJournalOptions): Promise<FsckReport>;
  exportWorm(dir: string, target: WormTarget, options: WormExportOptions): Promise<WormExportReport>;
  verifyWormTarget(target: WormTarget, trust: WormTrust, options: WormVerifyOptions): Promise<WormReport>;
  exportTiles(journalFile: string, log: LogName, place: ExportPlace, options: ExportOptions): Promise<ExportReport>;
}
