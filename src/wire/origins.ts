/** What a relay shows beside its own page: that the facts in it are those that their origin has in its log. */
import { MAX_RELAY_PAGE_ENTRIES } from '../core/limits.ts';
import { MAX_PERMIT_CHARS } from './relay-permit.ts';
import { base64, integer, list, nullable, object, type Shape, text } from './shape.ts';
import { MAX_SUCCESSION_CHARS } from './succession.ts';

const HASH_BYTES = 32;
const MAX_TIME_CHARS = 256;
/** A checkpoint with the lines of two log keys. */
const MAX_CHECKPOINT_CHARS = 2_048;
/** Of one leaf in a tree of 2^53 there are 53; adjacent leaves share most of theirs. */
const MAX_BATCH_HASHES = 8_192;
const MAX_STATEMENTS = 8;

/** What the entry of the origin has that the relay's entry of the same fact has not. */
export interface OriginEntry {
  readonly created_at: string;
  readonly feed_seq: number;
  /** base64 of the 32 bytes of its previous chain hash; null for the first entry of the chain. */
  readonly previous_hash: string | null;
  /** base64 */
  readonly salt: string;
}

/** Entries of the page that stand under one checkpoint of the origin. */
export interface OriginBatch {
  /** Signed note. */
  readonly checkpoint: string;
  /** Places in the page, from 0, in the order of their leaves in the origin's tree. */
  readonly places: readonly number[];
  /** Page proof, base64 hashes. */
  readonly proof: readonly string[];
}

export interface Origins {
  readonly batches: readonly OriginBatch[];
  /** One for each entry of the page; null for one that is withheld. */
  readonly entries: readonly (OriginEntry | null)[];
  /** Signed note, see `relay-permit.ts`. */
  readonly permit: string;
  /** Statements of successions of the origin's log key. */
  readonly successions: readonly string[];
}

export const ORIGINS: Shape<Origins> = object<Origins>({
  batches: list(
    object<OriginBatch>({
      checkpoint: text(MAX_CHECKPOINT_CHARS),
      places: list(integer(MAX_RELAY_PAGE_ENTRIES - 1), MAX_RELAY_PAGE_ENTRIES),
      proof: list(base64(HASH_BYTES), MAX_BATCH_HASHES),
    }),
    MAX_RELAY_PAGE_ENTRIES,
  ),
  entries: list(
    nullable(
      object<OriginEntry>({
        created_at: text(MAX_TIME_CHARS),
        feed_seq: integer(Number.MAX_SAFE_INTEGER, 1),
        previous_hash: nullable(base64(HASH_BYTES)),
        salt: base64(HASH_BYTES),
      }),
    ),
    MAX_RELAY_PAGE_ENTRIES,
  ),
  permit: text(MAX_PERMIT_CHARS),
  successions: list(text(MAX_SUCCESSION_CHARS), MAX_STATEMENTS),
});
