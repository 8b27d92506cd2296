/**
 * Makes a snapshot of a node that may be running: signed heads first, then the journal in one read transaction, then what
 * goes with them. Everything lies in a folder of another name until the signed manifest is durable: a crash leaves nothing
 * that could be taken for a snapshot.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../config/atomic-file.ts';
import { DAY_MS, isoMicros } from '../core/time.ts';
import { type CopyFacts, readCopyFacts, rootIn, signedHeadIn } from '../journal/copy-journal.ts';
import { copyJournalInWorker } from '../journal/copy-run.ts';
import { SignedHeadFile } from '../journal/signed-heads.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { signDocument } from '../wire/signed-document.ts';
import {
  MAX_SNAPSHOT_FILES,
  SNAPSHOT_MANIFEST,
  type SnapshotFile,
  type SnapshotManifest,
} from '../wire/snapshot-manifest.ts';
import { SnapshotError } from './errors.ts';
import {
  ANCHORS,
  bytesOf,
  copyDurably,
  copyEach,
  describeFile,
  filesBelow,
  HEADS,
  JOURNAL,
  MANIFEST_FILE,
  makeFolder,
  partialOf,
  syncFile,
  syncTree,
  writeDurably,
} from './files.ts';

/** What goes into a snapshot besides the journal: where it lies, and its name in the snapshot. */
export interface SnapshotSources {
  readonly journal: string;
  readonly signedHeads: string;
  /** The local log of anchors; null: there is none. */
  readonly anchors: string | null;
  readonly others: readonly { readonly from: string; readonly path: string }[];
  /** Reads the signing keys that lie there now: names in the snapshot, and bytes. Null: they are not to be in it. */
  readonly keys: (() => Promise<ReadonlyMap<string, Buffer>>) | null;
}

export interface CreateOptions {
  readonly signer: LogSigner;
  readonly software: string;
  readonly nowMs: () => number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (phase: string, done: number, total: number) => void;
}

export interface MadeSnapshot {
  readonly name: string;
  readonly path: string;
  readonly manifest: SnapshotManifest;
}

const LEFT_BEHIND = /^\.(\d{8}T\d{6}Z(-\d+)?\.partial|restore-.+)$/;

/** @throws SnapshotError; the error of the file system or of SQLite; the signal's reason. What was begun is removed then */
export async function createSnapshot(
  directory: string,
  sources: SnapshotSources,
  options: CreateOptions,
): Promise<MadeSnapshot> {
  const madeMs = options.nowMs();
  const { name, partial } = begin(directory, madeMs);
  try {
    await copyAll(partial, sources, options);
    const facts = readCopyFacts(join(partial, JOURNAL));
    settleHeads(partial);
    assertConsistent(partial, facts);
    const files = await describeAll(partial, options);
    const manifest: SnapshotManifest = {
      audit: facts.audit,
      files,
      journal: facts.journal,
      keys: sources.keys !== null,
      made_at: isoMicros(madeMs * 1000),
      node_id: facts.identity.nodeId,
      software: options.software,
      v: 1,
    };
    writeFileSync(join(partial, MANIFEST_FILE), signDocument(SNAPSHOT_MANIFEST, manifest, options.signer), {
      mode: 0o600,
    });
    syncFile(join(partial, MANIFEST_FILE));
    syncTree(partial);
    options.signal?.throwIfAborted();
    const path = join(directory, name);
    renameSync(partial, path);
    syncFolder(directory);
    return { name, path, manifest };
  } catch (thrown) {
    await rm(partial, { recursive: true, force: true });
    throw thrown;
  }
}

/** What a crash left of snapshots that were being made or checked. Others may be at it now: what is young stays. */
export async function removeLeftovers(directory: string, nowMs: number): Promise<void> {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    if (!LEFT_BEHIND.test(name)) continue;
    const path = join(directory, name);
    if (nowMs - statSync(path).mtimeMs > DAY_MS) await rm(path, { recursive: true, force: true });
  }
}

