/**
 * A peer that can lie, inside its process: the real transport and protocols, over a ServedLog. What it says is
 * the whole truth except where its behaviour says otherwise. Told to `behave`, it stops lying and serves what it has.
 */
import { createHash } from 'node:crypto';
import { noise } from '@chainsafe/libp2p-noise';
import type { Connection, ConnectionGater, Libp2p, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { createLogSigner } from '../merkle/ed25519.ts';
import { Answerer, type ServeOptions } from '../transport/answer.ts';
import { guardedYamux } from '../transport/guard.ts';
import { identityFromSeed } from '../transport/identity.ts';
import { DEFAULT_GUARD_LIMITS } from '../transport/limits.ts';
import { protectorOf } from '../transport/node.ts';
import { openOwnDeclaration } from '../verify/declared-log-key.ts';
import { decodeHello, encodeHello } from '../wire/hello.ts';
import type { SignedPageFrames } from '../wire/page.ts';
import { decodeProofRequest, encodeProofAnswer, type ProofRequest } from '../wire/proof.ts';
import { HELLO_PROTOCOL, PROOF_PROTOCOL, PROTOCOLS, PULL_PROTOCOL, WATCH_PROTOCOL } from '../wire/protocols.ts';
import { decodePullRequest, type PullRequest } from '../wire/pull-request.ts';
import { encodeWatchUpdate } from '../wire/watch.ts';
import type { PeerLog } from './peer-log.ts';
import type { ServedLog } from './served-log.ts';

type Frames = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** A node that can be called. */
export interface Where {
  readonly peerId: string;
  /** Multiaddr without the peer id. */
  readonly address: string;
}

/** How a peer lies. What is left out is honest. */
export interface Behaviour {
  readonly log: ServedLog;
  /** @param receiver node id of whoever asks, as its hello said; the log's own receiver while it has not said any */
  readonly pull?: (request: PullRequest, signal: AbortSignal, peerId: string, receiver: string) => Frames;
  /** null: no answer. */
  readonly proof?: (request: ProofRequest, peerId: string) => Uint8Array | null;
  /** @param sayingFor a hello like the honest one, with the declaration of another log of this peer */
  readonly hello?: (honest: Uint8Array, sayingFor: (log: PeerLog) => Uint8Array) => Frames;
  readonly watch?: (signal: AbortSignal) => Frames;
  /** Takes the bare stream of a protocol: whatever it does with it. */
  readonly raw?: Readonly<Record<string, (stream: Stream, connection: Connection) => unknown>>;
  /** For peers that call instead of waiting to be called. `seed` is that of its identity. */
  readonly call?: (node: Libp2p, victim: Where, seed: Uint8Array) => Promise<unknown>;
}

/** What a test can ask a hostile peer for. */
export interface HostileReport {
  /** Requests that came, by protocol. */
  readonly asked: Readonly<Record<string, number>>;
  readonly connections: number;
}

export interface Listening {
  readonly nodeId: string;
  readonly peerId: string;
  readonly address: string;
  /** Verifier key of the log that it shows. */
  readonly logKey: string;
}

const OPEN_LIMITS = { idleMs: 600_000, totalMs: undefined, maxRequestBytes: 65_536 };
const MANY = 1_000;

export class HostilePeer {
  readonly #behaviour: Behaviour;
  readonly #seed: Buffer;
  readonly #asked: Record<string, number> = {};
  /** Node ids by peer id: whom a page has to be signed for. */
  readonly #callers = new Map<string, string>();
  #connections = 0;
  #behaves = false;
  #node: Libp2p | undefined;

  constructor(name: string, behaviour: Behaviour) {
    this.#behaviour = behaviour;
    this.#seed = createHash('sha256').update(`identity of ${name}`).digest();
  }

  /**
   * @param swarmKey of a private network that its callers are in
   * @param caller peer id of the only one that is let in; null: everybody
   */
  async listen(
    host = '127.0.0.1',
    swarmKey: Uint8Array | null = null,
    caller: string | null = null,
  ): Promise<Listening> {
    const { privateKey, peerId } = await identityFromSeed(this.#seed);
    const node = await createLibp2p({
      privateKey,
      addresses: { listen: [`/ip4/${host}/tcp/0`] },
      transports: [tcp()],
      ...protectorOf(swarmKey),
      connectionEncrypters: [noise()],
      streamMuxers: [guardedYamux(DEFAULT_GUARD_LIMITS, () => {})],
      ...(caller === null ? {} : { connectionGater: gateFor(caller) }),
      connectionMonitor: { enabled: false },
      connectionManager: { inboundConnectionThreshold: MANY },
    });
    this.#node = node;
    node.addEventListener('connection:open', () => {
      this.#connections++;
    });
    await this.#serveAll(node, peerId);
    const [address] = node.getMultiaddrs();
    if (address === undefined) throw new Error('it listens nowhere');
    const { nodeId, logVkey: logKey } = this.#behaviour.log;
    return { nodeId, peerId, address: address.toString(), logKey };
  }

  /** From now on nothing but the truth. */
  behave(): void {
    this.#behaves = true;
  }

  /** @returns what the behaviour's call came to */
  async call(victim: Where): Promise<unknown> {
    return this.#node === undefined ? undefined : this.#behaviour.call?.(this.#node, victim, this.#seed);
  }

  async close(): Promise<void> {
    await this.#node?.stop();
  }

  report(): HostileReport {
    return { asked: { ...this.#asked }, connections: this.#connections };
  }

  async #serveAll(node: Libp2p, peerId: string): Promise<void> {
    const { log } = this.#behaviour;
    const hello = (of: PeerLog = log): Uint8Array =>
      encodeHello({
        clock_ms: Date.now(),
        declaration: of.declaration(createLogSigner(of.nodeId, this.#seed), peerId),
        heads: [],
        successions: [],
        protocols: PROTOCOLS,
        software: 'hostile/1',
      });
    const lie = (): Behaviour => (this.#behaves ? { log } : this.#behaviour);

    await this.#serve(node, HELLO_PROTOCOL, (bytes, { peerId: from }) => {
      const caller = callerOf(bytes);
      if (caller !== undefined) this.#callers.set(from, caller);
      return lie().hello?.(hello(), hello) ?? [hello()];
    });
    await this.#serve(node, PULL_PROTOCOL, (bytes, { signal, peerId: from }) => {
      const request = decodePullRequest(bytes);
      if (!request.ok) throw new Error(JSON.stringify(request.error));
      const receiver = this.#callers.get(from) ?? log.receiver;
      log.receiver = receiver;
      return (
        lie().pull?.(request.value, signal, from, receiver) ?? log.answerPull(request.value, ['public'], {}, receiver)
      );
    });
    await this.#serve(node, PROOF_PROTOCOL, (bytes, { peerId: from }) => {
      const request = decodeProofRequest(bytes);
      if (!request.ok) throw new Error(JSON.stringify(request.error));
      const told = lie().proof?.(request.value, from);
      return told === null ? [] : [told ?? encodeProofAnswer(log.answerProof(request.value))];
    });
    await this.#serve(node, WATCH_PROTOCOL, (_bytes, { signal }) => lie().watch?.(signal) ?? lengths(log, signal));
  }

  async #serve(node: Libp2p, protocol: string, handler: ServeOptions['handler']): Promise<void> {
    const options = { maxInboundStreams: MANY, limits: OPEN_LIMITS, handler };
    const answerer = new Answerer(protocol, options, () => true);
    const short = protocol.split('/').at(-2) ?? protocol;
    const onStream = async (stream: Stream, connection: Connection): Promise<void> => {
      this.#asked[short] = (this.#asked[short] ?? 0) + 1;
      const raw = this.#behaves ? undefined : this.#behaviour.raw?.[protocol];
      if (raw === undefined) await answerer.onStream(stream, connection);
      else await Promise.resolve(raw(stream, connection)).catch(() => {});
    };
    await node.handle(protocol, onStream, { maxInboundStreams: MANY });
  }
}

function gateFor(caller: string): ConnectionGater {
  return { denyInboundEncryptedConnection: (peer) => peer.toString() !== caller };
}

/** The node id in the declaration of whoever says hello. */
function callerOf(bytes: Uint8Array): string | undefined {
  const hello = decodeHello(bytes);
  return hello.ok ? openOwnDeclaration(hello.value.declaration)?.node_id : undefined;
}

async function* lengths(log: PeerLog, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield encodeWatchUpdate({ feeds: [{ feed: 'public', length: log.feedLength('public') }], size: log.size });
  await gone(signal);
}

/** Resolves when the other side has left. */
export async function gone(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

/** The frames of pages, one after the other, without an end. */
export function* framesOf(...pages: readonly SignedPageFrames[]): Generator<Uint8Array> {
  for (const { header, entries, proof, note } of pages) {
    yield header;
    if (entries !== null) yield entries;
    if (proof !== null) yield proof;
    if (note !== null) yield note;
  }
}

export async function dialVictim(node: Libp2p, victim: Where): Promise<Connection> {
  return node.dial(multiaddr(`${victim.address}/p2p/${victim.peerId}`));
}
