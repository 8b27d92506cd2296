/**
 * What was shipped to a store that forgets nothing: each manifest names the segments that are new, how far each stream has
 * come, the newest checkpoints of both logs, and the manifest before it by its hash. Where a node was put back from a copy, the
 * next manifest says which one it goes on from. See docs/journal-format.md, WORM store.
 */
import { sha256 } from '../merkle/hash.ts';
import { MAX_NOTE_BYTES } from '../merkle/note.ts';
import { describe, integer, list, literal, nullable, object, oneOf, type Shape, text } from './shape.ts';
import type { DocumentForm } from './signed-document.ts';

/** Anchors come first: whoever reads a chain compares them with trees that it has not gone past. */
export const WORM_STREAMS = ['anchors', 'receipts', 'journal', 'audit'] as const;
export type WormStream = (typeof WORM_STREAMS)[number];

/** Segments of one manifest; with their paths they stay below the size of a signed document. */
export const MAX_MANIFEST_SEGMENTS = 64;
/** A segment ends with the record that reaches its aim of 4 MiB. */
export const MAX_SEGMENT_BYTES = 16_777_216;
const MAX_CHECKPOINT_CHARS = 16_384;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const SEQUENCE_DIGITS = 15;
const NUMBER_DIGITS = 12;
export const MAX_MANIFEST_NUMBER: number = 10 ** NUMBER_DIGITS - 1;
/** Restores of one chain: each is one more place that a reader goes back to. */
export const MAX_RESTORES = 1_000;

export interface WormSegment {
  readonly bytes: number;
  /** Sequence of the first record, from 1. */
  readonly first: number;
  readonly last: number;
  readonly path: string;
  readonly sha256: string;
  readonly stream: WormStream;
  /** Which version of the object a store with versions has locked; null where there are none. */
  readonly version: string | null;
}

export type WormEnds = { readonly [S in WormStream]: number };

/** The node was put back from a copy: what streams the next manifests go on with. The same in all of them until the next restore. */
export interface WormRestore {
  /** When the export found it out. */
  readonly at: string;
  /** The newest manifest that holds nothing but what is in the copy; 0: none does. */
  readonly base: number;
  /** Hash of its bytes; null for none. */
  readonly base_digest: string | null;
  /** Which restore of the chain it is, from 1. */
  readonly count: number;
  /** Ends of the manifest `base`: the streams go on behind them. */
  readonly from: WormEnds;
  /** Ends of the manifest that was left, the one before `number`: what lies between is only in manifests before `number`. */
  readonly left: WormEnds;
  /** The first manifest after it. */
  readonly number: number;
}

export interface WormManifest {
  /** Newest signed checkpoint of the audit log. */
  readonly audit: string;
  /** The last record of each stream that this manifest or one before it holds; 0 for none. */
  readonly ends: WormEnds;
  /** Newest signed checkpoint of the journal. */
  readonly journal: string;
  readonly made_at: string;
  /** From 1, without holes. */
  readonly number: number;
  /** Hash of the bytes of the manifest before; null for the first. */
  readonly previous: string | null;
  /** Not there until the node was put back from a copy. */
  readonly restored?: WormRestore;
  /** Until when the store was told to keep what is new; null: a folder, which keeps it without end. */
  readonly retain_until: string | null;
  readonly segments: readonly WormSegment[];
  /** 2: with `restored`. */
  readonly v: 1 | 2;
}

const digest: Shape<string> = {
  check: (value, at) =>
    typeof value === 'string' && DIGEST.test(value) ? null : { at, expected: 'sha256:…', got: describe(value) },
};

const ENDS: Shape<WormEnds> = object<WormEnds>({
  anchors: integer(),
  audit: integer(),
  journal: integer(),
  receipts: integer(),
});

const SEGMENTS: Shape<readonly WormSegment[]> = list(
  object<WormSegment>({
    bytes: integer(MAX_SEGMENT_BYTES, 1),
    first: integer(undefined, 1),
    last: integer(undefined, 1),
    path: text(256),
    sha256: digest,
    stream: oneOf(...WORM_STREAMS),
    version: nullable(text(1_024)),
  }),
  MAX_MANIFEST_SEGMENTS,
);

const RESTORE: Shape<WormRestore> = object<WormRestore>({
  at: text(64),
  base: integer(MAX_MANIFEST_NUMBER),
  base_digest: nullable(digest),
  count: integer(MAX_RESTORES, 1),
  from: ENDS,
  left: ENDS,
  number: integer(MAX_MANIFEST_NUMBER, 2),
});

type Plain = Omit<WormManifest, 'restored' | 'v'>;

const BEFORE_RESTORE = {
  audit: text(MAX_CHECKPOINT_CHARS),
  ends: ENDS,
  journal: text(MAX_CHECKPOINT_CHARS),
  made_at: text(64),
  number: integer(MAX_MANIFEST_NUMBER, 1),
  previous: nullable(digest),
} as const;

const BEHIND_RESTORE = { retain_until: nullable(text(64)), segments: SEGMENTS } as const;

const PLAIN: Shape<Plain & { readonly v: 1 }> = object({ ...BEFORE_RESTORE, ...BEHIND_RESTORE, v: literal(1) });

const RESTORED: Shape<Plain & { readonly restored: WormRestore; readonly v: 2 }> = object({
  ...BEFORE_RESTORE,
  restored: RESTORE,
  ...BEHIND_RESTORE,
  v: literal(2),
});

const SHAPE: Shape<WormManifest> = {
  check: (value, at) => (isSecond(value) ? RESTORED.check(value, at) : PLAIN.check(value, at)),
};

function isSecond(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'v' in value && value.v === 2;
}

export const WORM_MANIFEST: DocumentForm<WormManifest> = { title: 'stigmem-worm-manifest/v1', shape: SHAPE };

interface LostRecords {
  readonly stream: Exclude<WormStream, 'journal'>;
  readonly first: number;
  readonly last: number;
}

/** Records that only manifests before a restore hold. Entries of the journal are shipped once more behind it. */
export function onlyBefore({ from, left }: WormRestore): readonly LostRecords[] {
  const streams = (['audit', 'anchors', 'receipts'] as const).filter((stream) => left[stream] > from[stream]);
  return streams.map((stream) => ({ stream, first: from[stream] + 1, last: left[stream] }));
}

/** Largest manifest that is read back. */
export const MAX_MANIFEST_BYTES: number = MAX_NOTE_BYTES;

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${sha256(bytes).toString('hex')}`;
}

export function manifestPath(number: number): string {
  return `manifest/${String(number).padStart(NUMBER_DIGITS, '0')}.note`;
}

/** A segment is named by its first sequence and its hash: written again after a crash it is the same object. */
export function segmentPath(stream: WormStream, first: number, bytes: Uint8Array): string {
  return `${stream}/${String(first).padStart(SEQUENCE_DIGITS, '0')}-${digestOf(bytes).slice('sha256:'.length)}.jsonl`;
}
