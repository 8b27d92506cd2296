/** Checkpoints in a local log of anchors, as claims about a journal. */
import { basename } from 'node:path';
import { localNotes } from '../anchor/local-notes.ts';
import type { AnchorClaim } from '../journal/fsck/anchor-check.ts';

/** Those of one log at the end of the file; none where there is no such file. */
export async function localClaims(file: string, origin: string): Promise<readonly AnchorClaim[]> {
  const notes = await localNotes(file, origin);
  return notes.map((note) => ({ source: basename(file), note, chain: null }));
}
