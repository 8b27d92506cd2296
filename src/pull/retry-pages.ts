/** Judges stored pages of a peer again, with the rules of today: what an operator has corrected may let refused facts pass. */
import type { Journal } from '../journal/journal.ts';
import type { PageThen, RefusedInPage } from '../journal/page-refusals.ts';
import { ALG_ED25519 } from '../merkle/note.ts';
import { formatVerifierKey, parseVerifierKey } from '../merkle/verifier-key.ts';
import type { KnownCheckpoint, PageContext, RelayOrigin } from '../verify/context.ts';
import { assertedIn, factIdsOf, judgePage } from '../verify/judge.ts';
import { keysOfChain } from '../verify/key-chain.ts';
import { type OpenedPage, openPage } from '../verify/page.ts';
import { decodePageHeader } from '../wire/page-header.ts';
import type { IngestInput } from './ingest.ts';
import { OriginKeys } from './origin-keys.ts';

/** What facts are judged by now, whoever asks for it, and where to go on. */
export interface RetryInput
  extends Pick<IngestInput, 'peer' | 'accept' | 'nowMs' | 'maxFutureSkewMs' | 'maxPastSkewMs' | 'maxValueBytes'> {
  readonly by: { readonly actor: string; readonly why: string };
  /** The nodes whose facts the peer relays, by feed. */
  readonly origins: ReadonlyMap<string, RelayOrigin>;
  /** Pages up to this one were judged again already; 0 from the first. */
  readonly afterPage: number;
}

/** What became of one page. */
export interface RetriedPage {
  /** Give it as `afterPage` for the next one. */
  readonly pageId: number;
  /** Facts that were refused when it came, and stood so until now. */
  readonly stood: number;
  /** How many were taken, by what they had been refused for. */
  readonly resolved: ReadonlyMap<string, number>;
  /** How many are refused still, by reason. */
  readonly standing: ReadonlyMap<string, number>;
  /** Its signatures cannot be checked any more: its key is no longer declared. */
  readonly unreadable: boolean;
}

/** @returns the next page of which something stands refused, judged again; null: there is none behind */
export function retryNext(journal: Journal, input: RetryInput): RetriedPage | null {
  journal.guard.assertOpen();
  const { nodeId } = input.peer;
  let page = journal.retries.pages.next(nodeId, input.afterPage);
  while (page !== null && page.standing.size === 0) page = journal.retries.pages.next(nodeId, page.pageId);
  if (page === null) return null;
  const { pageId, standing } = page;
  const opened = reopen(journal, input, page);
  const stood = standing.size;
  if (opened === null) return { pageId, stood, resolved: new Map(), standing: countsOf(page), unreadable: true };
  const seen = journal.seen.find(factIdsOf(opened), assertedIn(opened));
  // A page whose proof failed was judged by single proofs that were not kept: nothing of it passes now.
  const verdict = judgePage(opened, seen, 'unavailable');
  if (verdict.kind !== 'verified')
    return { pageId, stood, resolved: new Map(), standing: countsOf(page), unreadable: true };
  if (verdict.batch.learned.length > 0) journal.saveSuccessions(verdict.batch.learned, input.nowMs);
  const relay = input.origins.get(page.feed);
  if (relay !== undefined) new OriginKeys(journal).note(relay, nodeId, input.nowMs);
  const resolved = journal.retries.take(page, verdict.batch, input.by, input.nowMs);
  const left = verdict.batch.refused.filter(({ feedSeq }) => standing.has(feedSeq));
  const still = new Map(
    [...Map.groupBy(left, ({ reason }) => reason)].map(([reason, facts]) => [reason, facts.length]),
  );
  return { pageId, stood, resolved, standing: still, unreadable: false };
}

function countsOf({ standing }: RefusedInPage): ReadonlyMap<string, number> {
  return new Map([...Map.groupBy(standing.values(), (reason) => reason)].map(([reason, all]) => [reason, all.length]));
}

/** The page under whichever of the peer's keys signed it, behind whichever checkpoint it was asked for. */
function reopen(journal: Journal, input: RetryInput, page: RefusedInPage): OpenedPage | null {
  const then = journal.retries.pages.pageThen(input.peer.nodeId, page.pageId);
  const header = then === undefined ? undefined : decodePageHeader(then.frames.header);
  if (then === undefined || header?.ok !== true) return null;
  if (page.feed.startsWith('from/') && !input.origins.has(page.feed)) return null;
  const firstPage = header.value.consistency !== null;
  for (const logKey of logKeysOf(journal, input.peer))
    for (const known of firstPage ? [then.before, then.checkpoint, null] : [then.checkpoint]) {
      const context = contextOf(journal, { ...input, peer: { ...input.peer, logKey } }, page, then, known, firstPage);
      const opened = openPage(then.frames, context);
      if (opened.ok && isVerified(opened.value, then)) return opened.value;
    }
  return null;
}

/** What was stored was signed by one of these: also by a key that is no longer declared, if the statements lead to it. */
function logKeysOf(journal: Journal, { nodeId, origin, logKey, former }: RetryInput['peer']): readonly Uint8Array[] {
  const vkey = formatVerifierKey({ name: origin, algorithm: ALG_ED25519, publicKey: logKey });
  const earlier = keysOfChain(journal.statements.of(nodeId), 'log', vkey).flatMap((one) => {
    const key = parseVerifierKey(one);
    return one !== vkey && key.ok ? [key.value.publicKey] : [];
  });
  return [logKey, ...former.logKeys, ...earlier];
}

/** Consistency was proved when the page came: its checkpoint is one of those that were stored then. */
function isVerified({ checkpoint }: OpenedPage, then: PageThen): boolean {
  return then.checkpoint !== null && Buffer.compare(checkpoint.root, then.checkpoint.root) === 0;
}

function contextOf(
  journal: Journal,
  { peer, accept, origins, nowMs, maxFutureSkewMs, maxPastSkewMs, maxValueBytes }: RetryInput,
  { feed, after }: RefusedInPage,
  { neighbour, receivedMs }: PageThen,
  known: KnownCheckpoint | null,
  firstPage: boolean,
): PageContext {
  const origin = origins.get(feed);
  return {
    self: journal.identity.nodeId,
    peer,
    feed,
    after,
    known,
    knownFeedLength: 0,
    neighbour,
    accept,
    nowMs,
    maxFutureSkewMs,
    maxPastSkewMs,
    maxValueBytes,
    firstPage,
    relay:
      origin === undefined
        ? null
        : { ...origin, statements: journal.statements.of(origin.nodeId), takenAtMs: receivedMs },
    // Who had to vouch for the checkpoint was asked when the page came.
    policy: { witnesses: null, anchors: null },
  };
}
