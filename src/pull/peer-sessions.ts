/** The sessions of all peers: one each, started and stopped as peer files come and go. */
import PQueue from 'p-queue';
import type { PeerFile } from '../config/peer-file.ts';
import type { ActBy, ActOutcome } from '../core/approval.ts';
import type { PeerStatus, TrustKeyOutcome } from '../core/peer-status.ts';
import type { RetryOutcome } from '../core/retry-report.ts';
import type { PullDeps } from './deps.ts';
import type { IngestOutcome } from './ingest.ts';
import { PeerSession, type PullLanes } from './peer-session.ts';
import { describeSession } from './peer-status.ts';
import { retryPeer } from './retry-peer.ts';

/** Pulls of peers that failed last time: few, so that they never fill the machine. */
const SUSPECT_PULLS = 2;
const VERDICTS_KEPT = 10;

type Verdict = PeerStatus['last_verdicts'][number];

export class PeerSessions {
  readonly #deps: PullDeps;
  readonly #report: PullDeps['onPage'];
  readonly #lanes: PullLanes;
  readonly #sessions = new Map<string, PeerSession>();
  readonly #verdicts = new Map<string, Verdict[]>();
  #isStopped = false;
  /** When the last page of a peer was taken; by node id. */
  readonly #takenAtMs = new Map<string, number>();

