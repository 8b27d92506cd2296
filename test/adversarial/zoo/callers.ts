/** Peers that call: what they see of the node is the verdict. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Libp2p } from '@libp2p/interface';
import { dialVictim, type Where } from '../../../src/drill/hostile-peer.ts';
import { createTransport } from '../../../src/transport/node.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import { encodeClosureRequest } from '../../../src/wire/closure.ts';
import { encodeProofRequest } from '../../../src/wire/proof.ts';
import {
  CLOSURE_PROTOCOL,
  HELLO_PROTOCOL,
  PROOF_PROTOCOL,
  PULL_PROTOCOL,
  RECEIPT_PROTOCOL,
  WATCH_PROTOCOL,
  WITNESS_PROTOCOL,
} from '../../../src/wire/protocols.ts';
import { encodePullRequest } from '../../../src/wire/pull-request.ts';
import { decodeReceiptAnswer, encodeReceiptRequest } from '../../../src/wire/receipt.ts';
import { encodeWatchRequest } from '../../../src/wire/watch.ts';
import { decodeWitnessAnswer, encodeWitnessRequest } from '../../../src/wire/witness.ts';
import { RawPeer } from '../../integration/transport/harness.ts';
import type { HonestPeer } from '../../support/honest-peer.ts';
import { type Flood, flood } from '../transport/floods.ts';

const LIMITS = { idleMs: 10_000, totalMs: 20_000, maxFrameBytes: 4_194_304 };
const PULL = { accept: ['zstd'], page_bytes: 524_288, page_entries: 1_000, pages: 64 } as const;
const ENDS_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 20;
const MOST_LOTS = 60;
/** Of a kind that may be asked for five times a second. */
const MANY_REQUESTS = 60;

/** Nobody has a feed of this name. */
const ABSENT = 'company/no-such-garden-anywhere';

type Findings = Promise<readonly string[]>;

async function withTransport<T>(victim: Where, seed: Uint8Array, work: (peer: Transport) => Promise<T>): Promise<T> {
  const allowed = [{ peerId: victim.peerId, addresses: [victim.address] }];
  const transport = await createTransport({ seed, listen: [], allowed: () => allowed });
  try {
    return await work(transport);
  } finally {
    await transport.stop({ graceMs: 0 });
  }
}

/** The frames of an answer, at most so many; null: it was reset. */
async function framesOf(
  peer: Transport,
  victim: Where,
  protocol: string,
  request: Uint8Array,
  most = 100,
): Promise<readonly Uint8Array[] | null> {
  const frames: Uint8Array[] = [];
  try {
    for await (const frame of peer.request(victim.peerId, protocol, request, LIMITS))
      if (frames.push(frame) === most) break;
    return frames;
  } catch {
    return null;
  }
}

/** Asks for feeds that it is not granted, and for one that does not exist: any difference would tell of the feed. */
export async function probe(_node: Libp2p, victim: Where, seed: Uint8Array): Findings {
  const about = async (peer: Transport, feed: string): Promise<string> => {
    const pull = encodePullRequest({ ...PULL, feeds: [{ feed, after: 0 }], known_size: 0 });
    const asked = [
      await framesOf(peer, victim, PULL_PROTOCOL, pull),
      await framesOf(peer, victim, WATCH_PROTOCOL, encodeWatchRequest({ feeds: [feed] }), 1),
      await framesOf(peer, victim, CLOSURE_PROTOCOL, encodeClosureRequest({ feeds: [feed] })),
    ];
    return JSON.stringify(asked.map((frames) => frames?.map((frame) => Buffer.from(frame).toString('hex')) ?? null));
  };
  return withTransport(victim, seed, async (peer) => {
    const expected = await about(peer, ABSENT);
    const findings: string[] = [];
    for (const feed of ['public', 'company', 'team', 'local'])
      if ((await about(peer, feed)) !== expected) findings.push(`${feed} is answered otherwise than ${ABSENT}`);
    const proof = encodeProofRequest({ index: 0, kind: 'tile', level: 0, v: 1, width: 1 });
    const tile = await framesOf(peer, victim, PROOF_PROTOCOL, proof);
    if (tile?.some((frame) => Buffer.from(frame).includes('"hashes"'))) findings.push('a tile was given');
    return findings;
  });
}

/** Acknowledges what it was never given. */
export async function forgeReceipts(_node: Libp2p, victim: Where, seed: Uint8Array): Findings {
  return withTransport(victim, seed, async (peer) => {
    const receipts = ['public', ABSENT].map((feed) => `stigmem-page-receipt/v1\n${feed}\n0 1000000\n\n— x AAAA\n`);
    const [frame] = (await framesOf(peer, victim, RECEIPT_PROTOCOL, encodeReceiptRequest({ receipts }))) ?? [];
    const answer = frame === undefined ? undefined : decodeReceiptAnswer(frame);
    // Answered like right ones: the answer tells of no feed.
    return answer?.ok === true ? [] : ['forged receipts are answered otherwise than true ones'];
  });
}

