/** What a snapshot of a node holds, under the signature of its log key. See docs/journal-format.md, snapshots. */
import { boolean, describe, integer, list, literal, nullable, object, type Shape, text } from './shape.ts';
import type { DocumentForm } from './signed-document.ts';

/** Twice as many as there may be peer files. */
export const MAX_SNAPSHOT_FILES = 8_192;
/** Holds so many files of the longest names, and both checkpoints. Programs before this read 400 files in 64 KiB. */
export const MAX_MANIFEST_BYTES = 3_145_728;
const MAX_CHECKPOINT_CHARS = 16_384;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** Names below a snapshot: no way out of it, none hidden. */
const PATH = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

export interface SnapshotFile {
  readonly bytes: number;
  readonly path: string;
  readonly sha256: string;
}

/** One log as the copied journal has it. */
export interface SnapshotLog {
  /** Newest signed checkpoint in the copy; null: none was signed. */
  readonly checkpoint: string | null;
  /** Over all records, base64. */
  readonly root: string;
  readonly size: number;
}

export interface SnapshotManifest {
  readonly audit: SnapshotLog;
  readonly files: readonly SnapshotFile[];
  readonly journal: SnapshotLog;
  /** The folder's keys are in it. */
  readonly keys: boolean;
  readonly made_at: string;
  readonly node_id: string;
  readonly software: string;
  readonly v: 1;
}

/** Written beside a snapshot when it has been restored elsewhere and checked whole. */
export interface SnapshotProof {
  readonly audit_size: number;
  readonly journal_size: number;
  /** Hash of the bytes of the manifest. */
  readonly manifest: string;
  readonly v: 1;
  readonly verified_at: string;
}

const digest: Shape<string> = {
  check: (value, at) =>
    typeof value === 'string' && DIGEST.test(value) ? null : { at, expected: 'sha256:…', got: describe(value) },
};

/** Whether a manifest can name a file. */
export function isSnapshotPath(path: string): boolean {
  return path.length <= 200 && PATH.test(path);
}

const path: Shape<string> = {
  check: (value, at) =>
    typeof value === 'string' && isSnapshotPath(value)
      ? null
      : { at, expected: 'a path below the snapshot', got: describe(value) },
};

const LOG: Shape<SnapshotLog> = object<SnapshotLog>({
  checkpoint: nullable(text(MAX_CHECKPOINT_CHARS)),
  root: text(64),
  size: integer(),
});

export const SNAPSHOT_MANIFEST: DocumentForm<SnapshotManifest> = {
  title: 'stigmem-snapshot/v1',
  maxBytes: MAX_MANIFEST_BYTES,
  shape: object<SnapshotManifest>({
    audit: LOG,
    files: list(object<SnapshotFile>({ bytes: integer(), path, sha256: digest }), MAX_SNAPSHOT_FILES),
    journal: LOG,
    keys: boolean,
    made_at: text(64),
    node_id: text(256),
    software: text(128),
    v: literal(1),
  }),
};

export const SNAPSHOT_PROOF: DocumentForm<SnapshotProof> = {
  title: 'stigmem-snapshot-verified/v1',
  shape: object<SnapshotProof>({
    audit_size: integer(),
    journal_size: integer(),
    manifest: digest,
    v: literal(1),
    verified_at: text(64),
  }),
};
