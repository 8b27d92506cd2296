/** What the tree of a summary says of each refusal in it. See docs/journal-format.md, "Summaries of refusals". */
import { canonicalJson } from '../core/canonical-json.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { leafHash } from '../merkle/hash.ts';

export interface RefusedEntry {
  readonly peer: string;
  readonly feed: string;
  readonly reason: string;
  readonly feedSeq: number;
  /** In the peer's journal. */
  readonly chainSeq: number;
  /** Leaf hash of the entry as received, 32 bytes. */
  readonly entryLeaf: Uint8Array;
}

/** It commits to the bytes of the entry, so that whoever holds the page or the evidence of one refusal can make it again. */
export function entryRefusalLeaf({ peer, feed, reason, feedSeq, chainSeq, entryLeaf }: RefusedEntry): Buffer {
  const leaf = encodeBase64(entryLeaf);
  const text = canonicalJson({ chain_seq: chainSeq, entry_leaf: leaf, feed, feed_seq: feedSeq, peer, reason });
  return leafHash(Buffer.from(text));
}

export interface RefusedPage {
  readonly peer: string;
  readonly feed: string;
  readonly reason: string;
  /** `sha256:…` of the evidence text. */
  readonly evidence: string;
}

export function pageRefusalLeaf({ peer, feed, reason, evidence }: RefusedPage): Buffer {
  return leafHash(Buffer.from(canonicalJson({ evidence, feed, peer, reason })));
}
