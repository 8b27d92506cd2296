/** Pulls from one peer until its answer ends. The main data path of the product: read this file first. */

import PQueue from 'p-queue';
import type { PeerFile } from '../config/peer-file.ts';
import { MAX_FRAME_BYTES, MAX_PAGES_PER_PULL } from '../core/limits.ts';
import type { PinnedPeer, RelayOrigin } from '../verify/context.ts';
import { PULL_PROTOCOL } from '../wire/protocols.ts';
import { encodePullRequest } from '../wire/pull-request.ts';
import type { ByteQuota } from './byte-quota.ts';
import type { PullDeps } from './deps.ts';
import { PullError } from './errors.ts';
import type { IngestOutcome } from './ingest.ts';
import { type ReceivedPage, readPages } from './read-pages.ts';
import type { RefusedBudget } from './refused-budget.ts';
import { askInclusion } from './resolve-proofs.ts';

/** The peer has this long for each frame, and for the whole answer. */
const FRAME_MS = 30_000;
const ANSWER_MS = 300_000;
/** Pages that may wait while one is judged: the wire and the verifier work at the same time, memory stays bounded. */
const PAGES_AHEAD = 1;

export interface PullTarget {
  readonly peerId: string;
  readonly pinned: PinnedPeer;
  /** Feeds that are asked for. */
  readonly accept: readonly string[];
  /** Those that are taken at the moment of the call: an answer takes minutes, and a grant may end meanwhile. */
  readonly acceptNow: () => readonly string[];
  /** Those of them that the peer relays, with the nodes whose facts they are. */
  readonly origins: ReadonlyMap<string, RelayOrigin>;
  /** Of its file; null: the node's own. */
  readonly limits: PeerFile['limits'];
  /** Of its file. */
  readonly policy: PeerFile['policy'];
  readonly budget: RefusedBudget;
  readonly quota: ByteQuota;
}

export interface PullOutcome {
  readonly pages: number;
  readonly accepted: number;
  readonly refused: number;
  readonly hasMore: boolean;
  /** Feeds that a page came for: the others are not granted to us, or do not exist. */
  readonly seen: ReadonlySet<string>;
  /** The page that ended the pull; null when all were taken. */
  readonly stoppedBy: Extract<IngestOutcome, { kind: 'refused' }> | null;
}

/** @throws TransportError, PullError: the peer is asked again later */
export async function pullOnce(target: PullTarget, deps: PullDeps, signal: AbortSignal): Promise<PullOutcome> {
  const { settings, journal, transport } = deps;
  const known = await journal.peerProgress(target.pinned.nodeId, target.accept);
  const most = { entries: target.limits.pageEntries ?? settings.pageEntries, pages: MAX_PAGES_PER_PULL };
  const { entries, pages } = target.budget.ask(most, deps.nowMs());
  const ask = encodePullRequest({
    accept: ['zstd'],
    feeds: known.cursors.map(({ feed, after }) => ({ feed, after })),
    known_size: known.checkpoint?.size ?? 0,
    page_bytes: settings.pageBytes,
    page_entries: entries,
    pages,
  });
  const limits = { signal, idleMs: FRAME_MS, totalMs: ANSWER_MS, maxFrameBytes: MAX_FRAME_BYTES };
  const frames = transport.request(target.peerId, PULL_PROTOCOL, ask, limits);

  const taking = new Taking(target, deps, signal);
  try {
    for await (const answer of readPages(frames, pages)) {
      if (answer.kind === 'end') return await taking.finish(answer.hasMore);
      if (!(await taking.take(answer))) break;
    }
    return await taking.finish(taking.isSpent);
  } finally {
    await frames.return(undefined); // resets the stream unless the answer has ended: the peer stops producing
    await taking.settle();
  }
}

/** Hands pages to the journal in order, one at a time, at most one ahead. */
class Taking {
  readonly #target: PullTarget;
  readonly #deps: PullDeps;
  readonly #signal: AbortSignal;
  readonly #queue = new PQueue({ concurrency: 1 });
  readonly #seen = new Set<string>();
  #pages = 0;
  #accepted = 0;
  #refused = 0;
  #stoppedBy: PullOutcome['stoppedBy'] = null;
  /** The peer was suspended, or a feed is taken no more: what comes is left. */
  #isClosed = false;
  #failure: unknown;

  constructor(target: PullTarget, deps: PullDeps, signal: AbortSignal) {
    this.#target = target;
    this.#deps = deps;
    this.#signal = signal;
  }

