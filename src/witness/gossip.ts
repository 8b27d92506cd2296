/**
 * What peers hold of third nodes. A round asks each connected peer for the newest heads of the logs that both know; a head
 * that is not ours is then joined with ours by a proof of the log itself, or stays a question, or is a contradiction, which
 * everybody who knows the log is told.
 */
import { randomBytes } from 'node:crypto';
import type { PeerFile } from '../config/peer-file.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { isPowerOfTwo } from '../merkle/tree-size.ts';
import type { HeadPair } from '../verify/contradiction.ts';
import { logToken, MAX_GOSSIP_LOGS, type WitnessAnswer } from '../wire/witness.ts';
import { askConsistency, askPrefixRoot, askWitness } from './ask-peer.ts';
import type { WitnessedLog } from './cosigner.ts';
import type { WitnessDeps } from './deps.ts';
import type { KnownLog, KnownLogs } from './known-logs.ts';
import type { Contradiction, OpenPair } from './seen-heads.ts';

/** Questions about one log that are asked in one go. */
const MAX_PAIRS_AT_ONCE = 16;
const MAX_REMEMBERED = 4_096;

/** One at a time for each log, and one that waits: more would ask the same questions, and peers decide how many come. */
interface Turn {
  running: Promise<void>;
  next: Promise<void> | null;
}

export class Gossip {
  readonly #deps: WitnessDeps;
  readonly #known: KnownLogs;
  readonly #signal: AbortSignal;
  readonly #turns = new Map<string, Turn>();
  readonly #reported = new Set<string>();
  /** Peers that were told of a conviction, each with its notes. */
  readonly #told = new Set<string>();

  constructor(deps: WitnessDeps, known: KnownLogs, signal: AbortSignal) {
    this.#deps = deps;
    this.#known = known;
    this.#signal = signal;
  }

