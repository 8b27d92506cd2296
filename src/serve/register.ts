/** Puts the answers on the wire: each protocol with its limits on streams, bytes and time. */
import { MAX_KEEP_BYTES, MAX_REQUEST_BYTES } from '../core/limits.ts';
import type { Logger } from '../observe/logger.ts';
import type { ServeOptions } from '../transport/answer.ts';
import type { Transport } from '../transport/transport.ts';
import {
  CLOSURE_PROTOCOL,
  ERASURE_PROTOCOL,
  ERASURE_RELAY_PROTOCOL,
  HELLO_PROTOCOL,
  KEEP_PROTOCOL,
  NOTICE_PROTOCOL,
  PROOF_PROTOCOL,
  PULL_PROTOCOL,
  RECEIPT_PROTOCOL,
  RECOVER_PROTOCOL,
  RELAY_PROTOCOL,
  WATCH_PROTOCOL,
} from '../wire/protocols.ts';
import { encodePullEnd } from '../wire/pull-end.ts';
import { answerClosure, type ClosureDeps } from './answer-closure.ts';
import { answerErasure, type ErasureDeps } from './answer-erasure.ts';
import { answerKeep, type KeepDeps } from './answer-keep.ts';
import { answerNotice, type NoticeDeps } from './answer-notice.ts';
import { answerProof } from './answer-proof.ts';
import { answerPull } from './answer-pull.ts';
import { answerReceipt, type ReceiptDeps } from './answer-receipt.ts';
import { answerRecover } from './answer-recover.ts';
import { answerRelay, type RelayDeps } from './answer-relay.ts';
import { answerRelayedAck, type RelayedAckDeps } from './answer-relayed-ack.ts';
import { answerWatch } from './answer-watch.ts';
import type { ServeDeps } from './deps.ts';
import type { GrowthBell } from './growth-bell.ts';

/** A peer that does not take a frame, or send its request, within this time is cut off. */
const IDLE_MS = 30_000;
const SHORT_MS = 10_000;
const PULL_MS = 300_000;
const PROOF_MS = 60_000;

/**
 * Requests of one peer on each protocol, with a bucket for each: what is asked too often leaves the others alone, so that a
 * hello, a receipt or a watch gets through whatever else the peer does. An honest puller that is told of every append asks
 * fifty times a second.
 */
const PULLS_PER_SECOND = 100;
const PULLS_AT_ONCE = 200;
const PROOFS_PER_SECOND = 50;
const PROOFS_AT_ONCE = 200;
const RECOVERIES_PER_SECOND = 20;
const RECOVERIES_AT_ONCE = 100;
/** Each holds up to 64 signatures, which the journal's thread checks: ten milliseconds of it and more. */
const RECEIPTS_PER_SECOND = 20;
const RECEIPTS_AT_ONCE = 200;
/** Restore notes: one for a page that is taken. */
const KEEPS_PER_SECOND = 100;
const KEEPS_AT_ONCE = 200;
/** Each costs a look-up and a signature for every feed that it names. */
const CLOSURES_PER_SECOND = 5;
const CLOSURES_AT_ONCE = 20;
/** Each costs verifying its notes. */
const NOTICES_PER_SECOND = 5;
const NOTICES_AT_ONCE = 20;
/** A peer greets once an hour, and after a failure; a declaration that is another one costs its signatures. */
const HELLOS_PER_SECOND = 5;
const HELLOS_AT_ONCE = 50;

export interface RegisterDeps
  extends ServeDeps,
    ReceiptDeps,
    ClosureDeps,
    ErasureDeps,
    KeepDeps,
    NoticeDeps,
    RelayDeps,
    RelayedAckDeps {
  readonly transport: Pick<Transport, 'serve'>;
  readonly growth: GrowthBell;
  /** This node's hello message. */
  readonly hello: () => Uint8Array;
  /** A peer's hello, as it came. */
  readonly onHello: (request: Uint8Array, peerId: string) => void;
  readonly logger: Logger;
}