/** Asks far more often than its rate. */
export async function hurry(_node: Libp2p, victim: Where, seed: Uint8Array): Findings {
  const request = encodeClosureRequest({ feeds: [ABSENT] });
  return withTransport(victim, seed, async (peer) => {
    const answers: (readonly Uint8Array[] | null)[] = [];
    for (let asked = 0; asked < MANY_REQUESTS; asked++)
      answers.push(await framesOf(peer, victim, CLOSURE_PROTOCOL, request));
    return [
      ...(answers[0] === null ? ['the first request was not answered'] : []),
      ...(answers.includes(null) ? [] : [`${MANY_REQUESTS} requests in a row were answered`]),
    ];
  });
}

/** Connects, opens streams and cuts them, again and again. */
export async function storm(node: Libp2p, victim: Where): Findings {
  const protocols = [HELLO_PROTOCOL, PULL_PROTOCOL, WATCH_PROTOCOL];
  for (let i = 0; i < 60; i++) {
    try {
      const connection = await dialVictim(node, victim);
      const stream = await connection.newStream(protocols[i % 3] ?? HELLO_PROTOCOL, {
        signal: AbortSignal.timeout(LIMITS.idleMs),
      });
      if (i % 2 === 0) stream.abort(new Error('no'));
      else connection.abort(new Error('no'));
    } catch {
      // cut off by the other side, which is right
    }
  }
  return [];
}

/** Wants cosignatures on two histories of its log at once. */
export async function race(log: HonestPeer, victim: Where, seed: Uint8Array): Findings {
  const base = log.size;
  const one = log.fork(base).appendMany(1);
  const histories = [one.fork(base).appendMany(20), one.appendMany(19)];
  const signed: { readonly size: number; readonly root: string }[] = [];
  await withTransport(victim, seed, async (peer) => {
    let known = base;
    const ask = async (i: number): Promise<void> => {
      const history = histories[i % 2] ?? log;
      const size = base + 1 + (i % 10);
      const old = Math.min(known, size);
      const request = { checkpoint: history.checkpoint(size), kind: 'cosign', old, v: 1 } as const;
      const proof = old === 0 ? [] : history.consistency(old, size);
      const bytes = encodeWitnessRequest({ ...request, proof });
      const [frame] = (await framesOf(peer, victim, WITNESS_PROTOCOL, bytes)) ?? [];
      const answer = frame === undefined || frame.length === 0 ? undefined : decodeWitnessAnswer(frame);
      if (answer?.ok !== true) return;
      if (answer.value.kind === 'stale') known = answer.value.size;
      if (answer.value.kind === 'cosigned') signed.push({ size, root: history.root(size).toString('hex') });
    };
    // The witness first has to have met the log; then one lot decides, and another asks for the rest.
    for (let lot = 0, more = 2; lot < MOST_LOTS && more > 0; lot++) {
      await Promise.all(Array.from({ length: 10 }, (_, i) => ask(lot * 10 + i)));
      if (signed.length > 0) more--;
      await sleep(1_000); // what is asked too often gets no answer
    }
  });
  const of = (history: HonestPeer): boolean =>
    signed.every(({ size, root }) => history.root(size).toString('hex') === root);
  return [
    ...(signed.length > 0 ? [] : ['nothing was cosigned, so nothing was tried']),
    ...(histories.some(of) ? [] : [`two histories were cosigned: ${JSON.stringify(signed)}`]),
  ];
}

/** Throws frames at the multiplexer until it is hung up on. */
export function throwing(what: Flood): (node: Libp2p, victim: Where, seed: Uint8Array) => Findings {
  return async (_node, victim, seed) => {
    const after: (() => unknown)[] = [];
    const context = { after: (end: unknown) => void after.push(end as () => unknown) };
    const evil = await RawPeer.dial(context, seed, `${victim.address}/p2p/${victim.peerId}`);
    try {
      if (what.stopReading) evil.stopReading();
      if (what.first !== undefined) await evil.send(what.first);
      const endMs = performance.now() + ENDS_WITHIN_MS;
      void flood(evil, what.batch, what.count);
      while (evil.open && performance.now() < endMs) await sleep(LOOK_EVERY_MS);
      return evil.open ? [`still connected after ${ENDS_WITHIN_MS / 1000} s`] : [];
    } finally {
      for (const end of after) await end();
    }
  };
}
