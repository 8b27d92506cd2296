/**
 * Restores a snapshot into a scratch folder and checks it there as `fsck` checks a node. Only that makes it a backup: a copy
 * that nobody has put back is a hope.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from '../config/atomic-file.ts';
import { isoMicros } from '../core/time.ts';
import { logKeysIn, readCopyFacts, rootIn } from '../journal/copy-journal.ts';
import type { AnchorClaim } from '../journal/fsck/anchor-check.ts';
import type { FsckReport } from '../journal/fsck/report.ts';
import { filesOf } from '../journal/fsck/run-fsck.ts';
import { runFsckInWorker } from '../journal/fsck/worker-run.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { signDocument } from '../wire/signed-document.ts';
import { SNAPSHOT_PROOF, type SnapshotManifest, type SnapshotProof } from '../wire/snapshot-manifest.ts';
import { checkFiles, type ReadSnapshot, readSnapshot, type SnapshotProblem } from './check.ts';
import { PROOF_FILE, syncFile } from './files.ts';
import { putBack } from './put-back.ts';
import { openScratch } from './scratch.ts';

export interface VerifyOptions {
  /** Raw log keys, the newest first. */
  readonly keys: readonly [Uint8Array, ...Uint8Array[]];
  /** Where the scratch folder is made; it takes as much room as the snapshot. */
  readonly scratch: string;
  /** What others hold of this node's logs. */
  readonly anchors: readonly AnchorClaim[];
  /** The journal of the running node, which the snapshot has to be a past of; null: it is not here. */
  readonly liveJournal: string | null;
  readonly signal?: AbortSignal;
  readonly onProgress?: (phase: string, done: number, total: number) => void;
}

export interface SnapshotReport {
  readonly ok: boolean;
  readonly problems: readonly SnapshotProblem[];
  /** Null: there is no manifest that verifies. */
  readonly snapshot: ReadSnapshot | null;
  /** Null: it did not come so far. */
  readonly fsck: FsckReport | null;
}

/** @throws the error of the file system; the signal's reason */
export async function verifySnapshot(path: string, options: VerifyOptions): Promise<SnapshotReport> {
  const read = readSnapshot(path, options.keys);
  if (!read.ok) return { ok: false, problems: [read.error], snapshot: null, fsck: null };
  const snapshot = read.value;
  const { signal, onProgress } = options;
  const found = await checkFiles(path, snapshot.manifest, {
    ...(signal === undefined ? {} : { signal }),
    onProgress: (done, total) => onProgress?.('hashing', done, total),
  });
  if (found.length > 0) return { ok: false, problems: found, snapshot, fsck: null };
  await using scratch = await openScratch(options.scratch, Date.now());
  await putBack(path, snapshot.manifest, scratch.path, signal);
  return await checkRestored(scratch.path, snapshot, options);
}

/** Checks a folder that a snapshot was put back into. */
export async function checkRestored(
  folder: string,
  snapshot: ReadSnapshot,
  { anchors, keys, liveJournal, onProgress, signal }: VerifyOptions,
): Promise<SnapshotReport> {
  const files = filesOf(folder);
  const fsck = await runFsckInWorker(files, {
    logKey: keys[0],
    anchors,
    ...(signal === undefined ? {} : { signal }),
    onProgress: ({ phase, done, total }) => onProgress?.(`checking ${phase}`, done, total),
  });
  const problems: SnapshotProblem[] = fsck.problems.map(({ table, row, field, code, detail }) => ({
    path: [table, row, field].filter((one) => one !== null).join(' '),
    code,
    detail,
  }));
  problems.push(...compareSigned(files.journal, snapshot.manifest));
  if (liveJournal !== null) problems.push(...compareLive(liveJournal, snapshot.manifest));
  return { ok: problems.length === 0, problems, snapshot, fsck };
}

function compareSigned(journal: string, { audit, journal: signed, node_id }: SnapshotManifest): SnapshotProblem[] {
  const facts = readCopyFacts(journal);
  const problems: SnapshotProblem[] = [];
  if (facts.identity.nodeId !== node_id)
    problems.push({ path: 'journal.db', code: 'other_node', detail: `it belongs to ${facts.identity.nodeId}` });
  for (const [log, expected] of [
    ['journal', signed],
    ['audit', audit],
  ] as const) {
    const found = facts[log];
    if (found.size === expected.size && found.root === expected.root) continue;
    const detail = `expected ${expected.size} records of the ${log} with root ${expected.root}, got ${found.size} with ${found.root}`;
    problems.push({ path: 'journal.db', code: 'root_mismatch', detail });
  }
  return problems;
}

/** The running node has grown since, from exactly this. Its audit log may have lost its end in a restore, and says so then. */
function compareLive(live: string, { journal }: SnapshotManifest): SnapshotProblem[] {
  if (rootIn(live, 'journal', journal.size) === journal.root) return [];
  const detail = `the journal of the node does not go on from the ${journal.size} records of this snapshot: it is of another history, or newer than the node`;
  return [{ path: 'journal.db', code: 'other_history', detail }];
}

/** Writes beside the manifest that this very snapshot was restored and checked. @returns the signed proof */
export function recordProof(path: string, snapshot: ReadSnapshot, signer: LogSigner, nowMs: number): string {
  const { audit, journal } = snapshot.manifest;
  const proof: SnapshotProof = {
    audit_size: audit.size,
    journal_size: journal.size,
    manifest: snapshot.digest,
    v: 1,
    verified_at: isoMicros(nowMs * 1000),
  };
  const note = signDocument(SNAPSHOT_PROOF, proof, signer);
  writeFileSync(join(path, PROOF_FILE), note, { mode: 0o600 });
  syncFile(join(path, PROOF_FILE));
  syncFolder(path);
  return note;
}

/** Keys that a snapshot of this node may be signed with. */
export function snapshotKeys(journal: string, logKey: Uint8Array): readonly [Uint8Array, ...Uint8Array[]] {
  const [first = logKey, ...others] = logKeysIn(journal, logKey);
  return [first, ...others];
}