async function copyAll(partial: string, sources: SnapshotSources, options: CreateOptions): Promise<void> {
  const { signal, onProgress } = options;
  if (sources.others.length > MAX_SNAPSHOT_FILES) throw tooManyFiles(sources.others.length);
  const keys = await sources.keys?.();
  // Before the journal: a checkpoint is signed over what is committed, so that a journal copied later holds it.
  copyDurably(sources.signedHeads, join(partial, HEADS));
  await copyJournalInWorker(
    { from: sources.journal, to: join(partial, JOURNAL) },
    {
      ...(signal === undefined ? {} : { signal }),
      onProgress: (done, total) => onProgress?.('copying the journal', done, total),
    },
  );
  // A key and the statement in the journal by which it is the key are of one moment, or neither is of use: the same before
  // and behind the journal, no key was changed over between the two.
  if (keys !== undefined && !isSame(keys, await sources.keys?.())) throw keysChanged();
  for (const [path, bytes] of keys ?? []) writeDurably(join(partial, path), bytes);
  await copyEach(
    sources.others.map(({ from, path }) => ({ from, to: join(partial, path) })),
    signal,
  );
  // Behind the journal: it has the line of each receipt that the journal has.
  if (sources.anchors !== null && existsSync(sources.anchors)) copyLines(sources.anchors, join(partial, ANCHORS));
}

function isSame(before: ReadonlyMap<string, Buffer>, after: ReadonlyMap<string, Buffer> | undefined): boolean {
  return before.size === after?.size && [...before].every(([path, bytes]) => after.get(path)?.equals(bytes) === true);
}

function keysChanged(): SnapshotError {
  const message =
    'a signing key was changed while the journal was copied, so that key and journal would not fit together: nothing was kept; make it again once `keys rotate`, or the start of the daemon, is through';
  return new SnapshotError('keys_changed', message);
}

/** A line that is being written is not copied. */
function copyLines(from: string, to: string): void {
  copyDurably(from, to);
  const end = readFileSync(to).lastIndexOf(0x0a);
  truncateSync(to, end + 1);
  syncFile(to);
}

/** What was signed while the journal was copied stands in the copy: the file may not be behind it. */
function settleHeads(partial: string): void {
  const heads = SignedHeadFile.open(join(partial, HEADS));
  for (const log of ['journal', 'audit'] as const) {
    const recorded = signedHeadIn(join(partial, JOURNAL), log);
    if (recorded !== null && recorded.size > (heads.last(log)?.size ?? -1)) heads.set(log, recorded);
  }
}

/** The copied heads are a past of the copied journal; else one of the two is not this node's. */
function assertConsistent(partial: string, facts: CopyFacts): void {
  const heads = SignedHeadFile.open(join(partial, HEADS));
  for (const log of ['journal', 'audit'] as const) {
    const head = heads.last(log);
    if (head === null || head.size === 0) continue;
    if (rootIn(join(partial, JOURNAL), log, head.size) === head.root) continue;
    const message = `the copy of the ${log} has ${facts[log].size} records and does not hold the checkpoint over ${head.size} that was signed: run \`stigmem-peerd fsck\`; nothing was kept`;
    throw new SnapshotError('inconsistent', message);
  }
}

async function describeAll(partial: string, options: CreateOptions): Promise<readonly SnapshotFile[]> {
  const paths = filesBelow(partial);
  if (paths.length > MAX_SNAPSHOT_FILES) throw tooManyFiles(paths.length);
  const total = bytesOf(partial, paths);
  let done = 0;
  const files: SnapshotFile[] = [];
  for (const path of paths) {
    options.signal?.throwIfAborted();
    const file = await describeFile(partial, path, (count) => {
      done += count;
      options.onProgress?.('hashing', done, total);
    });
    files.push(file);
  }
  return files;
}

/** Named by the second, so that names sort by time. Whoever makes the folder has the name: two may begin within one second. */
function begin(directory: string, nowMs: number): { readonly name: string; readonly partial: string } {
  const base = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
  makeFolder(directory);
  for (let i = 0; ; i++) {
    const name = i === 0 ? base : `${base}-${i}`;
    const partial = partialOf(join(directory, name));
    if (!existsSync(join(directory, name)) && isMade(partial)) return { name, partial };
  }
}

function isMade(folder: string): boolean {
  try {
    mkdirSync(folder, 0o700);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}

function tooManyFiles(count: number): SnapshotError {
  const message = `it would have ${count} files, more than its manifest can name (${MAX_SNAPSHOT_FILES}): move peer files that are not in use out of peers/, and keep them elsewhere; nothing was kept`;
  return new SnapshotError('too_many_files', message);
}
