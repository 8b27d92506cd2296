/** Asks peers what they hold of this node's own log. Nothing is judged here. */
import { MAX_FRAME_BYTES, MAX_PAGES_PER_PULL, MAX_REQUEST_BYTES } from '../core/limits.ts';
import type { Transport } from '../transport/transport.ts';
import type { PageFrames } from '../wire/page.ts';
import { RECOVER_PROTOCOL } from '../wire/protocols.ts';
import { decodeHeadAnswer, encodeRecoverRequest } from '../wire/recover.ts';
import { decodeKeysAnswer, MAX_KEYS_ANSWER_BYTES } from '../wire/recover-keys.ts';
import { PullError } from './errors.ts';
import { readPages } from './read-pages.ts';

const HEAD_MS = 10_000;
const IDLE_MS = 30_000;
const PAGES_MS = 300_000;

type Asks = Pick<Transport, 'request'>;

/**
 * The largest checkpoint of our own log that the peer holds; null when it holds none.
 *
 * @throws TransportError; PullError `hello_malformed` when the answer cannot be read
 */
export async function askOwnHead(transport: Asks, peerId: string, signal: AbortSignal): Promise<string | null> {
  const body = encodeRecoverRequest({ kind: 'head', v: 1 });
  const limits = { signal, idleMs: HEAD_MS, totalMs: HEAD_MS, maxFrameBytes: MAX_REQUEST_BYTES };
  let frame: Uint8Array | undefined;
  for await (const answer of transport.request(peerId, RECOVER_PROTOCOL, body, limits)) frame ??= answer;
  const decoded = frame === undefined ? undefined : decodeHeadAnswer(frame);
  if (decoded === undefined || !decoded.ok)
    throw new PullError('hello_malformed', 'its answer about our own log cannot be read');
  return decoded.value.checkpoint;
}

/**
 * The successions of our own keys that the peer holds, as it gives them; none of a peer that does not know the question.
 *
 * @throws TransportError
 */
export async function askOwnKeys(transport: Asks, peerId: string, signal: AbortSignal): Promise<readonly string[]> {
  const body = encodeRecoverRequest({ kind: 'keys', v: 1 });
  const limits = { signal, idleMs: HEAD_MS, totalMs: HEAD_MS, maxFrameBytes: MAX_KEYS_ANSWER_BYTES };
  let frame: Uint8Array | undefined;
  for await (const answer of transport.request(peerId, RECOVER_PROTOCOL, body, limits)) frame ??= answer;
  const decoded = frame === undefined ? undefined : decodeKeysAnswer(frame);
  return decoded?.ok ? decoded.value : [];
}

/**
 * The pages that the peer took from us and that may hold leaf indexes from `from` on.
 *
 * @param take called for each page; the next one is read when it has resolved to true, and none any more after false
 * @throws TransportError, PullError
 */
export async function askOwnPages(
  transport: Asks,
  peerId: string,
  from: number,
  take: (frames: PageFrames) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  for (let skip = 0, hasMore = true; hasMore; ) {
    const body = encodeRecoverRequest({ from, kind: 'entries', skip, v: 1 });
    const limits = { signal, idleMs: IDLE_MS, totalMs: PAGES_MS, maxFrameBytes: MAX_FRAME_BYTES };
    const frames = transport.request(peerId, RECOVER_PROTOCOL, body, limits);
    const before = skip;
    for await (const answer of readPages(frames[Symbol.asyncIterator](), MAX_PAGES_PER_PULL)) {
      if (answer.kind === 'page') {
        skip++;
        if (!(await take(answer.frames))) return;
      } else hasMore = answer.hasMore && skip > before;
    }
    if (skip === before) hasMore = false;
  }
}
