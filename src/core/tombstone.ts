/** What a tombstone says: which entry of its author's log has no body any more. */
import { hash } from 'node:crypto';

/** Relation of the entry that is a tombstone. */
export const TOMBSTONE = 'stigmem:tombstone';

/** The value of a tombstone. Hashes are texts, `sha256:` and 64 hex digits, so that a guard in SQL can compare them. */
export interface Tombstone {
  /** {@link factDigest} of the fact's id: the id itself would let guesses of the body be tested against the hash chain. */
  readonly fact: string;
  /** Place in the feed, from 1; the tombstone stands in the same feed. */
  readonly feed_seq: number;
  readonly leaf_hash: string;
  /** 0-based, in the author's tree. */
  readonly leaf_index: number;
}

const FORM =
  /^\{"fact":"(sha256:[0-9a-f]{64})","feed_seq":([1-9][0-9]{0,15}),"leaf_hash":"(sha256:[0-9a-f]{64})","leaf_index":(0|[1-9][0-9]{0,15}),"v":1\}$/;

/** Canonical JSON (RFC 8785). */
export function encodeTombstone({ fact, feed_seq, leaf_hash, leaf_index }: Tombstone): string {
  return `{"fact":"${fact}","feed_seq":${feed_seq},"leaf_hash":"${leaf_hash}","leaf_index":${leaf_index},"v":1}`;
}

/** Total; one text per value. */
export function decodeTombstone(text: string): Tombstone | null {
  const [, fact = '', feedSeq, leafHash = '', leafIndex] = FORM.exec(text) ?? [];
  const [feed_seq, leaf_index] = [Number(feedSeq), Number(leafIndex)];
  if (!Number.isSafeInteger(feed_seq) || !Number.isSafeInteger(leaf_index)) return null;
  return { fact, feed_seq, leaf_hash: leafHash, leaf_index };
}

/** Tells a fact id from others without holding it. */
export function factDigest(factId: string): Buffer {
  return hash('sha256', `stigmem-fact-id/v1\n${factId}`, 'buffer');
}

/** Entity of the tombstone of a leaf: each has its own, so that no two of them contradict each other. */
export function tombstoneEntity(nodeId: string, leafIndex: number): string {
  return `${nodeId}/tombstone/${leafIndex}`;
}
