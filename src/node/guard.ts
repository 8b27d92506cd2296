/**
 * The restore guard: before a node that has started signs or takes writes, it asks its peers, its witnesses and its anchors
 * for the largest checkpoint of its own log that they hold, and takes back from peers what it has lost. See
 * docs/OPERATIONS.md, restore.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerFile } from '../config/peer-file.ts';
import { witnessName } from '../core/node-id.ts';
import { plural, pluralIs } from '../core/plural.ts';
import type { GuardView, OwnHeadVerdict } from '../journal/guard.ts';
import type { AuditInput } from '../journal/read-model.ts';
import { askOwnHead, askOwnKeys, askOwnPages } from '../pull/ask-own.ts';
import type { RestoreOutcome } from '../threads/guard-methods.ts';
import { TransportError, type TransportErrorCode } from '../transport/errors.ts';
import type { Transport } from '../transport/transport.ts';
import type { PageFrames } from '../wire/page.ts';
import { incomplete, notVouchedFor, withoutKeys } from './guard-words.ts';
import type { LostKeys } from './lost-keys.ts';
import type { OutsideHeads } from './outside-heads.ts';
import { type RegainJournal, regainFrom } from './regain.ts';

export type GuardState = 'asking' | 'clear' | 'behind' | 'forked';

export interface GuardStatus {
  readonly state: GuardState;
  /** What operators read. Null when all is well: clear, and somebody has confirmed it or there is nobody to ask. */
  readonly detail: string | null;
  readonly peersAsked: number;
  readonly peersAnswered: number;
  /** A witness says, without proof, that it has cosigned more than is here. */
  readonly disputed: boolean;
}

export interface GuardJournal extends RegainJournal {
  guardView(): Promise<GuardView>;
  compareOwnHead(note: string, shownBy: string): Promise<OwnHeadVerdict>;
  offerOwnPage(frames: PageFrames): Promise<number | null>;
  restoreTail(): Promise<RestoreOutcome>;
  holdGuard(why: string): Promise<void>;
  clearGuard(): Promise<void>;
  audit(input: AuditInput): Promise<number>;
}

export interface GuardDeps {
  readonly journal: GuardJournal;
  readonly transport: Pick<Transport, 'request' | 'connected'>;
  readonly peers: () => readonly PeerFile[];
  /** Peer files that cannot be read, and stand for partners that nobody knows of. */
  readonly unread: () => number;
  /** Who else knows what this node has signed. */
  readonly outside: OutsideHeads;
  readonly lostKeys: Pick<LostKeys, 'learn' | 'missing' | 'watch' | 'back' | 'stop'>;
  readonly waitMs: number;
  /** Told at the first state, and when state or detail are others than it was told last. */
  readonly onChange: (status: GuardStatus) => void;
}

/** How long a node that nobody has answered yet waits before it asks witnesses once more; peers are asked when they connect. */
const ASK_AGAIN_MS = 15_000;
/** How long a peer that is there and gave no answer is left before it is asked once more, in the first round. */
const NO_ANSWER_MS = 250;
/** Nobody is at the peer's addresses, or none of them may be dialled. */
const UNREACHED: ReadonlySet<TransportErrorCode> = new Set(['dial_failed', 'timeout', 'bad_address', 'forbidden']);
/** While entries are missing, peers are asked again this often. */
const RETRY_MS = 10_000;
/** Pages of a peer that may hold a missing entry and hold none: the last one of each feed. */
const SPARE_PAGES = 256;

export class RestoreGuard {
  readonly #deps: GuardDeps;
  readonly #stopping = new AbortController();
  /** By node id. */
  readonly #answered = new Set<string>();
  readonly #decided = Promise.withResolvers<void>();
  #isDecided = false;
  #connections = new Map<string, PromiseWithResolvers<void>>();
  #work: Promise<unknown> = Promise.resolve();
  #again: NodeJS.Timeout | undefined;
  #state: GuardState = 'asking';
  #trouble: string | null = null;
  #told: Pick<GuardStatus, 'state' | 'detail'> | null = null;
  /** A peer has shown a checkpoint that our own key has signed. */
  #isShown = false;
  /** The largest of those beyond what is here. */
  #aheadSize = 0;