type Answer = (request: Uint8Array, peerId: string, deps: RegisterDeps) => AsyncGenerator<Uint8Array>;

/** What is asked in one small frame and answered in one. */
const WORDS: readonly (readonly [protocol: string, perSecond: number, burst: number, answer: Answer])[] = [
  [RECEIPT_PROTOCOL, RECEIPTS_PER_SECOND, RECEIPTS_AT_ONCE, answerReceipt],
  [CLOSURE_PROTOCOL, CLOSURES_PER_SECOND, CLOSURES_AT_ONCE, answerClosure],
  [RELAY_PROTOCOL, CLOSURES_PER_SECOND, CLOSURES_AT_ONCE, answerRelay],
  [NOTICE_PROTOCOL, NOTICES_PER_SECOND, NOTICES_AT_ONCE, answerNotice],
  [ERASURE_PROTOCOL, NOTICES_PER_SECOND, NOTICES_AT_ONCE, answerErasure],
  [ERASURE_RELAY_PROTOCOL, NOTICES_PER_SECOND, NOTICES_AT_ONCE, answerRelayedAck],
];

export async function registerProtocols(deps: RegisterDeps): Promise<void> {
  const { transport, logger, hello, onHello } = deps;
  const onError = (error: Error, peerId: string): void =>
    logger.debug({ peer_id: peerId, error: error.message }, 'stream ended');
  const limits = (idleMs: number, totalMs: number | undefined) => ({
    idleMs,
    totalMs,
    maxRequestBytes: MAX_REQUEST_BYTES,
  });

  const serve = (protocol: string, options: Omit<ServeOptions, 'onError'>): Promise<void> =>
    transport.serve(protocol, { ...options, onError });

  await serve(HELLO_PROTOCOL, {
    maxInboundStreams: 2,
    limits: limits(SHORT_MS, SHORT_MS),
    rate: { perSecond: HELLOS_PER_SECOND, burst: HELLOS_AT_ONCE },
    handler: (request, { peerId }) => {
      onHello(request, peerId);
      return [hello()];
    },
  });
  await serve(PULL_PROTOCOL, {
    maxInboundStreams: 2,
    limits: limits(IDLE_MS, PULL_MS),
    rate: { perSecond: PULLS_PER_SECOND, burst: PULLS_AT_ONCE },
    onBusy: (retryAfterMs) => [encodePullEnd({ error: 'busy', retry_after_ms: retryAfterMs })],
    handler: (request, { peerId }) => answerPull(request, peerId, deps),
  });
  await serve(PROOF_PROTOCOL, {
    maxInboundStreams: 4,
    limits: limits(IDLE_MS, PROOF_MS),
    rate: { perSecond: PROOFS_PER_SECOND, burst: PROOFS_AT_ONCE },
    handler: (request, { peerId }) => answerProof(request, peerId, deps),
  });
  await serve(RECOVER_PROTOCOL, {
    maxInboundStreams: 2,
    limits: limits(IDLE_MS, PULL_MS),
    rate: { perSecond: RECOVERIES_PER_SECOND, burst: RECOVERIES_AT_ONCE },
    handler: (request, { peerId }) => answerRecover(request, peerId, deps),
  });
  for (const [protocol, perSecond, burst, answer] of WORDS)
    await serve(protocol, {
      maxInboundStreams: 1,
      limits: limits(SHORT_MS, PROOF_MS),
      rate: { perSecond, burst },
      handler: (request, { peerId }) => answer(request, peerId, deps),
    });
  await serve(KEEP_PROTOCOL, {
    maxInboundStreams: 1,
    limits: { ...limits(SHORT_MS, PROOF_MS), maxRequestBytes: MAX_KEEP_BYTES },
    rate: { perSecond: KEEPS_PER_SECOND, burst: KEEPS_AT_ONCE },
    handler: (request, { peerId }) => answerKeep(request, peerId, deps),
  });
  await serve(WATCH_PROTOCOL, {
    maxInboundStreams: 2,
    limits: limits(IDLE_MS, undefined),
    handler: (request, context) => answerWatch(request, context, deps),
  });
}