  /** One round with every connected peer, and everything that follows from it. */
  async round(): Promise<void> {
    const peers = this.#deps.peers().filter(({ peerId }) => this.#deps.transport.connected(peerId));
    await Promise.all(peers.map((peer) => this.#guard(peer, () => this.#exchange(peer))));
    await this.reconcileAll();
  }

  /** A head that a peer has shown; it counts only for a log that we know. */
  async take(notes: readonly string[], from: PeerFile): Promise<void> {
    const known = new Map((await this.#known.all()).map((one) => [one.log.origin, one]));
    for (const note of notes) {
      const one = known.get(originOf(note));
      if (one === undefined) continue;
      // One head of each log: who has more shows them later, and each costs the journal's thread a signature.
      known.delete(one.log.origin);
      const { news } = await this.#deps.journal.showHead(one.log, note, from.nodeId);
      if (news !== null) await this.announce(one.log, news, null);
    }
    this.#deps.report.gossiped(notes.length);
  }

  /** Asks every log about what is open. */
  async reconcileAll(): Promise<void> {
    const known = await this.#known.all();
    await Promise.all(known.map((one) => this.reconcile(one)));
  }

  /** The same, of which nobody waits for the end. */
  reconcileSoon(): void {
    this.reconcileAll().catch((error: unknown) => this.#failed(error));
  }

  /** Asks one log about what is open, after what is under way. */
  reconcile(known: KnownLog): Promise<void> {
    const { origin } = known.log;
    const turn = this.#turns.get(origin) ?? { running: Promise.resolve(), next: null };
    this.#turns.set(origin, turn);
    if (turn.next !== null) return turn.next;
    const next = turn.running
      .then(() => {
        turn.next = null;
        turn.running = next;
        return this.#reconcile(known);
      })
      .catch((error: unknown) => this.#failed(error));
    turn.next = next;
    return next;
  }

  /** Resolves when nothing is being asked. */
  async settled(): Promise<void> {
    await Promise.all([...this.#turns.values()].map(({ running, next }) => next ?? running));
  }

  /** Tells the operator, and every peer that knows the log. Each judges for itself. @param toldBy node id of who told us */
  async announce(log: WitnessedLog, found: Contradiction, toldBy: string | null): Promise<void> {
    this.#deps.report.contradiction(log, found);
    await this.#tellAll(log, found, toldBy);
  }

  /** Tells others what a pull has shown; the suspension was recorded with the page. */
  tellSoon(nodeId: string, heads: HeadPair): void {
    this.#tellOf(nodeId, heads).catch((error: unknown) => this.#failed(error));
  }

  /** As {@link announce}, of which nobody waits for the end. */
  announceSoon(log: WitnessedLog, found: Contradiction, toldBy: string | null): void {
    this.announce(log, found, toldBy).catch((error: unknown) => this.#failed(error));
  }

  async #tellOf(nodeId: string, heads: HeadPair): Promise<void> {
    const known = (await this.#known.all()).find(({ log }) => log.nodeId === nodeId);
    if (known !== undefined) await this.#tellAll(known.log, heads, null);
  }

  async #tellAll(log: WitnessedLog, heads: HeadPair, toldBy: string | null): Promise<void> {
    const peers = this.#deps.peers().filter(({ nodeId, peerId }) => {
      return nodeId !== log.nodeId && nodeId !== toldBy && this.#deps.transport.connected(peerId);
    });
    await Promise.all(peers.map((peer) => this.#guard(peer, () => this.#tell(peer, log, heads))));
  }

  async #exchange(peer: PeerFile): Promise<void> {
    await this.#known.meet(peer, this.#signal);
    const known = (await this.#known.all()).slice(0, MAX_GOSSIP_LOGS);
    const theirs = await this.#askHeads(peer, known);
    const asked = new Map(known.map((one) => [one.log.origin, one]));
    const shared = theirs.filter((note) => asked.has(originOf(note)));
    await this.take(shared, peer);

    const heads: string[] = [];
    for (const note of shared) {
      const log = asked.get(originOf(note))?.log;
      const ours = log === undefined ? null : await this.#deps.journal.headToShow(log);
      if (ours !== null && ours !== note) heads.push(ours);
    }
    if (heads.length > 0) await this.#ask(peer, { heads, kind: 'heads', logs: [], salt: drawSalt(), v: 1 });
    for (const note of shared) await this.#tellConviction(peer, asked.get(originOf(note))?.log);
  }

  /** Who was away when a log was convicted, or knows it since, is told once: it has shown that it knows the log. */
  async #tellConviction(peer: PeerFile, log: WitnessedLog | undefined): Promise<void> {
    const pair = log === undefined ? null : await this.#deps.journal.conviction(log);
    if (pair === null) return;
    const key = `${peer.nodeId} ${pair.notes.join('')}`;
    if (!this.#told.has(key) && (await this.#showPair(peer, pair)) !== undefined) remember(this.#told, key);
  }

  async #askHeads(peer: PeerFile, known: readonly KnownLog[]): Promise<readonly string[]> {
    const salt = drawSalt();
    // What it says of its own log it says better itself.
    const logs = known.filter(({ log }) => log.nodeId !== peer.nodeId).map(({ log }) => logToken(salt, log.origin));
    const answer = await this.#ask(peer, { heads: [], kind: 'heads', logs, salt, v: 1 });
    return answer?.kind === 'heads' ? answer.heads : [];
  }

  /** A log is named only to those who show that they know it. */
  async #tell(peer: PeerFile, log: WitnessedLog, heads: HeadPair): Promise<void> {
    const salt = drawSalt();
    const token = logToken(salt, log.origin);
    const knows = await this.#ask(peer, { heads: [], kind: 'heads', logs: [token], salt, v: 1 });
    if (knows?.kind !== 'heads' || !knows.heads.some((note) => originOf(note) === log.origin)) return;
    await this.#showPair(peer, heads);
  }

  #showPair(peer: PeerFile, { notes, path }: HeadPair): Promise<WitnessAnswer | undefined> {
    const told = path === null ? null : path.map(encodeBase64);
    return this.#ask(peer, { kind: 'evidence', notes: [...notes], path: told, v: 1 });
  }

  async #reconcile({ log, peer }: KnownLog): Promise<void> {
    const pairs = await this.#deps.journal.openPairs(log);
    if (pairs.every(({ seenId }) => seenId !== null)) this.#reported.delete(reportKey(log, null));
    for (const pair of pairs.slice(0, MAX_PAIRS_AT_ONCE)) {
      const { kind, news } = await this.#resolve(log, peer, pair);
      if (news !== null) return this.announce(log, news, null);
      if (kind === 'no_proof') this.#reportOpen(log, pair);
      if (kind === 'contradiction') return;
    }
  }

  async #resolve(log: WitnessedLog, peer: PeerFile | null, pair: OpenPair) {
    const { journal, transport } = this.#deps;
    const { smaller, larger } = pair;
    if (smaller.size === larger.size || peer === null) return journal.resolvePair(log, pair, null);
    const sizes = { from: smaller.size, to: larger.size };
    const path = await askConsistency(transport, peer.peerId, sizes, this.#signal);
    if (path === undefined) return journal.resolvePair(log, pair, null);
    const resolved = await journal.resolvePair(log, pair, path);
    if (resolved.kind !== 'no_proof' || !isPowerOfTwo(smaller.size)) return resolved;

    const root = await askPrefixRoot(transport, peer.peerId, smaller.size, this.#signal);
    return root === undefined ? resolved : journal.resolvePair(log, pair, [root, ...path]);
  }

  #reportOpen(log: WitnessedLog, pair: OpenPair): void {
    const key = reportKey(log, pair.seenId);
    if (this.#reported.has(key)) return;
    remember(this.#reported, key);
    this.#deps.report.unreconciled(log, pair);
  }

  #ask(peer: PeerFile, request: Parameters<typeof askWitness>[2]): Promise<WitnessAnswer | undefined> {
    return askWitness(this.#deps.transport, peer.peerId, request, this.#signal);
  }

  /** No peer's failure ends a round. */
  async #guard(peer: PeerFile, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#signal.aborted) this.#deps.logger.debug({ peer: peer.name, error: String(error) }, 'gossip failed');
    }
  }

  #failed(error: unknown): void {
    if (!this.#signal.aborted) this.#deps.logger.warn({ error: String(error) }, 'heads could not be compared');
  }
}

/** What is forgotten is said once more. */
function remember(set: Set<string>, key: string): void {
  if (set.size >= MAX_REMEMBERED) set.clear();
  set.add(key);
}

/** Without sizes: a log that grows, and joins nothing, would be written down with each of them. */
function reportKey({ origin }: WitnessedLog, seenId: number | null): string {
  return `${seenId ?? 'own'} ${origin}`;
}

/** First line of a checkpoint; nothing of it is checked. */
export function originOf(note: string): string {
  return note.slice(0, note.indexOf('\n'));
}

function drawSalt(): string {
  return encodeBase64(randomBytes(32));
}
