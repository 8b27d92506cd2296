/**
 * Puts a snapshot into a new folder. First a rehearsal: what would be there, what others have seen since, and who will be
 * asked before the node signs. What was signed and is not in the copy comes back from partners or not at all; that it is
 * never signed a second time is the restore guard's part, at the first start.
 */
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '../config/atomic-file.ts';
import { checkFiles, type ReadSnapshot, readSnapshot, type SnapshotProblem } from './check.ts';
import { SnapshotError } from './errors.ts';
import { putBack } from './put-back.ts';
import { openScratch } from './scratch.ts';
import { checkRestored, type SnapshotReport, type VerifyOptions } from './verify.ts';

/** A head of this node's journal that stands outside of the snapshot. */
export interface KnownHead {
  /** For people: `anchor at …`, `signed-heads.json on …`. */
  readonly source: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  /** As it was signed. */
  readonly note: string;
}

export interface RestorePlan {
  readonly snapshot: ReadSnapshot;
  readonly entries: number;
  readonly auditRecords: number;
  /** What others hold; those beyond the snapshot say what is missing. */
  readonly known: readonly KnownHead[];
  /** Entries that were signed and are not in the snapshot, as far as is known. */
  readonly missing: number;
  /** Names of peer files, whom the guard asks. */
  readonly peers: readonly string[];
  /** Others whom the guard asks or reads. */
  readonly others: readonly string[];
  /** Who should know and does not say anything that can be used; for people. */
  readonly mute: readonly string[];
  readonly keys: boolean;
}

/** @throws SnapshotError `occupied` unless there is no such folder, or it is empty */
export function assertEmpty(folder: string): void {
  if (!existsSync(folder)) return;
  const found = readdirSync(folder);
  if (found.length === 0) return;
  const what = found.includes('journal.db') ? 'a node' : `${found.length} names`;
  const message = `expected no such folder, or an empty one, got ${folder} with ${what} in it: nothing is ever restored over something. Name another folder, or move that one away`;
  throw new SnapshotError('occupied', message);
}

/** Signature and files of a snapshot; nothing is written. */
export async function rehearse(
  path: string,
  options: Pick<VerifyOptions, 'keys' | 'signal' | 'onProgress'>,
): Promise<{ readonly snapshot: ReadSnapshot | null; readonly problems: readonly SnapshotProblem[] }> {
  const read = readSnapshot(path, options.keys);
  if (!read.ok) return { snapshot: null, problems: [read.error] };
  const { signal, onProgress } = options;
  const problems = await checkFiles(path, read.value.manifest, {
    ...(signal === undefined ? {} : { signal }),
    onProgress: (done, total) => onProgress?.('hashing', done, total),
  });
  return { snapshot: read.value, problems };
}

/**
 * Restores beside the folder, checks everything there, and gives it its name only then.
 *
 * @param prepare what has to be in the folder, or to be known outside of it, before it can be started
 * @throws SnapshotError `occupied`: somebody else was there first. Nothing is left behind
 */
export async function applyRestore(
  path: string,
  snapshot: ReadSnapshot,
  folder: string,
  options: VerifyOptions,
  prepare: (beside: string) => void,
): Promise<SnapshotReport> {
  assertEmpty(folder);
  // Of this process alone: two that restore at once must not have what one has checked replaced by what the other has begun.
  await using beside = await openScratch(dirname(folder), Date.now());
  await putBack(path, snapshot.manifest, beside.path, options.signal);
  const report = await checkRestored(beside.path, snapshot, options);
  if (!report.ok) return report;
  prepare(beside.path);
  takeName(beside.path, folder);
  return report;
}

/** Takes the place of an empty folder, and of nothing else: the check takes time, and a node may run there by now. */
function takeName(beside: string, folder: string): void {
  try {
    renameSync(beside, folder);
  } catch (thrown) {
    assertEmpty(folder);
    throw thrown;
  }
  syncFolder(dirname(folder));
}
