/** Keeps for a peer what it has sealed for itself. Whatever comes of it, the answer is the same: it tells of no feed. */
import { decodeBase64 } from '../merkle/base64.ts';
import { decodeKeepRequest, encodeKeepAnswer, type SealedNote } from '../wire/keep.ts';
import type { ServeDeps } from './deps.ts';

/** A note as it is stored. */
export interface NoteToKeep extends Omit<SealedNote, 'sealed'> {
  readonly sealed: Uint8Array;
}

export interface KeepDeps extends Pick<ServeDeps, 'peerOf'> {
  readonly keepNotes: (nodeId: string, notes: readonly NoteToKeep[]) => Promise<void>;
}

/** One frame; none for a request that cannot be read. */
export async function* answerKeep(request: Uint8Array, peerId: string, deps: KeepDeps): AsyncGenerator<Uint8Array> {
  const peer = deps.peerOf(peerId);
  const decoded = decodeKeepRequest(request);
  if (peer === undefined || !decoded.ok) return;
  const { notes } = decoded.value;
  const bytesOf = (note: SealedNote): NoteToKeep => ({
    ...note,
    sealed: Uint8Array.from(decodeBase64(note.sealed) ?? []),
  });
  await deps.keepNotes(peer.nodeId, notes.map(bytesOf));
  yield encodeKeepAnswer(notes.length);
}
