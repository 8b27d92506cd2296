/**
 * Entries that were received from a peer, written again as they stood in our log: from what the peer sends once more, and
 * the restore note that we had left with it. Nobody is believed: the note is sealed by ourselves and names the hash of what
 * has to come out, and the tail as a whole has to give the root that we signed.
 */
import { draftReceived, placeDraft } from '../core/draft.ts';
import { decodeEntry, encodeEntry } from '../core/entry.ts';
import { isoMicros } from '../core/time.ts';
import { entryLeafHashInto } from '../merkle/commitment.ts';
import { HASH_BYTES, sameHash, sha256 } from '../merkle/hash.ts';
import type { RestoreNote } from '../wire/restore-note.ts';
import type { ProvedEntry } from './own-tail.ts';

/** An entry as the peer sends it. */
export interface SentEntry {
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * Pure and total; null unless exactly the entries come out that the note was made of.
 *
 * @param sent what stands in the peer's feed at the note's places, in their order
 * @param sender node id of the peer
 */
export function rebuildEntries(
  note: RestoreNote,
  sent: readonly SentEntry[],
  sender: string,
): readonly ProvedEntry[] | null {
  const leaves = Buffer.alloc(note.entries.length * HASH_BYTES);
  const rebuilt: ProvedEntry[] = [];
  const createdAt = isoMicros(note.createdUs);
  let previousHash = note.previousHash === null ? null : `sha256:${Buffer.from(note.previousHash).toString('hex')}`;
  for (const [i, { salt }] of note.entries.entries()) {
    const read = sent[i] === undefined ? null : readSent(sent[i]);
    if (read === null) return null;
    const entry = placeDraft(draftReceived(read.entry, read.leafHash, sender), {
      chainSeq: note.firstSeq + i,
      feedSeq: note.firstFeedSeq + i,
      createdAt,
      previousHash,
    });
    previousHash = entry.chain_hash;
    const bytes = Buffer.from(encodeEntry(entry));
    entryLeafHashInto(salt, bytes, leaves, i * HASH_BYTES);
    const leafHash = leaves.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
    rebuilt.push({ index: entry.chain_seq - 1, salt, bytes, leafHash });
  }
  return sameHash(sha256(leaves), note.digest) ? rebuilt : null;
}

function readSent({ salt, bytes }: SentEntry) {
  const entry = decodeEntry(bytes);
  if (!entry.ok) return null;
  const leafHash = Buffer.alloc(HASH_BYTES);
  entryLeafHashInto(salt, bytes, leafHash, 0);
  return { entry: entry.value, leafHash };
}
