/** Gives a peer back what it once gave us: its own checkpoint, key successions and entries, nothing of anybody else's. */
import { MAX_KEEP_BYTES, MAX_PAGES_PER_PULL } from '../core/limits.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { MAX_KEPT_NOTES } from '../wire/keep.ts';
import { encodePullEnd } from '../wire/pull-end.ts';
import { decodeRecoverRequest, encodeHeadAnswer } from '../wire/recover.ts';
import { encodeKeysAnswer } from '../wire/recover-keys.ts';
import { encodeNotesAnswer, type NotesRequest } from '../wire/recover-notes.ts';
import type { ServeDeps } from './deps.ts';

/**
 * One frame with the largest checkpoint held, the key successions, or restore notes; or the pages as they were received, then an end frame.
 * Needs no grant: all of it is the asker's own, and its key is proven. No answer to what cannot be read.
 */
export async function* answerRecover(request: Uint8Array, peerId: string, deps: ServeDeps): AsyncGenerator<Uint8Array> {
  const peer = deps.peerOf(peerId);
  const decoded = decodeRecoverRequest(request);
  if (peer === undefined || !decoded.ok) return;
  if (decoded.value.kind === 'head') {
    yield encodeHeadAnswer(await deps.reader.heldCheckpoint(peer.nodeId));
    return;
  }
  if (decoded.value.kind === 'keys') {
    yield encodeKeysAnswer(await deps.successions(peer.nodeId));
    return;
  }
  if (decoded.value.kind === 'notes') {
    yield await notesAnswer(peer.nodeId, decoded.value, deps);
    return;
  }
  const { from, skip } = decoded.value;
  // It has lost what is behind: what we gave it about that is gone as well.
  if (skip === 0) await deps.onLost(peer.nodeId, from);
  for (let sent = 0, behind = 0; sent < MAX_PAGES_PER_PULL; sent++) {
    // What was passed over once is not counted through again for each page.
    const held = await deps.reader.heldPage(peer.nodeId, { from, behind, skip: sent === 0 ? skip : 0 });
    if (held === undefined) {
      yield encodePullEnd({ end: true, has_more: false });
      return;
    }
    behind = held.id;
    const page = held.frames;
    yield page.header;
    if (page.entries !== null) yield page.entries;
    if (page.proof !== null) yield page.proof;
    if (page.note !== null) yield page.note;
  }
  yield encodePullEnd({ end: true, has_more: true });
}

/** Bytes of notes in an answer: base64, and the members around each, have to fit beside them. */
const NOTES_BYTES: number = (MAX_KEEP_BYTES / 4) * 3 - MAX_KEPT_NOTES * 512;

async function notesAnswer(nodeId: string, { feeds, skip }: NotesRequest, deps: ServeDeps): Promise<Uint8Array> {
  const notes = await deps.reader.keptNotes(nodeId, feeds, skip, { notes: MAX_KEPT_NOTES, bytes: NOTES_BYTES });
  const texts = notes.map(({ after, feed, sealed, to }) => ({ after, feed, sealed: encodeBase64(sealed), to }));
  return encodeNotesAnswer(texts);
}