  constructor(deps: PullDeps) {
    this.#report = deps.onPage;
    this.#deps = { ...deps, onPage: (peer, outcome) => this.#onPage(peer, outcome) };
    this.#lanes = {
      healthy: new PQueue({ concurrency: deps.settings.maxParallelPulls }),
      suspect: new PQueue({ concurrency: SUSPECT_PULLS }),
    };
  }

  add(peer: PeerFile): void {
    // A change of the folder may still be under way when the node stops: nobody would end what it begins.
    if (this.#isStopped || peer.disabled || this.#sessions.has(peer.name)) return;
    const session = new PeerSession(peer, this.#deps, this.#lanes);
    this.#sessions.set(peer.name, session);
    session.start();
  }

  async change(peer: PeerFile): Promise<void> {
    const session = this.#sessions.get(peer.name);
    if (session === undefined) this.add(peer);
    else if (peer.disabled || peer.nodeId !== session.state.peer.nodeId) {
      await this.remove(peer.name);
      this.add(peer);
    } else session.update(peer);
  }

  async remove(name: string): Promise<void> {
    const session = this.#sessions.get(name);
    this.#sessions.delete(name);
    await session?.stop();
  }

  /** The peer behind this key has connected. */
  contact(peerId: string): void {
    for (const session of this.#sessions.values()) if (session.state.peer.peerId === peerId) session.contact();
  }

  /** There is something to tell this peer. */
  due(nodeId: string): void {
    for (const session of this.#sessions.values()) if (session.state.peer.nodeId === nodeId) session.due();
  }

  /** Something about this node was stored beside its pulls. */
  async refresh(nodeId: string): Promise<void> {
    const sessions = [...this.#sessions.values()].filter(({ state }) => state.peer.nodeId === nodeId);
    await Promise.all(sessions.map((session) => session.refresh()));
  }

  list(): readonly PeerStatus[] {
    return [...this.#sessions.values()].map((session) => this.#statusOf(session));
  }

  /** Seconds since the last page of each peer that is behind, 0 for one that is not; by file name. */
  lagSeconds(): ReadonlyMap<string, number> {
    const now = this.#deps.nowMs();
    return new Map(
      this.list().map(({ name, node_id, lag_entries }) => {
        const since = this.#takenAtMs.get(node_id);
        return [name, lag_entries === null || lag_entries === 0 || since === undefined ? 0 : (now - since) / 1000];
      }),
    );
  }

  /** By file name, node id or libp2p peer id. */
  get(id: string): PeerStatus | undefined {
    return this.list().find(({ name, node_id, peer_id }) => id === name || id === node_id || id === peer_id);
  }

  /** Ends a suspension, with its record, or proposes that; the peer is asked at once when it has ended. */
  async resume(id: string, by: ActBy): Promise<ActOutcome<PeerStatus> | undefined> {
    const found = this.get(id);
    const session = found === undefined ? undefined : this.#sessions.get(found.name);
    if (found === undefined || session === undefined) return undefined;
    const outcome = await this.#deps.journal.resumePeer({ name: found.name, nodeId: found.node_id }, by);
    return this.#resumed(session, outcome);
  }

  /**
   * Pins the keys that a peer has declared in place of those that were pinned, with their record, or proposes that; the peer is
   * asked at once when it is done.
   *
   * @param given verifier keys that the operator has compared: all that have changed, and no other
   */
  async trustKeys(name: string, given: readonly string[], by: ActBy): Promise<TrustKeyOutcome> {
    const session = this.#sessions.get(name);
    if (session === undefined) return { kind: 'unknown_peer' };
    const { peer, keyChange } = session.state;
    // A file that insists on another key refuses the declaration for that.
    if (keyChange === null) return { kind: 'nothing_waits', insistsOn: peer.logKey };
    const { keys, note } = keyChange;
    const insisted = keys.find(({ use }) => use === 'log' && peer.logKey !== null)?.declared ?? peer.logKey;
    if (insisted !== peer.logKey) return { kind: 'nothing_waits', insistsOn: peer.logKey };
    const declared = keys.map((key) => key.declared);
    if (!new Set(declared).isSubsetOf(new Set(given)) || given.length !== declared.length)
      return { kind: 'other_key', declared };
    const outcome = await this.#deps.journal.trustKeys({ name, nodeId: peer.nodeId }, { keys, note }, by);
    if (outcome.kind === 'done') await this.#deps.onSuccessions(peer.nodeId);
    return { kind: 'acted', outcome: await this.#resumed(session, outcome) };
  }

  /** Has refused facts of a peer judged again, by the rules of today; its circuit is closed, and it is told at once. */
  async retry(name: string, afterPage: number, by: ActBy): Promise<RetryOutcome> {
    const session = this.#sessions.get(name);
    if (session === undefined) return { kind: 'unknown_peer' };
    const { peer, greeted } = session.state;
    const outcome = await retryPeer(peer, greeted?.pinned ?? null, afterPage, by, this.#deps);
    if (outcome.kind === 'retried') await session.resume();
    return outcome;
  }

  async #resumed(session: PeerSession, outcome: ActOutcome<number>): Promise<ActOutcome<PeerStatus>> {
    if (outcome.kind !== 'done') return outcome;
    await session.resume();
    return { ...outcome, value: this.#statusOf(session) };
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#sessions.keys()].map((name) => this.remove(name)));
  }

  #statusOf(session: PeerSession): PeerStatus {
    const verdicts = this.#verdicts.get(session.state.peer.nodeId) ?? [];
    return { ...describeSession(session.state, this.#deps.rules, this.#deps.nowMs()), last_verdicts: verdicts };
  }

  #onPage(peer: string, outcome: IngestOutcome): void {
    this.#report(peer, outcome);
    if (outcome.kind !== 'refused' && outcome.kind !== 'appended') return;
    if (outcome.kind === 'appended') this.#takenAtMs.set(peer, this.#deps.nowMs());
    const at = new Date(this.#deps.nowMs()).toISOString();
    const fresh =
      outcome.kind === 'refused'
        ? [{ at, event: 'federation_integrity_rejected', reason: outcome.reason, seq: outcome.auditSeq }]
        : outcome.refused.map(({ event, reason, auditSeq }) => ({ at, event, reason, seq: auditSeq }));
    if (fresh.length === 0) return;
    const kept = [...fresh.reverse(), ...(this.#verdicts.get(peer) ?? [])].slice(0, VERDICTS_KEPT);
    this.#verdicts.set(peer, kept);
  }
}
