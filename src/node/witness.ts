/** The witness among the stations: its protocol, its timers, what it reports, what the API shows of it. */
import { createHash } from 'node:crypto';
import type { ApiWitness } from '../admin/witness-desk.ts';
import type { PeerFile } from '../config/peer-file.ts';
import { isConfirmed } from '../core/disclosure.ts';
import { MAX_WITNESS_REQUEST_BYTES } from '../core/limits.ts';
import { Rate } from '../transport/rate.ts';
import type { Transport } from '../transport/transport.ts';
import type { HeadPair } from '../verify/contradiction.ts';
import { WITNESS_PROTOCOL } from '../wire/protocols.ts';
import { answerWitness } from '../witness/answer-witness.ts';
import { Collector } from '../witness/collector.ts';
import { CosignService } from '../witness/cosign-service.ts';
import type { WitnessedLog } from '../witness/cosigner.ts';
import type { WitnessDeps, WitnessReport } from '../witness/deps.ts';
import { Gossip } from '../witness/gossip.ts';
import { KnownLogs } from '../witness/known-logs.ts';
import type { OpenPair } from '../witness/seen-heads.ts';
import type { Base } from './base.ts';
import { rulesOf } from './grants.ts';
import type { RestoreGuard } from './guard.ts';

/** Appends that follow each other within this time are cosigned together. */
const COLLECT_AFTER_MS = 250;
/** What was pulled is compared with what others saw sooner than the timer would: this part of its interval. */
const SOONER = 6;
const IDLE_MS = 30_000;
const TOTAL_MS = 60_000;
/** Each question costs signatures, and a cosignature a write to disk. */
const REQUESTS_PER_SECOND = 20;
const REQUESTS_AT_ONCE = 100;

export interface Witness {
  readonly api: ApiWitness;
  /** Asks all connected peers what they hold, and follows it up; resolves when nothing is open. */
  gossipRound(): Promise<void>;
  /** Asks witnesses for cosignatures on the newest checkpoint. */
  collect(): Promise<void>;
  /** A page of a peer brought a checkpoint. */
  pulled(): void;
  /** A page of a peer showed two heads of its log that contradict each other. */
  convicted(nodeId: string, heads: HeadPair): void;
  /** A peer has connected. */
  contact(): void;
}

export interface WitnessParts {
  readonly transport: Transport;
  readonly peers: () => readonly PeerFile[];
  readonly greet: WitnessDeps['greet'];
  /** The peer was suspended: its session has to hear of it. */
  readonly onSuspended: (peerId: string) => void;
  readonly guard: Pick<RestoreGuard, 'witnessStands'>;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
}

export async function startWitness(base: Base, given: WitnessParts, owned: AsyncDisposableStack): Promise<Witness> {
  // Heads and checkpoints say how much there is: nothing for a peer whose log key nobody has confirmed.
  const parts = { ...given, peers: () => given.peers().filter((peer) => isConfirmed(peer, base)) };
  const stopping = new AbortController();
  const deps = depsOf(base, parts);
  const known = new KnownLogs(deps);
  const gossip = new Gossip(deps, known, stopping.signal);
  const cosigning = new CosignService(deps, known, gossip, stopping.signal);
  const collector = new Collector(deps, known, stopping.signal, (ms) => collecting.within(ms));
  await serveWitness(base, parts, { journal: deps.journal, known, gossip, cosigning });

  const rounds = new Soon(() => gossip.round().then(() => collector.collect()), base.logger);
  const collecting = new Soon(() => collector.collect(), base.logger);
  const { gossipIntervalMs } = base.config.witness;
  const next = (): void => rounds.within(gossipIntervalMs * (0.75 + parts.random() / 2), next);
  next();
  void followAppends(base, stopping.signal, () => collecting.within(COLLECT_AFTER_MS));
  owned.defer(async () => {
    stopping.abort(new Error('the node is stopping'));
    await Promise.all([rounds.stop(), collecting.stop(), gossip.settled()]);
  });
  return {
    api: apiWitness(deps, known, cosigning),
    gossipRound: () => gossip.round().then(() => gossip.settled()),
    collect: () => collector.collect(),
    pulled: () => rounds.within(gossipIntervalMs / SOONER),
    convicted: (nodeId, heads) => gossip.tellSoon(nodeId, heads),
    contact: () => collecting.within(COLLECT_AFTER_MS),
  };
}

function depsOf(base: Base, parts: WitnessParts): WitnessDeps {
  const { config, writer, reader, logger, nowMs } = base;
  return {
    journal: writer,
    transport: parts.transport,
    http: base.http,
    peers: parts.peers,
    rules: rulesOf(base),
    logs: config.witness.logs.map(({ origin, key }) => ({ origin, key, nodeId: null })),
    policy: config.witness.policy,
    head: () => writer.head(),
    consistency: (from, to) => reader.consistency(from, to),
    greet: parts.greet,
    report: reportOf(base, parts),
    logger,
    nowMs,
  };
}

