/**
 * One peer's worker: greets it, pulls when there is reason to, waits, and can say at any time what it waits for. No peer's
 * session waits for another's.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type PQueue from 'p-queue';
import { grantsInForce } from '../config/grant.ts';
import type { PeerFile } from '../config/peer-file.ts';
import type { PeerProgress } from '../journal/read-model.ts';
import { span } from '../observe/trace.ts';
import { ByteQuota } from './byte-quota.ts';
import { CircuitRecords } from './circuit-records.ts';
import type { PullDeps } from './deps.ts';
import { fetchClosures, fetchPermit, giveErasures, giveNotices, giveReceipts, leaveNotes } from './errands.ts';
import { DeclarationRefused, isFaultOfPeer, isPutOff, PullError } from './errors.ts';
import { FeedWatch } from './feed-watch.ts';
import { type Greeted, greet } from './greet.ts';
import { type PullOutcome, pullOnce } from './pull-once.ts';
import { RefusedBudget } from './refused-budget.ts';
import { knownFeeds } from './relayed-feeds.ts';
import { FRESH, failed, fruitlessAfter, fruitlessPauseMs, trial, waitAfterMs } from './schedule.ts';
import { goneFeeds, lostWith, type SessionState } from './session-state.ts';
import { takeTurn } from './take-turn.ts';
import { isUnconfirmed, waitingKey } from './waiting-key.ts';
import { Wakeable } from './wakeable.ts';
import type { FeedLengths } from './watch-peer.ts';

/** Where peers wait for their turn: one that failed last time never takes the place of one that did not. */
export interface PullLanes {
  readonly healthy: PQueue;
  readonly suspect: PQueue;
}

/** A pull keeps its place this long when others wait for one; a peer that failed last time is given more patience. */
const HEALTHY_SLICE_MS = 3_000;
const SUSPECT_SLICE_MS = 60_000;
/** Answers in a row that may bring no entry and still promise more: a long list of feeds without news is one. */
const MAX_BARREN_ANSWERS = 4;

export class PeerSession {
  readonly #deps: PullDeps;
  readonly #lanes: PullLanes;
  readonly #stopping = new AbortController();
  readonly #wake: Wakeable;
  readonly #watch: FeedWatch;
  #state: SessionState;
  readonly #circuits = new CircuitRecords();
  readonly #budget: RefusedBudget;
  readonly #quota: ByteQuota;
  #done: Promise<void> = Promise.resolve();
  /** The greeting since which there is a relay permit. */
  #permitted: Greeted | null = null;
  /** Turns in a row that were woken early and brought no entry. */
  #fruitless = 0;
  /** Answers in a row by which the peer asked to come again. */
  #putOffs = 0;

