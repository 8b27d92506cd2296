/** A node whose own log lies: lies are chained, hashed and signed like the truth, and others may be shown another history. */
import { createHash } from 'node:crypto';
import { type Behaviour, framesOf, gone } from '../../src/drill/hostile-peer.ts';
import { EPOCH_MS } from '../../src/drill/peer-log.ts';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import { identityFromSeed } from '../../src/transport/identity.ts';
import { encodeHello } from '../../src/wire/hello.ts';
import { decodeProofRequest, encodeProofAnswer } from '../../src/wire/proof.ts';
import { HELLO_PROTOCOL, PROOF_PROTOCOL, PROTOCOLS, PULL_PROTOCOL, WATCH_PROTOCOL } from '../../src/wire/protocols.ts';
import { decodePullRequest } from '../../src/wire/pull-request.ts';
import { encodeWatchUpdate } from '../../src/wire/watch.ts';
import { FACT_LIES } from '../adversarial/fact-lies.ts';
import { HonestPeer } from '../support/honest-peer.ts';
import type { Chance } from './chance.ts';
import { askForAll } from './greedy.ts';
import type { Model } from './model.ts';
import type { MemoryTransport } from './network.ts';

/** Lies that need no earlier fact of the log and are told in its own bytes. */
const LIES = Object.entries(FACT_LIES).filter(
  ([reason, { garbled }]) =>
    garbled === undefined && !['fact_rewritten', 'valid_until_extended', 'value_too_large'].includes(reason),
);
export const LIE_NAMES: readonly string[] = LIES.map(([reason]) => reason);
const LIMITS = { idleMs: 30_000, totalMs: undefined, maxRequestBytes: 65_536 };
const SEED = createHash('sha256').update('identity of a liar').digest();

export interface LiarIdentity {
  readonly nodeId: string;
  readonly peerId: string;
  readonly logKey: string;
}

function newLog(): HonestPeer {
  return new HonestPeer({ authority: 'liar.example', startMs: EPOCH_MS });
}

export async function makeLiar(): Promise<LiarIdentity> {
  const { peerId } = await identityFromSeed(SEED);
  return { nodeId: 'stigmem://liar.example', peerId, logKey: newLog().logVkey };
}

export class Liar {
  readonly #model: Model;
  readonly #byReceiver: (peerId: string) => string;
  readonly #identity: LiarIdentity;
  #log = newLog();
  #other: HonestPeer | undefined;
  #transport: MemoryTransport | undefined;
  /** Peer ids that are shown the other history. */
  #fooled: ReadonlySet<string> = new Set();
  /** The next answers lie as a whole. */
  page: 'none' | 'rollback' | 'garbage' | 'endless' | 'silence' = 'none';

  constructor(identity: LiarIdentity, model: Model, nodeOf: (peerId: string) => string) {
    this.#identity = identity;
    this.#model = model;
    this.#byReceiver = nodeOf;
  }

  get length(): number {
    return this.#log.feedLength('public');
  }

  /** @param reason of the lie; null for an honest fact */
  tell(reason: string | null): void {
    // Whether a link is wrong can only be seen where the entry before it can be read.
    if (reason === 'chain_link_mismatch') this.tell(null);
    const { draft, lie } = reason === null ? {} : (FACT_LIES[reason as keyof typeof FACT_LIES] ?? {});
    const stored = this.#log.append(draft?.(this.#log) ?? {}, lie);
    // What is only kept from readers is accepted all the same.
    const isRefused = reason !== null && reason !== 'instruction_inbound';
    if (this.#other !== undefined) this.#other.append();
    else
      this.#model.told.push({ factId: stored.entry.fact_id, lie: isRefused ? reason : null, feedSeq: stored.feedSeq });
  }

  /** From here on some are shown another history than the others. @returns whether it is possible */
  equivocate(fooled: readonly string[]): boolean {
    if (this.#other !== undefined || this.#log.size < 2) return false;
    // What the two histories do not share is no longer what the model speaks of.
    this.#model.told.pop();
    this.#other = this.#log.fork(this.#log.size - 1);
    this.#fooled = new Set(fooled);
    this.#other.append({ value_v: 'another history' });
    this.#log.append();
    this.#other.append();
    return true;
  }

  /** Asks a node for whatever it might have. */
  ask(peerId: string, chance: Chance): void {
    const transport = this.#transport;
    // How it ends, and what ends it, is the node's business.
    if (transport !== undefined)
      askForAll(transport, peerId, chance, (got) => this.#model.got.push(got)).catch(() => {});
  }

  async serve(transport: MemoryTransport): Promise<void> {
    this.#transport = transport;
    const identity = createLogSigner(this.#identity.nodeId, SEED);
    const declaration = this.#log.declaration(identity, this.#identity.peerId);
    const hello = { declaration, heads: [], protocols: PROTOCOLS, software: 'liar/1', successions: [] };
    const on = (protocol: string, handler: NonNullable<Behaviour['pull']> | ((...args: never[]) => unknown)) =>
      transport.serve(protocol, { maxInboundStreams: 8, limits: LIMITS, handler: handler as never });
    await on(HELLO_PROTOCOL, () => [encodeHello({ ...hello, clock_ms: Date.now() })]);
    await on(PULL_PROTOCOL, (bytes: Uint8Array, { peerId }: { peerId: string }) => this.#answerPull(bytes, peerId));
    await on(PROOF_PROTOCOL, (bytes: Uint8Array, { peerId }: { peerId: string }) => {
      const request = decodeProofRequest(bytes);
      return request.ok ? [encodeProofAnswer(this.#logFor(peerId).answerProof(request.value))] : [];
    });
    await on(WATCH_PROTOCOL, (_bytes: Uint8Array, { peerId, signal }: { peerId: string; signal: AbortSignal }) =>
      this.#watch(peerId, signal),
    );
  }

  #logFor(peerId: string): HonestPeer {
    return this.#other !== undefined && this.#fooled.has(peerId) ? this.#other : this.#log;
  }

  *#answerPull(bytes: Uint8Array, peerId: string): Generator<Uint8Array> {
    const request = decodePullRequest(bytes);
    if (!request.ok) return;
    const log = this.#logFor(peerId);
    log.receiver = this.#byReceiver(peerId);
    const lie = this.page;
    if (lie === 'silence') return;
    if (lie === 'garbage') {
      yield Buffer.alloc(300, 0x7b);
      return;
    }
    const size = Math.max(1, Math.min(request.value.known_size, log.size) - 1);
    if (lie === 'rollback' && request.value.known_size > 1) {
      yield* framesOf(log.page({ feed: 'public', after: 0, count: 1, size, knownSize: 0 }));
      return;
    }
    if (lie === 'endless') {
      for (let i = 0; i < 5_000; i++)
        yield* framesOf(log.page({ feed: 'public', after: log.feedLength('public'), knownSize: i === 0 ? 0 : null }));
      return;
    }
    yield* log.answerPull(request.value, ['public'], {}, log.receiver);
  }

  async *#watch(peerId: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const log = this.#logFor(peerId);
    yield encodeWatchUpdate({ feeds: [{ feed: 'public', length: log.feedLength('public') }], size: log.size });
    await gone(signal);
  }
}
