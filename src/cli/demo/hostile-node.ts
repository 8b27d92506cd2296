/** The hostile fourth of the demo, as a process of its own: proper transport, proper signatures, false facts. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isoMicros } from '../../core/time.ts';
import { createLogSigner } from '../../merkle/ed25519.ts';
import { ALG_ED25519 } from '../../merkle/note.ts';
import { formatVerifierKey } from '../../merkle/verifier-key.ts';
import { SOFTWARE } from '../../node/version.ts';
import type { ServeOptions } from '../../transport/answer.ts';
import { identityFromSeed } from '../../transport/identity.ts';
import { createTransport } from '../../transport/node.ts';
import type { Transport } from '../../transport/transport.ts';
import { signDeclaration } from '../../wire/declaration.ts';
import { encodeHello } from '../../wire/hello.ts';
import { decodeProofRequest, encodeProofAnswer, type ProofAnswer, type ProofRequest } from '../../wire/proof.ts';
import { HELLO_PROTOCOL, PROOF_PROTOCOL, PROTOCOLS, PULL_PROTOCOL, WATCH_PROTOCOL } from '../../wire/protocols.ts';
import { encodePullEnd } from '../../wire/pull-end.ts';
import { decodePullRequest } from '../../wire/pull-request.ts';
import { encodeWatchUpdate } from '../../wire/watch.ts';
import type { Runtime } from '../runtime.ts';
import { HostileLog } from './hostile-log.ts';
import { HOSTILE_AUTHORITY, LIES } from './lies.ts';

const NODE_ID = `stigmem://${HOSTILE_AUTHORITY}`;
/** True facts before each of the first lies: a refused fact must not cost the true ones around it. */
const TRUE_BETWEEN = 8;
const NEXT_LIE_MS = 4_000;
const HEARTBEAT_MS = 15_000;

/** What the process prints, one JSON object per line. */
export type HostileLine =
  | {
      readonly kind: 'listening';
      readonly peer_id: string;
      readonly log_key: string;
      readonly addresses: readonly string[];
    }
  | { readonly kind: 'signed'; readonly true_facts: number; readonly lies: Readonly<Record<string, number>> };