  constructor(deps: GuardDeps) {
    this.#deps = deps;
  }

  /** Resolves when the first round is over, whatever came of it. */
  get decided(): Promise<void> {
    return this.#decided.promise;
  }

  /** Resolves when keys that had been missing are in the folder: the node has to be started again. */
  get keysBack(): Promise<void> {
    return this.#deps.lostKeys.back;
  }

  get isClear(): boolean {
    return this.#state === 'clear';
  }

  status(): GuardStatus {
    const peersAsked = this.#deps.peers().length;
    const state = this.#state;
    const disputed = this.#isDisputed;
    return { state, detail: this.#detail(peersAsked), peersAsked, peersAnswered: this.#answered.size, disputed };
  }

  /** Asks everybody; ends when all that can be reached have answered or the time is over. */
  async start(): Promise<void> {
    const { waitMs } = this.#deps;
    const over = Promise.withResolvers<void>();
    let isLate = true;
    const outside = this.#askOutside().then(() => {
      isLate = false;
    });
    const timer = setTimeout(over.resolve, waitMs);
    this.#stopping.signal.addEventListener('abort', () => over.resolve(), { once: true });
    try {
      const asking = [...this.#deps.peers().map((peer) => this.#firstAnswer(peer)), outside];
      // What a witness only says is given the whole time for somebody to prove it.
      const answers = Promise.all(asking).then(() => (this.#isDisputed ? over.promise : undefined));
      await Promise.race([answers, over.promise]);
      if (!this.#stopping.signal.aborted) await this.#inTurn(() => this.#evaluate());
    } finally {
      clearTimeout(timer);
      this.#isDecided = true;
      this.#decided.resolve();
    }
    if (isLate) this.#follow(outside, 'a witness');
    void this.#askAgain();
  }

  /** A peer has connected: it may hold what nobody has shown us yet. */
  contact(peerId: string): void {
    this.#connections.get(peerId)?.resolve();
    const peer = this.#deps.peers().find((one) => one.peerId === peerId);
    if (peer === undefined || (this.#answered.has(peer.nodeId) && this.#state !== 'behind')) return;
    this.#follow(this.#ask(peer), peer.name);
  }

  /** Peer files are others than they were: whom nobody could ask may be gone, or known. */
  filesChanged(): void {
    if (this.#isDecided && this.#state === 'asking') this.#follow(Promise.resolve(), 'a partner');
  }

  /** A witness has answered that it has cosigned more of our log than is here, or (null) what is here. */
  witnessStands(witness: { readonly name: string; readonly label: string }, size: number | null): void {
    const { outside, peers } = this.#deps;
    const isNews = size === null ? outside.settle(witness.name) : outside.claim(witness.name, witness.label, size);
    if (!isNews) return;
    const peer = peers().find(({ nodeId }) => witnessName(nodeId) === witness.name);
    // What it only says changes nothing; a checkpoint of ours, if it shows one now, does.
    const asked = size === null ? Promise.resolve() : peer === undefined ? this.#askOutside() : this.#ask(peer);
    this.#follow(asked, witness.label);
  }

  /** Somebody who keeps what this node has signed shows a checkpoint of it. */
  async shown(note: string, shownBy: string): Promise<void> {
    await this.#compare(note, shownBy);
    this.#follow(Promise.resolve(), shownBy);
  }

  async stop(): Promise<void> {
    this.#deps.lostKeys.stop();
    clearTimeout(this.#again);
    this.#stopping.abort(new Error('the node is stopping'));
    await this.#work.catch(() => {});
  }

  /** Acts on what an answer has brought, once the first round is over. */
  #follow(asked: Promise<unknown>, name: string): void {
    asked
      .then(() => this.#decided.promise)
      .then(() => this.#inTurn(() => this.#evaluate()))
      .catch((error: unknown) => {
        // What holds the journal stays in force: only the account of it is at stake here.
        this.#trouble = `what ${name} holds of our log could not be judged: ${String(error)}`;
        this.#set(this.#state);
      });
  }

  /** Never rejects, as {@link #ask}. */
  async #askOutside(): Promise<void> {
    const { outside } = this.#deps;
    await outside.ask((note, shownBy) => this.#compare(note, shownBy), this.#stopping.signal).catch(() => {});
  }

  async #askAgain(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted && this.#state === 'asking' && this.#deps.outside.asked > 0) {
      await sleep(ASK_AGAIN_MS, undefined, { signal, ref: false }).catch(() => {});
      const asked = this.#askOutside();
      this.#follow(asked, 'a witness');
      await asked;
    }
  }

  /** A witness says more than anybody has proved. */
  get #isDisputed(): boolean {
    return this.#deps.outside.claimed > this.#aheadSize;
  }

  /** A peer without an address is asked when it connects. */
  async #firstAnswer(peer: PeerFile): Promise<void> {
    if (peer.addresses.length === 0 && !this.#deps.transport.connected(peer.peerId)) {
      const connection = Promise.withResolvers<void>();
      this.#connections.set(peer.peerId, connection);
      await connection.promise;
    }
    let error = await this.#ask(peer);
    // One that is there may have had an older connection of ours in mind. Who cannot be reached at all is not waited for.
    const { transport } = this.#deps;
    const isThere = (): boolean => transport.connected(peer.peerId) || hasAnswered(error);
    while (!this.#isDecided && !this.#answered.has(peer.nodeId) && isThere()) {
      await sleep(NO_ANSWER_MS, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => {});
      error = await this.#ask(peer);
    }
  }

  /** Never rejects: who cannot be reached is asked again when it connects. @returns why there is no answer */
  async #ask(peer: PeerFile): Promise<unknown> {
    try {
      const { transport, lostKeys } = this.#deps;
      // First the keys: a checkpoint under one that is not known here would be nobody's.
      await lostKeys.learn(await askOwnKeys(transport, peer.peerId, this.#stopping.signal), peer.nodeId);
      const note = await askOwnHead(transport, peer.peerId, this.#stopping.signal);
      if (note !== null && (await this.#compare(note, peer.nodeId)).kind !== 'foreign') this.#isShown = true;
      this.#answered.add(peer.nodeId);
    } catch (error) {
      // Its absence is counted in the status.
      return error;
    }
    return undefined;
  }

  /** Who holds nothing of ours can tell nothing; if that is everybody, nobody has anything that could be contradicted. */
  #isVouchedFor(): boolean {
    const { outside, peers, unread } = this.#deps;
    const answered = this.#answered.size + outside.answered;
    const all = peers().length + unread() + outside.asked;
    return answered > 0 && (this.#isShown || outside.isShown || answered >= all);
  }

  async #compare(note: string, shownBy: string): Promise<OwnHeadVerdict> {
    const verdict = await this.#deps.journal.compareOwnHead(note, shownBy);
    if (verdict.kind === 'ahead') this.#aheadSize = Math.max(this.#aheadSize, verdict.size);
    if (verdict.kind !== 'forked') return verdict;
    this.#trouble = `${shownBy} holds a checkpoint over ${plural(verdict.size, 'entry', 'entries')} that this node signed and that its journal contradicts (audit record ${verdict.auditSeq}). Nothing is signed any more: restore the newest copy of this folder, or go on as a new node.`;
    this.#set('forked');
    return verdict;
  }

  async #evaluate(): Promise<void> {
    if (this.#state === 'forked' || this.#stopping.signal.aborted) return;
    const view = await this.#deps.journal.guardView();
    if (view.forked) {
      this.#trouble = view.held;
      this.#set('forked');
      return;
    }
    const keys = this.#deps.lostKeys.missing();
    if (keys !== null) {
      this.#trouble = withoutKeys(view, keys);
      await this.#deps.journal.holdGuard(this.#trouble);
      this.#deps.lostKeys.watch();
      this.#set('behind');
      return;
    }
    if (view.signedSize > view.size) {
      await this.#recover(view);
      return;
    }
    if (view.headsMissing && !this.#isVouchedFor()) {
      this.#trouble = notVouchedFor(this.#deps.unread());
      this.#set('asking');
      return;
    }
    if (this.#state === 'clear' && view.held === null) {
      this.#set('clear');
      return;
    }
    await this.#deps.journal.clearGuard();
    this.#trouble = null;
    this.#set('clear');
  }

  async #recover(view: GuardView): Promise<void> {
    if (this.#state !== 'behind') {
      this.#trouble = `${pluralIs(view.signedSize - view.size, 'entry', 'entries')} missing (${view.size.toLocaleString('en')} are here, ${view.signedSize.toLocaleString('en')} were signed): asking peers for them`;
      this.#set('behind');
    }
    // Side by side, until all is there: one that gives nothing, or gives it slowly, keeps nobody else from being asked.
    const enough = new AbortController();
    await Promise.all(this.#deps.peers().map((peer) => this.#askBack(peer, view, enough)));
    const outcome = await this.#deps.journal.restoreTail();
    if (outcome.kind === 'restored') {
      this.#deps.outside.restored(outcome.size);
      await this.#deps.journal.clearGuard();
      this.#trouble = null;
      this.#set('clear');
      return;
    }
    if (outcome.code === 'tail_incomplete') {
      this.#trouble = incomplete(view, outcome.missing, outcome.missingCount);
      this.#set('behind');
      this.#askLater();
      return;
    }
    const { index, detail } = outcome;
    this.#trouble = `the entries that this node signed do not follow what its journal holds, from leaf index ${index} on: ${detail}. Nothing is signed any more: restore the newest copy of this folder, or go on as a new node.`;
    await this.#deps.journal.holdGuard(this.#trouble);
    await this.#deps.journal.audit({
      event: 'own_history_forked',
      reason: 'tail_contradicts',
      detail: { index, detail },
    });
    this.#set('forked');
  }

  /** First what it took from us, then what we took from it. */
  async #askBack(peer: PeerFile, view: GuardView, enough: AbortController): Promise<void> {
    await this.#askPages(peer, view, enough);
    const signal = AbortSignal.any([this.#stopping.signal, enough.signal]);
    if (signal.aborted) return;
    const isWhole = await regainFrom(peer, view.signedSize - view.size, this.#deps, signal).catch(() => false);
    if (isWhole) enough.abort();
  }

  /** A page holds one missing entry at least, but for a few: who sends more pages than that goes on without end. */
  async #askPages({ peerId }: PeerFile, { size, signedSize }: GuardView, enough: AbortController): Promise<void> {
    const { transport, journal } = this.#deps;
    const missing = signedSize - size;
    let pages = 0;
    const take = async (frames: PageFrames): Promise<boolean> => {
      const held = await journal.offerOwnPage(frames);
      if (held !== null && held >= missing) enough.abort();
      return held !== null && held < missing && ++pages < missing + SPARE_PAGES;
    };
    const signal = AbortSignal.any([this.#stopping.signal, enough.signal]);
    await askOwnPages(transport, peerId, size, take, signal).catch(() => {});
  }

  /** A peer that has just started gives no page yet, and its connection may stay. */
  #askLater(): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => {
      this.#inTurn(() => this.#evaluate()).catch((error: unknown) => {
        this.#trouble = `what peers hold of our log could not be judged: ${String(error)}`;
        this.#set(this.#state);
      });
    }, RETRY_MS).unref();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T | undefined> {
    const next = this.#work.then(work).catch((error: unknown) => {
      if (this.#stopping.signal.aborted) return undefined;
      throw error;
    });
    this.#work = next.catch(() => {});
    return next;
  }

  #detail(peers: number): string | null {
    if (this.#trouble !== null) return this.#trouble;
    const { outside } = this.#deps;
    if (this.#isDisputed) return outside.warning;
    if (this.#state === 'asking')
      return 'asking peers and witnesses whether this is the newest history; writes are taken after that';
    if (this.#state === 'clear' && peers + outside.asked > 0 && this.#answered.size + outside.answered === 0)
      return 'no peer and no witness could be asked whether this is the newest history; each peer is asked as soon as it connects';
    return null;
  }

  #set(state: GuardState): void {
    this.#state = state;
    const status = this.status();
    if (this.#told?.state === status.state && this.#told.detail === status.detail) return;
    this.#told = status;
    this.#deps.onChange(status);
  }
}

/** A connection came up, and its peer closed it, or the stream: it may be full for a moment, or just starting. */
function hasAnswered(error: unknown): boolean {
  return error instanceof TransportError && !UNREACHED.has(error.code);
}
