/** Hostile peers that waste the time, memory and patience of whoever pulls from them, or is pulled from by them. */
import type { Connection, Stream } from '@libp2p/interface';
import type { Libp2p } from 'libp2p';
import * as varint from 'uint8-varint';
import { type Behaviour, dialVictim, framesOf, gone, type Where } from '../../src/drill/hostile-peer.ts';
import { writeFrame } from '../../src/transport/frames.ts';
import { HELLO_PROTOCOL, PULL_PROTOCOL } from '../../src/wire/protocols.ts';
import { encodePullEnd } from '../../src/wire/pull-end.ts';
import { encodePullRequest, type PullRequest } from '../../src/wire/pull-request.ts';
import { encodeWatchUpdate } from '../../src/wire/watch.ts';
import { HonestPeer } from '../support/honest-peer.ts';

const SLOW_MS = 4_000;
const DRIP_MS = 100;
const LOG_ENTRIES = 200;
const END = encodePullEnd({ end: true, has_more: false });
const MORE = encodePullEnd({ end: true, has_more: true });
/** What a pull of an own peer asks for; entries enough to fill every buffer on the way. */
const ALL = {
  accept: ['zstd'],
  feeds: [{ feed: 'public', after: 0 }],
  known_size: 0,
  page_bytes: 1 << 20,
  page_entries: 1_000,
  pages: 64,
} as const;

type Make = (log: HonestPeer) => Omit<Behaviour, 'log'>;

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** True pages of one entry each, one every few seconds: always alive, never done. */
export async function* slowly(log: HonestPeer, request: PullRequest, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const from = request.feeds[0]?.after ?? 0;
  for (let after = from; after < log.size && !signal.aborted; after++) {
    const knownSize = after === from ? request.known_size : null;
    yield* framesOf(log.page({ feed: 'public', after, count: 1, knownSize }));
    await pause(SLOW_MS, signal);
  }
}

/** True pages without entries, as fast as they are taken. */
export async function* emptyPages(
  log: HonestPeer,
  request: PullRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const after = request.feeds[0]?.after ?? 0;
  if (after < log.size) yield* framesOf(log.page({ feed: 'public', after, knownSize: request.known_size }));
  const empty = log.page({ feed: 'public', after: log.size, knownSize: null });
  const first = log.page({ feed: 'public', after: log.size, knownSize: request.known_size });
  if (after === log.size) yield* framesOf(first);
  for (let i = 0; !signal.aborted; i++) {
    yield* framesOf(empty);
    if (i % 100 === 0) await pause(1, signal);
  }
}

async function* growing(log: HonestPeer, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let i = 1; !signal.aborted; i++) {
    yield encodeWatchUpdate({ feeds: [{ feed: 'public', length: log.size + i }], size: log.size + i });
    await pause(1, signal);
  }
}

async function dripBytes(stream: Stream): Promise<void> {
  stream.send(varint.encode(4_000_000));
  while (stream.status === 'open') {
    stream.send(Buffer.from(' '));
    await new Promise((resolve) => setTimeout(resolve, DRIP_MS));
  }
}

async function halfAPage(log: HonestPeer, stream: Stream): Promise<void> {
  const { header, entries } = log.page({ feed: 'public', after: 0 });
  await writeFrame(stream, header);
  stream.send(varint.encode(entries?.byteLength ?? 0));
  stream.send(entries?.subarray(0, 100) ?? Buffer.alloc(0));
}

/** Opens pulls and reads nothing of the answers. */
export async function neverReads(node: Libp2p, victim: Where): Promise<void> {
  const connection = await dialVictim(node, victim);
  const ask = encodePullRequest(ALL);
  for (let i = 0; i < 8; i++) {
    try {
      const stream = await connection.newStream(PULL_PROTOCOL, { signal: AbortSignal.timeout(10_000) });
      stream.pause();
      stream.send(Buffer.concat([varint.encode(ask.byteLength), ask]));
      await stream.close();
    } catch {
      // more of them than one peer may have are reset
    }
  }
}

const KINDS: Readonly<Record<string, Make>> = {
  'slow-1': (log) => ({ pull: (request, signal) => slowly(log, request, signal) }),
  'slow-2': (log) => ({ pull: (request, signal) => slowly(log, request, signal) }),
  'slow-3': (log) => ({ pull: (request, signal) => slowly(log, request, signal) }),
  'slow-4': (log) => ({ pull: (request, signal) => slowly(log, request, signal) }),
  silent: () => ({
    pull: async function* (_request, signal) {
      await gone(signal);
      yield END;
    },
  }),
  'silent-hello': () => ({
    hello: async function* () {
      await new Promise(() => {});
      yield END;
    },
  }),
  drips: () => ({ raw: { [PULL_PROTOCOL]: dripBytes } }),
  'endless-pages': (log) => ({ pull: (request, signal) => emptyPages(log, request, signal) }),
  'more-for-ever': () => ({ pull: () => [MORE] }),
  'grows-for-ever': (log) => ({ watch: (signal) => growing(log, signal) }),
  resets: () => ({ raw: { [PULL_PROTOCOL]: (stream: Stream) => stream.abort(new Error('no')) } }),
  'resets-in-the-middle': (log) => ({
    raw: {
      [PULL_PROTOCOL]: async (stream: Stream) => {
        await halfAPage(log, stream);
        stream.abort(new Error('no'));
      },
    },
  }),
  truncates: (log) => ({
    raw: {
      [PULL_PROTOCOL]: async (stream: Stream) => {
        await halfAPage(log, stream);
        await stream.close();
      },
    },
  }),
  'no-end': (log) => ({
    pull: (request) => [...log.answerPull(request, ['public'])].slice(0, -1),
  }),
  'hangs-up': () => ({
    raw: {
      [HELLO_PROTOCOL]: (_stream: Stream, connection: Connection) => connection.abort(new Error('no')),
    },
  }),
  'huge-frame': () => ({ pull: () => [Buffer.alloc(5 << 20, '{')] }),
  'page-errors': () => ({ pull: () => [Buffer.from('x'), END] }),
  'busy-for-ever': () => ({ pull: () => [encodePullEnd({ error: 'busy', retry_after_ms: Number.MAX_SAFE_INTEGER })] }),
  'hello-of-another': () => ({ hello: (honest) => [Buffer.from(honest.toString().replace('clock_ms', 'clock_mz'))] }),
  'never-reads': () => ({ call: neverReads }),
};

export const KIND_NAMES: readonly string[] = Object.keys(KINDS);
/** Those whose pull never comes to an end by itself, and could hold every place there is for pulls. */
export const HOLDERS: readonly string[] = KIND_NAMES.filter((name) => name.startsWith('slow-'));

export function stallBehaviour(name: string, authority: string): Behaviour {
  const make = KINDS[name];
  if (make === undefined) throw new Error(`no stalling peer ${name}`);
  const log = new HonestPeer({ authority }).appendMany(LOG_ENTRIES);
  return { log, ...make(log) };
}

export const behaviours: Readonly<Record<string, () => Behaviour>> = Object.fromEntries(
  KIND_NAMES.map((name) => [name, () => stallBehaviour(name, `${name}.example`)]),
);
