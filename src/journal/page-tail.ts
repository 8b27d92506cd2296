/** The end of a stored page: what the next entry of that peer's chain has to link to. */
import { chainHash } from '../core/chain.ts';
import { decodeEntry } from '../core/entry.ts';
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { sameHash } from '../merkle/hash.ts';
import { parseNote } from '../merkle/note.ts';
import { foldPage } from '../merkle/page-proof.ts';
import { storedLeaves } from '../verify/page-leaves.ts';
import { type DecodedPage, decodePage, type PageFrames } from '../wire/page.ts';

/** The last entry of a peer's chain that was judged here. */
export interface Neighbour {
  readonly chainSeq: number;
  readonly chainHash: string;
  /** As it follows from the entry, when that is another one: a successor that links to either is not at fault. */
  readonly computedHash?: string;
}

/**
 * Null when the page says nothing for certain: its last entry cannot be read, or the page proof failed, and what stands
 * there may have been garbled on the way. A link that is not known is not checked; the tree holds it all the same.
 */
export function lastLink(frames: PageFrames): Neighbour | null {
  const page = decodePage(frames);
  const last = page.ok ? page.value.entries.at(-1) : undefined;
  const entry = last === undefined ? undefined : decodeEntry(last);
  if (!page.ok || entry?.ok !== true || !isProved(page.value)) return null;
  const { chain_seq, chain_hash } = entry.value;
  const link = { chainSeq: chain_seq, chainHash: chain_hash };
  const computedHash = chainHash(entry.value);
  return computedHash === chain_hash ? link : { ...link, computedHash };
}

/** The page proof leads from the stored bytes to the root of the page's checkpoint, whose signature was verified then. */
function isProved(page: DecodedPage): boolean {
  const { header, proof } = page;
  const note = parseNote(header.checkpoint);
  const checkpoint = note.ok ? parseCheckpoint(note.value.text) : note;
  if (!checkpoint.ok) return false;
  const folded = foldPage(checkpoint.value.size, header.indexes, storedLeaves(page), proof);
  return folded.ok && sameHash(folded.value, checkpoint.value.root);
}