  constructor(peer: PeerFile, deps: PullDeps, lanes: PullLanes) {
    this.#deps = deps;
    this.#lanes = lanes;
    this.#wake = new Wakeable();
    this.#watch = new FeedWatch(deps, (stated) => this.#onStated(stated));
    this.#budget = new RefusedBudget(deps.settings.refusedPerSecond);
    this.#quota = new ByteQuota(deps.settings.peerBytesPerDay);
    this.#state = {
      peer,
      accept: [],
      progress: null,
      greeted: null,
      attempts: FRESH,
      phase: 'starting',
      nextAttemptAtMs: null,
      lastContactAtMs: null,
      lastError: null,
      keyChange: null,
      stated: new Map(),
      silent: [],
      absent: [],
      lost: [],
    };
  }

  get state(): SessionState {
    return this.#state;
  }

  start(): void {
    this.#done = this.#run();
  }

  /** The peer's file has changed: everything is taken from the new one, at once. */
  update(peer: PeerFile): void {
    this.#set({ peer, greeted: null });
    this.#fruitless = 0;
    this.#watch.close();
    this.#wake.wake();
  }

  /** The peer has made contact, or an operator wants a try now. */
  contact(): void {
    // Behind a new connection may be another program, which signs with another key.
    this.#set({ lastContactAtMs: this.#deps.nowMs(), greeted: null });
    this.#wake.wake();
  }

  /** There is something to tell the peer. */
  due(): void {
    this.#wake.wake();
  }

  /** What the journal says of the peer has changed by other hands. */
  async refresh(): Promise<void> {
    const progress = await this.#deps.journal.peerProgress(this.#state.peer.nodeId, this.#state.accept);
    this.#set({ progress });
  }

  /** An operator ended a suspension or trusted a key: the journal is asked again whether the peer may be pulled. */
  async resume(): Promise<void> {
    const progress = await this.#deps.journal.peerProgress(this.#state.peer.nodeId, this.#state.accept);
    this.#set({ progress, attempts: FRESH, greeted: null, keyChange: null });
    this.#fruitless = 0;
    this.#putOffs = 0;
    this.#wake.wake();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the node is stopping'));
    this.#watch.close();
    this.#wake.wake();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let wokenEarly = false; !signal.aborted; ) {
      const before = judgedOf(this.#state.progress);
      const waitMs = await this.#tracedTurn(signal);
      if (signal.aborted) return;
      const brought = judgedOf(this.#state.progress) > before;
      this.#fruitless = fruitlessAfter(this.#fruitless, { wokenEarly, brought });
      wokenEarly = await this.#wake.wait(waitMs);
      if (!wokenEarly) continue;
      await sleep(Math.min(waitMs, fruitlessPauseMs(this.#fruitless)), undefined, { signal }).catch(() => {});
    }
  }

  /** A turn has an id of its own, which its log lines and audit records carry. */
  #tracedTurn(signal: AbortSignal): Promise<number> {
    const attributes = { peer: this.#state.peer.name };
    return this.#deps.traces.begin({ name: 'pull', kind: 'internal', attributes }, async () => {
      const waitMs = await this.#turn(signal);
      if (!signal.aborted) await this.#recordCircuit();
      return waitMs;
    });
  }

  /** One turn: everything there is to pull now. @returns how long to wait for the next, unless something wakes us */
  async #turn(signal: AbortSignal): Promise<number> {
    const deps = this.#deps;
    const accept = this.#acceptNow();
    try {
      const progress = await deps.journal.peerProgress(this.#state.peer.nodeId, accept);
      this.#set({ accept, progress });
      if (progress.suspended !== null) return await this.#restSuspended(signal);
      if (isUnconfirmed(this.#state)) return await this.#meet(signal);
      if (accept.length === 0) return await this.#restReading(signal);
      if (this.#state.peer.addresses.length === 0 && !deps.transport.connected(this.#state.peer.peerId)) {
        return this.#rest('waiting');
      }
      this.#set({ attempts: trial(this.#state.attempts) });
      await this.#pullAll(signal);
      if (this.#isSuspended()) return await this.#restSuspended(signal);
      this.#set({ attempts: FRESH, lastError: null, lastContactAtMs: deps.nowMs() });
      this.#putOffs = 0;
      this.#watch.open(this.#state.peer, accept);
      await giveReceipts(this.#state, deps, signal);
      await giveNotices(this.#state, deps, signal);
      await this.#askPermit(signal);
      await giveErasures(this.#state, deps, signal);
      await this.#askClosures(accept, signal);
      return this.#rest('idle');
    } catch (error) {
      if (error instanceof PullError && error.code === 'page_refused')
        await giveNotices(this.#state, this.#deps, signal);
      return signal.aborted ? 0 : this.#backOff(error);
    }
  }

  /** All that is asked of a peer before somebody has confirmed its log key: which one it declares. */
  async #meet(signal: AbortSignal): Promise<number> {
    const { peer } = this.#state;
    if (peer.addresses.length === 0 && !this.#deps.transport.connected(peer.peerId)) return this.#rest('waiting');
    const keyChange = await waitingKey(peer, this.#deps, signal);
    this.#set({ attempts: FRESH, lastError: null, keyChange, lastContactAtMs: this.#deps.nowMs() });
    return this.#rest('unconfirmed');
  }

  /** A peer that only reads greets us, unless it has done so before its key was named: its receipts are checked by that key. */
  async #restReading(signal: AbortSignal): Promise<number> {
    if (this.#state.keyChange !== null) {
      this.#set({ greeted: await greet(this.#state.peer, this.#deps, signal) });
      this.#set({ keyChange: null, attempts: FRESH, lastError: null });
    }
    return this.#rest('idle');
  }

  async #pullAll(signal: AbortSignal): Promise<void> {
    let barren = 0;
    for (let hasMore = true; hasMore && !signal.aborted && !this.#isSuspended(); ) {
      this.#refuseOverQuota();
      await this.#payForRefusals(signal);
      // Each answer may take minutes, and a peer may always have more: grants and file are those of now.
      const accept = this.#acceptNow();
      if (accept.length === 0) return;
      this.#set({ phase: 'queued', accept });
      const before = judgedOf(this.#state.progress);
      const outcome = await this.#pullInTurn(accept, signal);
      await leaveNotes(this.#state, this.#deps, signal);
      if (outcome !== 'gave_way' && outcome.stoppedBy !== null) {
        const { reason, auditSeq } = outcome.stoppedBy;
        throw new PullError('page_refused', `a page was refused: ${reason} (audit record ${auditSeq})`);
      }
      hasMore = outcome === 'gave_way' || outcome.hasMore;
      if (!hasMore && outcome !== 'gave_way') this.#noteAbsent(accept, outcome);
      barren = judgedOf(this.#state.progress) > before ? 0 : barren + 1;
      // The one request of a trial went well: what comes behind it is a pull like any other.
      if (outcome !== 'gave_way' && (!hasMore || barren === 0) && this.#state.attempts.circuit === 'half_open')
        this.#set({ attempts: FRESH, lastError: null });
      // Each answer is asked for at once after the one before: without this, a peer could keep us asking for nothing.
      if (hasMore && barren === MAX_BARREN_ANSWERS)
        throw new PullError('nothing_more', `it said ${barren} times that it has more, and gave nothing`);
    }
  }

  #refuseOverQuota(): void {
    const { nowMs, settings } = this.#deps;
    const waitMs = this.#quota.waitMs(nowMs());
    if (waitMs === 0) return;
    const most = Math.round(settings.peerBytesPerDay / 1_048_576).toLocaleString('en');
    throw new PullError(
      'over_quota',
      `it has sent as much as a peer may in a day, ${most} MiB (limits.peer_mib_per_day)`,
      waitMs,
    );
  }

  /** Before it has a place: others are pulled meanwhile. */
  async #payForRefusals(signal: AbortSignal): Promise<void> {
    const pauseMs = this.#budget.pauseMs(this.#deps.nowMs());
    if (pauseMs === 0) return;
    this.#set({ phase: 'slowed' });
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }

  /** `gave_way`: its time was over, it has brought something, and it may go on when it is its turn again. */
  async #pullInTurn(accept: readonly string[], signal: AbortSignal): Promise<PullOutcome | 'gave_way'> {
    const isHealthy = this.#state.attempts.failures === 0;
    const lane = isHealthy ? this.#lanes.healthy : this.#lanes.suspect;
    const before = judgedOf(this.#state.progress);
    try {
      return await takeTurn(lane, isHealthy ? HEALTHY_SLICE_MS : SUSPECT_SLICE_MS, signal, (turn) =>
        span('pull round', {}, () => this.#pullRound(accept, turn)),
      );
    } catch (error) {
      if (!(error instanceof PullError && error.code === 'gave_way')) throw error;
      this.#set({ progress: await this.#deps.journal.peerProgress(this.#state.peer.nodeId, accept) });
      if (judgedOf(this.#state.progress) > before) return 'gave_way';
      throw error;
    }
  }

  async #pullRound(accept: readonly string[], signal: AbortSignal): Promise<PullOutcome> {
    const { peer } = this.#state;
    this.#set({ phase: 'pulling' });
    const known = this.#state.greeted;
    // Who is dialled for this round may be another program by now, which signs with another key.
    const isThere = this.#deps.transport.connected(peer.peerId);
    const isGood = known !== null && isThere && this.#deps.nowMs() < known.goodUntilMs;
    const greeted = isGood ? known : await greet(peer, this.#deps, signal);
    this.#set({ greeted, keyChange: null });
    const { taken, origins } = await knownFeeds(accept, this.#deps.relaying);
    const { pinned } = greeted;
    const outcome = await pullOnce(
      {
        peerId: peer.peerId,
        pinned,
        accept: taken,
        acceptNow: () => this.#acceptNow(),
        origins,
        limits: peer.limits,
        policy: peer.policy,
        budget: this.#budget,
        quota: this.#quota,
      },
      this.#deps,
      signal,
    );
    this.#set({ progress: await this.#deps.journal.peerProgress(peer.nodeId, accept) });
    return outcome;
  }

  #acceptNow(): readonly string[] {
    return grantsInForce(this.#state.peer.accept, this.#deps.nowMs());
  }

  #isSuspended(): boolean {
    return this.#state.progress?.suspended != null;
  }

  async #restSuspended(signal: AbortSignal): Promise<number> {
    await giveNotices(this.#state, this.#deps, signal);
    return this.#rest('suspended');
  }

  async #askClosures(accept: readonly string[], signal: AbortSignal): Promise<void> {
    const { peer } = this.#state;
    const feeds = goneFeeds(this.#state);
    if (feeds.length === 0) return;
    this.#set({ lost: [] });
    await fetchClosures(this.#state, feeds, this.#deps, signal);
    this.#set({ progress: await this.#deps.journal.peerProgress(peer.nodeId, accept) });
  }

  /** Until there is one, and anew with each greeting: it is good for days, and the peer may have changed its mind. */
  async #askPermit(signal: AbortSignal): Promise<void> {
    const { greeted } = this.#state;
    if (greeted === null || greeted === this.#permitted) return;
    if (await fetchPermit(this.#state, this.#deps, signal)) this.#permitted = greeted;
  }

  #noteAbsent(accept: readonly string[], outcome: PullOutcome): void {
    const known = new Set(this.#state.progress?.cursors.flatMap(({ feed, length }) => (length > 0 ? [feed] : [])));
    const silent = accept.filter((feed) => !outcome.seen.has(feed));
    this.#set({ silent, absent: silent.filter((feed) => !known.has(feed)) });
  }

  #onStated(stated: FeedLengths): void {
    // A feed that is shown no more may have been closed: the next turn asks.
    const { gone, lost } = lostWith(this.#state, stated);
    this.#set({ stated, lost, lastContactAtMs: this.#deps.nowMs() });
    if (gone.length > 0 || this.#isBehind(stated)) this.#wake.wake();
  }

  #isBehind(stated: FeedLengths): boolean {
    const cursors = this.#state.progress?.cursors ?? [];
    return cursors.some(({ feed, after }) => (stated.get(feed) ?? 0) > after);
  }

  #rest(phase: SessionState['phase']): number {
    const waitMs = this.#deps.settings.pollIntervalMs;
    this.#set({ phase, nextAttemptAtMs: this.#deps.nowMs() + waitMs });
    return waitMs;
  }

  #backOff(error: unknown): number {
    const attempts = failed(this.#state.attempts, isFaultOfPeer(error), this.#deps.nowMs());
    const asked = error instanceof PullError ? error.retryAfterMs : null;
    this.#putOffs = isPutOff(error) ? this.#putOffs + 1 : 0;
    const waitMs = waitAfterMs(attempts.failures, this.#putOffs, asked, this.#deps.random());
    const lastError = messageOf(error);
    const keyChange = error instanceof DeclarationRefused ? error.change : this.#state.keyChange;
    this.#deps.logger.warn({ peer: this.#state.peer.name, error: lastError, retry_ms: waitMs }, 'pull failed');
    // What was greeted may be another program by the next time.
    this.#set({
      attempts,
      lastError,
      keyChange,
      greeted: null,
      phase: 'backing_off',
      nextAttemptAtMs: this.#deps.nowMs() + waitMs,
    });
    return waitMs;
  }

  async #recordCircuit(): Promise<void> {
    const { attempts, lastError, peer } = this.#state;
    const record = this.#circuits.note(attempts, lastError, this.#deps.nowMs());
    if (record === null) return;
    this.#deps.logger.warn({ peer: peer.name, ...record.detail }, record.event);
    const input = { ...record, peer: peer.nodeId, detail: { ...record.detail, name: peer.name } };
    await this.#deps.journal.audit(input).catch((error: unknown) => {
      this.#deps.logger.error({ error: messageOf(error) }, 'audit failed');
    });
  }

  #set(change: Partial<SessionState>): void {
    this.#state = { ...this.#state, ...change };
  }
}

/** Entries judged so far, of all feeds. */
function judgedOf(progress: PeerProgress | null): number {
  return progress?.cursors.reduce((sum, { after }) => sum + after, 0) ?? 0;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
