/** The snapshots of a directory, newest first, and which of them may go. */
import { existsSync, readdirSync, renameSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { agoMs } from '../core/time.ts';
import { readSnapshot } from './check.ts';
import { MANIFEST_FILE, PROOF_FILE, partialOf } from './files.ts';

export interface ShelvedSnapshot {
  readonly name: string;
  readonly path: string;
  /** `damaged`: it has no manifest that verifies. */
  readonly state: 'verified' | 'unverified' | 'damaged';
  readonly madeAt: string | null;
  readonly verifiedAt: string | null;
  readonly journalSize: number | null;
  readonly auditSize: number | null;
  readonly bytes: number | null;
  readonly keys: boolean;
}

/** A name that this program gives. */
const NAME = /^\d{8}T\d{6}Z(-\d+)?$/;

/** Signatures are checked, files are not. @throws the error of the file system, but for a directory that is not there */
export function listSnapshots(directory: string, keys: readonly Uint8Array[]): readonly ShelvedSnapshot[] {
  return namesIn(directory).map((name) => shelved(join(directory, name), name, keys));
}

/**
 * The same for whoever asks again and again: a manifest of thousands of files is read once, and again when its file, or that of the proof, is
 * another one.
 */
export function watchedShelf(directory: string, keys: readonly Uint8Array[]): () => readonly ShelvedSnapshot[] {
  let known = new Map<string, { readonly stamp: string; readonly snapshot: ShelvedSnapshot }>();
  return () => {
    const now = namesIn(directory).map((name) => {
      const path = join(directory, name);
      const stamp = [MANIFEST_FILE, PROOF_FILE].map((file) => stampOf(join(path, file))).join(' ');
      const last = known.get(name);
      return last?.stamp === stamp ? last : { stamp, snapshot: shelved(path, name, keys) };
    });
    known = new Map(now.map((one) => [one.snapshot.name, one]));
    return now.map(({ snapshot }) => snapshot);
  };
}

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? '-' : `${stat.ino}:${stat.size}:${stat.mtimeNs}`;
}

function shelved(path: string, name: string, keys: readonly Uint8Array[]): ShelvedSnapshot {
  const read = readSnapshot(path, keys);
  if (!read.ok) {
    const nothing = { madeAt: null, verifiedAt: null, journalSize: null, auditSize: null, bytes: null, keys: false };
    return { name, path, state: 'damaged', ...nothing };
  }
  const { manifest, proof } = read.value;
  return {
    name,
    path,
    state: proof === null ? 'unverified' : 'verified',
    madeAt: manifest.made_at,
    verifiedAt: proof?.verified_at ?? null,
    journalSize: manifest.journal.size,
    auditSize: manifest.audit.size,
    bytes: manifest.files.reduce((sum, file) => sum + file.bytes, 0),
    keys: manifest.keys,
  };
}

/**
 * Which snapshots are behind the newest `keep` that were restored and checked. What is newer than those is never among them,
 * whatever it is; where fewer were checked, nothing is. One of a time to come stays, and stands for none that is newer.
 */
export function prunable(shelf: readonly ShelvedSnapshot[], keep: number, nowMs: number): readonly ShelvedSnapshot[] {
  const past = shelf.filter(({ madeAt }) => madeAt === null || Number.isFinite(agoMs(Date.parse(madeAt), nowMs)));
  const verified = past.filter(({ state }) => state === 'verified');
  const last = verified[keep - 1];
  return last === undefined ? [] : past.slice(past.indexOf(last) + 1);
}

/** Killed in the middle, what is left of one has no name under which it could count as a copy that was checked. */
export async function removeSnapshots(snapshots: readonly Pick<ShelvedSnapshot, 'path'>[]): Promise<void> {
  for (const { path } of snapshots) {
    const leaving = partialOf(path);
    await rm(leaving, { recursive: true, force: true });
    if (existsSync(path)) renameSync(path, leaving);
    await rm(leaving, { recursive: true, force: true });
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => NAME.test(name))
      .sort()
      .reverse();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw thrown;
  }
}
