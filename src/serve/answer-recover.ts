/** Gives a peer back what it once gave us: its own checkpoint, key successions and entries, nothing of anybody else's. */
import { MAX_PAGES_PER_PULL } from '../core/limits.ts';
import { encodePullEnd } from '../wire/pull-end.ts';
import { decodeRecoverRequest, encodeHeadAnswer } from '../wire/recover.ts';
import { encodeKeysAnswer } from '../wire/recover-keys.ts';
import type { ServeDeps } from './deps.ts';

/**
 * One frame with the largest checkpoint or the key successions held, or the pages as they were received, then an end frame. Needs no grant: all of
 * it is the asker's own, and its key is proven. No answer to what cannot be read.
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
  const { from, skip } = decoded.value;
  for (let sent = 0; sent < MAX_PAGES_PER_PULL; sent++) {
    const page = await deps.reader.heldPage(peer.nodeId, from, skip + sent);
    if (page === undefined) {
      yield encodePullEnd({ end: true, has_more: false });
      return;
    }
    yield page.header;
    if (page.entries !== null) yield page.entries;
    if (page.proof !== null) yield page.proof;
    if (page.note !== null) yield page.note;
  }
  yield encodePullEnd({ end: true, has_more: true });
}