function reportOf(base: Base, { peers, guard, onSuspended }: WitnessParts): WitnessReport {
  const { events, writer, logger } = base;
  const peerOf = (log: WitnessedLog): PeerFile | undefined => peers().find(({ nodeId }) => nodeId === log.nodeId);
  const nameOf = (log: WitnessedLog): string => peerOf(log)?.name ?? 'configured';
  return {
    cosigned: (outcome) => events.cosignAnswered(outcome),
    answered: (witness, outcome) => events.witnessAnswered(witness, outcome),
    stands: (witness, size) => guard.witnessStands(witness, size),
    contradiction(log, { reason, auditSeq }) {
      events.contradictionFound(nameOf(log), log.origin, reason, auditSeq);
      const peer = peerOf(log);
      if (peer !== undefined) onSuspended(peer.peerId);
    },
    unreconciled(log, pair) {
      events.headUnreconciled(nameOf(log), log.origin, pair.larger.size, pair.seenFrom);
      writer.audit(unreconciledRecord(log, pair)).catch((error: unknown) => logger.error({ error }, 'audit failed'));
    },
    gossiped: (heads) => events.headsGossiped(heads),
    collected: () => {
      ringWhenServed(base).catch((error: unknown) => logger.error({ error }, 'peers are not told of growth'));
    },
  };
}

/** It proves nothing: the log may not have been reached. The notes are kept, and asked about again. */
function unreconciledRecord(log: WitnessedLog, { smaller, larger, seenFrom }: OpenPair) {
  const detail = { origin: log.origin, smaller: smaller.note, larger: larger.note, seen_from: seenFrom };
  return { event: 'checkpoint_unreconciled', peer: log.nodeId, detail };
}

/** With a policy of our own, peers hear of growth when the checkpoint that covers it may be served. */
async function ringWhenServed({ config, writer, growth, appended, metrics }: Base): Promise<void> {
  const state = await writer.policyState();
  metrics.witnessPolicyMet.set(state === null || state.isMet ? 1 : 0);
  if (config.witness.policy === null || (state?.isMet !== true && state?.metSize !== null)) return;
  if (appended.current().size > growth.current().size) growth.ring(appended.current());
}

async function serveWitness(
  { logger }: Base,
  { transport, peers }: WitnessParts,
  deps: Parameters<typeof answerWitness>[2],
): Promise<void> {
  const rates = new Map<string, Rate>();
  const mayAsk = (peerId: string): boolean => {
    const rate = rates.get(peerId) ?? new Rate(REQUESTS_PER_SECOND, REQUESTS_AT_ONCE, performance.now());
    rates.set(peerId, rate);
    return rate.take(performance.now());
  };
  await transport.serve(WITNESS_PROTOCOL, {
    maxInboundStreams: 4,
    limits: { idleMs: IDLE_MS, totalMs: TOTAL_MS, maxRequestBytes: MAX_WITNESS_REQUEST_BYTES },
    handler: (request, { peerId }) => {
      const peer = peers().find((one) => one.peerId === peerId);
      return peer === undefined || !mayAsk(peerId) ? [] : answerWitness(request, peer, deps);
    },
    onError: (error, peerId) => logger.debug({ peer_id: peerId, error: error.message }, 'stream ended'),
  });
}

function apiWitness({ journal }: WitnessDeps, known: KnownLogs, cosigning: CosignService): ApiWitness {
  return {
    add: (body) => cosigning.add(body),
    async monitored(hash) {
      const found = (await known.all()).find(({ log }) => originHash(log.origin) === hash);
      return found === undefined ? null : journal.monitored(found.log);
    },
    state: async () => journal.witnessState((await known.all()).map(({ log }) => log)),
  };
}

/** How C2SP tlog-witness names a log in a path. */
function originHash(origin: string): string {
  return createHash('sha256').update(origin).digest('hex');
}

async function followAppends({ appended }: Base, signal: AbortSignal, onAppend: () => void): Promise<void> {
  while (!signal.aborted) if ((await appended.wait(IDLE_MS, signal)) === 'rung') onAppend();
}

/** Does one thing after a while; asked for again meanwhile, at the earlier of the two times. */
class Soon {
  readonly #work: () => Promise<void>;
  readonly #logger: Base['logger'];
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();
  #then: () => void = () => {};
  #isStopped = false;

  constructor(work: () => Promise<void>, logger: Base['logger']) {
    this.#work = work;
    this.#logger = logger;
  }

  /** @param then called when it has been done, from now on */
  within(ms: number, then: () => void = this.#then): void {
    this.#then = then;
    const dueMs = performance.now() + ms;
    if (this.#isStopped || dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => this.#fire(), ms);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #fire(): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#running = this.#running
      .then(this.#work)
      .catch((error: unknown) => {
        if (!this.#isStopped) this.#logger.warn({ error: String(error) }, 'witnessing failed, and goes on');
      })
      .then(() => this.#then());
  }
}
