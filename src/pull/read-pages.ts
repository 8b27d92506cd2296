/** Turns the frames of an answer into pages. Bounds them; judges nothing. */

import { framesAfterHeader, type SignedPageFrames } from '../wire/page.ts';
import { decodePageHeader } from '../wire/page-header.ts';
import { decodePullEnd, isPullEnd, type PullEnd } from '../wire/pull-end.ts';
import { PullError } from './errors.ts';

/** A page as received. `feed` is what its header says; null when the header cannot be read. */
export interface ReceivedPage {
  readonly kind: 'page';
  readonly feed: string | null;
  readonly frames: SignedPageFrames;
}

export type PullAnswer = ReceivedPage | { readonly kind: 'end'; readonly hasMore: boolean };

/**
 * Yields the pages of one answer and its end. A page that cannot be read is yielded too: it is refused, with what was
 * received as evidence, where all pages are judged.
 *
 * @param maxPages as many as were asked for: pages without entries cost a peer nothing, and could come without end
 * @throws PullError `busy`, `unavailable` or `bad_request` when the peer says so; `malformed_end`, `incomplete`,
 *   `too_many_pages`
 */
export async function* readPages(frames: AsyncIterator<Uint8Array>, maxPages: number): AsyncGenerator<PullAnswer> {
  for (let pages = 0; ; pages++) {
    const first = await nextFrame(frames);
    if (isPullEnd(first)) {
      yield { kind: 'end', hasMore: readEnd(first).has_more };
      return;
    }
    if (pages === maxPages)
      throw new PullError('too_many_pages', `the peer sends more than the ${maxPages} pages asked for`);
    const header = decodePageHeader(first);
    if (!header.ok) {
      yield { kind: 'page', feed: null, frames: { header: first, entries: null, proof: null, note: null } };
      return;
    }
    const follow = framesAfterHeader(header.value);
    const entries = follow.entries ? await nextFrame(frames) : null;
    const proof = follow.proof ? await nextFrame(frames) : null;
    const last = await nextFrame(frames);
    // A peer that signs nothing goes on to its end: its page is refused for that, and not for what it did not send.
    const note = isPullEnd(last) ? null : last;
    yield { kind: 'page', feed: header.value.feed, frames: { header: first, entries, proof, note } };
    if (note === null) {
      yield { kind: 'end', hasMore: readEnd(last).has_more };
      return;
    }
  }
}

async function nextFrame(frames: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const next = await frames.next();
  if (next.done === true) {
    throw new PullError('incomplete', 'the peer ended its answer in the middle of a page, or without an end frame');
  }
  return next.value;
}

function readEnd(frame: Uint8Array): PullEnd {
  const end = decodePullEnd(frame);
  if (!end.ok) {
    const { at, expected, got } = end.error;
    throw new PullError(
      'malformed_end',
      `the peer's last frame is malformed at "${at}": expected ${expected}, got ${got}`,
    );
  }
  if ('end' in end.value) return end.value;
  const { error, retry_after_ms } = end.value;
  throw new PullError(error, `the peer answers "${error}"`, retry_after_ms);
}