  /** So much was refused, or taken, that the peer has to wait; what it has more of is asked for afterwards. */
  get isSpent(): boolean {
    const nowMs = this.#deps.nowMs();
    const { budget, quota } = this.#target;
    return this.#stoppedBy === null && (budget.pauseMs(nowMs) > 0 || quota.waitMs(nowMs) > 0);
  }

  /** @returns false once a page was refused, the journal failed or the budget is spent: what comes behind is not taken */
  async take(page: ReceivedPage): Promise<boolean> {
    const isFirst = this.#pages++ === 0;
    await this.#queue.onSizeLessThan(PAGES_AHEAD);
    if (this.#isOver() || this.isSpent) return false;
    void this.#queue.add(() => this.#ingest(page, isFirst));
    return true;
  }

  /** @throws what the journal threw meanwhile */
  async finish(hasMore: boolean): Promise<PullOutcome> {
    await this.#queue.onIdle();
    if (this.#failure !== undefined) throw this.#failure;
    return {
      pages: this.#pages,
      accepted: this.#accepted,
      refused: this.#refused,
      hasMore,
      seen: this.#seen,
      stoppedBy: this.#stoppedBy,
    };
  }

  /** Nothing of this pull is at work when it resolves. */
  async settle(): Promise<void> {
    await this.#queue.onIdle();
  }

  async #ingest(page: ReceivedPage, isFirst: boolean): Promise<void> {
    if (this.#isOver()) return;
    try {
      // Before they are moved to the journal's thread.
      const bytes = bytesOf(page.frames);
      if (!this.#isTaken(page)) this.#isClosed = true;
      else this.#count(await this.#judge(page, isFirst), page, bytes);
    } catch (error) {
      this.#failure = error;
    }
  }

  /** Its entries would be refused for good, and the grant may be renewed. */
  #isTaken({ feed }: ReceivedPage): boolean {
    const { accept, acceptNow } = this.#target;
    return feed === null || !accept.includes(feed) || acceptNow().includes(feed);
  }

  async #judge(page: ReceivedPage, isFirst: boolean): Promise<IngestOutcome> {
    const { journal, settings, nowMs } = this.#deps;
    const { pinned, accept } = this.#target;
    // A page of a feed that was not asked for is judged against one that was, and refused for it.
    const feed = page.feed !== null && accept.includes(page.feed) ? page.feed : (accept[0] ?? '');
    const input = {
      peer: pinned,
      feed,
      frames: page.frames,
      relay: this.#target.origins.get(feed) ?? null,
      firstPage: isFirst,
      accept,
      nowMs: nowMs(),
      maxFutureSkewMs: settings.maxFutureSkewMs,
      maxPastSkewMs: settings.maxPastSkewMs,
      maxValueBytes: this.#target.limits.maxValueBytes ?? settings.maxValueBytes,
      policy: this.#target.policy,
    };
    const outcome = await journal.ingestPage(input);
    if (outcome.kind !== 'proofs_needed') return outcome;

    const inclusion = await askInclusion(this.#target.peerId, outcome, this.#deps, this.#signal);
    const resolved = await journal.ingestPage({ ...input, inclusion });
    if (resolved.kind === 'proofs_needed') throw new PullError('page_refused', 'the page cannot be judged');
    return resolved;
  }

  #count(outcome: IngestOutcome, page: ReceivedPage, bytes: number): void {
    this.#deps.onPage(this.#target.pinned.nodeId, outcome);
    if (page.feed !== null) this.#seen.add(page.feed);
    if (outcome.kind === 'refused') this.#stoppedBy = outcome;
    if (outcome.kind === 'suspended') this.#isClosed = true;
    if (outcome.kind === 'put_off') this.#failure = new PullError('unavailable', outcome.detail);
    if (outcome.kind !== 'appended') return;
    this.#accepted += outcome.accepted;
    this.#refused += outcome.refusals;
    this.#target.budget.spend(outcome.refusals, this.#deps.nowMs());
    this.#target.quota.spend(bytes, this.#deps.nowMs());
  }

  #isOver(): boolean {
    return this.#stoppedBy !== null || this.#isClosed || this.#failure !== undefined;
  }
}

function bytesOf({ header, entries, proof, note }: ReceivedPage['frames']): number {
  return header.length + (entries?.length ?? 0) + (proof?.length ?? 0) + (note?.length ?? 0);
}
