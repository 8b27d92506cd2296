/** Reads a snapshot: its manifest, and whether its files are those that were signed for. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type DocumentForm, maxNoteBytes, openDocument } from '../wire/signed-document.ts';
import {
  SNAPSHOT_MANIFEST,
  SNAPSHOT_PROOF,
  type SnapshotManifest,
  type SnapshotProof,
} from '../wire/snapshot-manifest.ts';
import { digestOf } from '../wire/worm-manifest.ts';
import { bytesOf, describeFile, filesBelow, MANIFEST_FILE, PROOF_FILE } from './files.ts';

export interface SnapshotProblem {
  /** File of the snapshot, or table of its journal. */
  readonly path: string;
  readonly code: string;
  readonly detail: string;
}

/** A manifest whose signature verifies. */
export interface ReadSnapshot {
  readonly manifest: SnapshotManifest;
  readonly origin: string;
  /** Hash of its bytes. */
  readonly digest: string;
  /** Null: nobody has restored and checked this very manifest. */
  readonly proof: SnapshotProof | null;
}

/** @param keys raw log keys, any of which may have signed */
export function readSnapshot(
  path: string,
  keys: readonly Uint8Array[],
): { readonly ok: true; readonly value: ReadSnapshot } | { readonly ok: false; readonly error: SnapshotProblem } {
  const bytes = readBounded(join(path, MANIFEST_FILE), SNAPSHOT_MANIFEST);
  if (bytes === null || typeof bytes === 'number') return { ok: false, error: unread(path, bytes) };
  const opened = openDocument(SNAPSHOT_MANIFEST, bytes, keys, null);
  if (!opened.ok) {
    const detail =
      'it was changed, or it is not signed by the keys given here; keys that were copied before a `keys rotate` lack the newest';
    return { ok: false, error: { path: MANIFEST_FILE, code: opened.error, detail } };
  }
  const digest = digestOf(bytes);
  const { origin, value } = opened.value;
  return { ok: true, value: { manifest: value, origin, digest, proof: proofOf(path, keys, origin, digest) } };
}

function unread(path: string, tooLarge: number | null): SnapshotProblem {
  if (tooLarge !== null) {
    const detail = `it has ${tooLarge} bytes, more than any manifest that this program reads (${maxNoteBytes(SNAPSHOT_MANIFEST)}): it was changed, or a newer program made it`;
    return { path: MANIFEST_FILE, code: 'manifest_too_large', detail };
  }
  const detail = existsSync(path)
    ? 'it is not there: this is no snapshot, or one that was not finished'
    : 'no such folder';
  return { path: MANIFEST_FILE, code: 'manifest_missing', detail };
}

function proofOf(path: string, keys: readonly Uint8Array[], origin: string, digest: string): SnapshotProof | null {
  const bytes = readBounded(join(path, PROOF_FILE), SNAPSHOT_PROOF);
  const isThere = bytes !== null && typeof bytes !== 'number';
  const opened = isThere ? openDocument(SNAPSHOT_PROOF, bytes, keys, origin) : null;
  return opened?.ok === true && opened.value.value.manifest === digest ? opened.value.value : null;
}

/** @returns its size when it is too large; null: it is not there */
function readBounded(file: string, form: Pick<DocumentForm<unknown>, 'maxBytes'>): Buffer | number | null {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) return null;
  return size > maxNoteBytes(form) ? size : readFileSync(file);
}

/** Every file against its hash, and no file that was not signed for. */
export async function checkFiles(
  path: string,
  { files }: SnapshotManifest,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number) => void },
): Promise<readonly SnapshotProblem[]> {
  const problems: SnapshotProblem[] = [];
  const there = new Set(filesBelow(path));
  const total = bytesOf(
    path,
    files.map((file) => file.path),
  );
  let done = 0;
  for (const expected of files) {
    options.signal?.throwIfAborted();
    if (!there.delete(expected.path)) {
      problems.push({ path: expected.path, code: 'file_missing', detail: 'it is named in the manifest' });
      continue;
    }
    const found = await describeFile(path, expected.path, (count) => {
      done += count;
      options.onProgress?.(done, total);
    });
    if (found.sha256 === expected.sha256 && found.bytes === expected.bytes) continue;
    const detail = `expected ${expected.bytes} bytes with ${expected.sha256}, got ${found.bytes} with ${found.sha256}`;
    problems.push({ path: expected.path, code: 'file_changed', detail });
  }
  for (const name of [MANIFEST_FILE, PROOF_FILE]) there.delete(name);
  for (const name of there) problems.push({ path: name, code: 'file_unexpected', detail: 'no manifest names it' });
  return problems;
}