/** Runs until it is told to stop. */
export async function runHostileNode(
  runtime: Runtime,
  options: { readonly allow: string; readonly receiver: string; readonly relentless: boolean },
): Promise<void> {
  const stop = new AbortController();
  runtime.onStop(() => stop.abort());
  const print = (line: HostileLine): void => runtime.stdout.write(`${JSON.stringify(line)}\n`);

  const seed = randomBytes(32);
  const log = new HostileLog(
    createLogSigner(`${HOSTILE_AUTHORITY}/journal/${randomBytes(8).toString('hex')}`, randomBytes(32)),
  );
  const liar = new Liar(log, runtime.nowMs);
  for (const _ of LIES) liar.tellOne(TRUE_BETWEEN);

  const transport = await createTransport({
    seed,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    allowed: () => [{ peerId: options.allow, addresses: [] }],
  });
  await serveAll(transport, log, liar, await declarationOf(seed, log), runtime.nowMs, options.receiver);
  const log_key = formatVerifierKey({ ...log.signer, algorithm: ALG_ED25519 });
  print({ kind: 'listening', peer_id: transport.peerId, log_key, addresses: transport.addresses() });
  print(liar.signed());
  while (!stop.signal.aborted) {
    await delay(NEXT_LIE_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    if (stop.signal.aborted || !options.relentless) continue;
    liar.tellOne(1);
    print(liar.signed());
  }
  await transport.stop({ graceMs: 1_000 });
}

/** Appends true facts and lies, and wakes who watches. */
class Liar {
  readonly #log: HostileLog;
  readonly #nowMs: () => number;
  readonly #lies: Record<string, number> = {};
  readonly #waiting = new Set<() => void>();
  #told = 0;
  #trueFacts = 0;

  constructor(log: HostileLog, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  tellOne(trueBefore: number): void {
    for (let count = 0; count < trueBefore; count++) this.#log.append(this.#nowMs());
    this.#trueFacts += trueBefore;
    const lie = LIES[this.#told % LIES.length];
    this.#told += 1;
    if (lie === undefined) return;
    this.#log.append(this.#nowMs(), lie.forge(this.#nowMs(), this.#log.entry(0)));
    this.#lies[lie.reason] = (this.#lies[lie.reason] ?? 0) + 1;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  signed(): HostileLine {
    return { kind: 'signed', true_facts: this.#trueFacts, lies: { ...this.#lies } };
  }

  /** Resolves at the next lie, after a while, or when the watcher is gone. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, HEARTBEAT_MS).unref();
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

async function serveAll(
  transport: Transport,
  log: HostileLog,
  liar: Liar,
  declaration: string,
  nowMs: () => number,
  receiver: string,
): Promise<void> {
  const hello = (): Uint8Array =>
    encodeHello({
      clock_ms: nowMs(),
      declaration,
      heads: [],
      protocols: PROTOCOLS,
      software: SOFTWARE,
      successions: [],
    });
  await transport.serve(
    HELLO_PROTOCOL,
    served(() => [hello()]),
  );
  await transport.serve(
    PULL_PROTOCOL,
    served((request) => answerPull(log, request, receiver)),
  );
  await transport.serve(
    PROOF_PROTOCOL,
    served((request) => answerProof(log, request)),
  );
  await transport.serve(WATCH_PROTOCOL, {
    ...served(async function* (_request, { signal }) {
      while (!signal.aborted) {
        yield encodeWatchUpdate({ feeds: [{ feed: 'public', length: log.size }], size: log.size });
        await liar.next(signal);
      }
    }),
    limits: { idleMs: 60_000, totalMs: undefined, maxRequestBytes: 65_536 },
  });
}

function served(handler: ServeOptions['handler']): ServeOptions {
  return { maxInboundStreams: 4, limits: { idleMs: 30_000, totalMs: 120_000, maxRequestBytes: 65_536 }, handler };
}

function* answerPull(log: HostileLog, bytes: Uint8Array, receiver: string): Generator<Uint8Array> {
  const request = decodePullRequest(bytes);
  if (!request.ok) {
    yield encodePullEnd({ error: 'bad_request', retry_after_ms: 60_000 });
    return;
  }
  const { feeds, known_size, page_entries } = request.value;
  const cursor = feeds.find(({ feed }) => feed === 'public');
  if (cursor !== undefined) {
    const { header, entries, proof, note } = log.page(cursor.after, page_entries, known_size, receiver);
    for (const frame of [header, entries, proof, note]) if (frame !== null) yield frame;
  }
  yield encodePullEnd({ end: true, has_more: cursor !== undefined && cursor.after + page_entries < log.size });
}

function* answerProof(log: HostileLog, bytes: Uint8Array): Generator<Uint8Array> {
  const request = decodeProofRequest(bytes);
  if (request.ok) yield encodeProofAnswer(proofAnswer(log, request.value));
}

function proofAnswer(log: HostileLog, request: ProofRequest): ProofAnswer {
  if (request.kind === 'consistency')
    return { kind: 'consistency', proof: log.consistency(request.from, request.to), v: 1 };
  if (request.kind === 'tile')
    return { kind: 'tile', hashes: log.tile(request.level, request.index, request.width), v: 1 };
  return { kind: 'inclusion', proofs: request.indexes.map((index) => log.inclusion(index, request.size)), v: 1 };
}

async function declarationOf(seed: Uint8Array, log: HostileLog): Promise<string> {
  const { peerId } = await identityFromSeed(seed);
  const origin = log.signer.name;
  const since = isoMicros(log.entry(0).hlc === '' ? 0 : Number(log.entry(0).hlc.slice(0, 13)) * 1_000);
  const vkey = formatVerifierKey({ name: origin, algorithm: ALG_ED25519, publicKey: log.signer.publicKey });
  return signDeclaration(
    {
      audit_origin: origin.replace('/journal/', '/audit/'),
      issued_at: since,
      journal_origin: origin,
      keys: [{ algorithm: 'ed25519', not_after: null, not_before: since, use: 'log', vkey }],
      node_id: NODE_ID,
      peer_id: peerId,
    },
    createLogSigner(NODE_ID, seed),
  );
}
