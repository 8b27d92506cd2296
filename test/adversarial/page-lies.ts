/**
 * One hostile peer per way to earn a reason that refuses a whole page. Each is honest up to the first half of its log, and
 * lies to a puller that has verified that half.
 */
import { createHash } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import type { PageReason } from '../../src/core/verdict.ts';
import { type Behaviour, framesOf } from '../../src/drill/hostile-peer.ts';
import type { PageLie } from '../../src/drill/served-log.ts';
import { signCheckpoint } from '../../src/merkle/checkpoint.ts';
import { createLogSigner, type LogSigner } from '../../src/merkle/ed25519.ts';
import { ALG_COSIGNATURE_V1 } from '../../src/merkle/note.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import type { EvidenceClass } from '../../src/verify/evidence.ts';
import type { PageFrames, SignedPageFrames } from '../../src/wire/page.ts';
import type { PageHeader } from '../../src/wire/page-header.ts';
import { signPageNote } from '../../src/wire/page-note.ts';
import { encodePullEnd } from '../../src/wire/pull-end.ts';
import type { PullRequest } from '../../src/wire/pull-request.ts';
import { bury, withHole } from '../support/buried.ts';
import { HonestPeer } from '../support/honest-peer.ts';
import { RelayLog } from '../support/relay-log.ts';
import { authorityOf } from './fact-lies.ts';

/** Entries that every one of these peers gives honestly. */
export const HALF = 5;
export const WHOLE = 10;
const BOMB_BYTES = 300 << 20;

export interface PageCase {
  /** The whole log; it lies about, or in, what lies behind the first half. */
  readonly build: (authority: string) => HonestPeer;
  /** The pages of the answer, the lying one last. */
  readonly lie: (log: HonestPeer) => readonly SignedPageFrames[];
  readonly field: string;
  readonly class: EvidenceClass;
  /** Entries judged before the lie. */
  readonly cursor: number;
  /** Policy in the victim's file of this peer. */
  readonly witnesses?: string;
  readonly anchors?: readonly string[];
  /** Where the lie is about a feed that the peer relays: the origin's feed, and the honest half of it. */
  readonly relayed?: { readonly feed: string; readonly first: (log: HonestPeer, after: number) => SignedPageFrames };
  /** Whether what it has is worth taking once it behaves. */
  readonly mends: boolean;
}

type Lie = PageCase['lie'];

const NEXT = { feed: 'public', after: HALF, size: WHOLE, knownSize: HALF } as const;

function build(authority: string): HonestPeer {
  return new HonestPeer({ authority }).appendMany(WHOLE);
}

/** Entry {@link HALF} + 1 has a tombstone, which is the last entry. */
function buriedLog(authority: string): HonestPeer {
  const log = new HonestPeer({ authority }).appendMany(WHOLE - 1);
  const erased = log.entries[HALF + 1];
  if (erased !== undefined) bury(log, erased);
  return log;
}

function accused(field: string, lie: Lie, more: Partial<PageCase> = {}): PageCase {
  return { build, lie, field, class: 'accusation', cursor: HALF, mends: true, ...more };
}

function contradicted(field: string, lie: Lie, more: Partial<PageCase> = {}): PageCase {
  return accused(field, lie, { class: 'contradiction', ...more });
}

const page = (log: HonestPeer, lie: PageLie = {}): readonly SignedPageFrames[] => [log.page(NEXT, lie)];
const withHeader =
  (change: (log: HonestPeer) => Partial<PageHeader>): Lie =>
  (log) =>
    page(log, { header: (header) => ({ ...header, ...change(log) }) });
const withFrames =
  (change: (frames: PageFrames) => Partial<PageFrames>): Lie =>
  (log) =>
    page(log, { frames: (frames) => ({ ...frames, ...change(frames) }) });

const withNote =
  (note: (log: HonestPeer, frames: SignedPageFrames) => Uint8Array | null): Lie =>
  (log) =>
    page(log, { note: (frames) => note(log, frames) });

const stranger = new HonestPeer({ authority: 'stranger.example' }).appendMany(WHOLE);
const forked = (log: HonestPeer): HonestPeer => log.fork(2).appendMany(WHOLE - 2);

function otherSigner(log: HonestPeer): LogSigner {
  return createLogSigner(log.origin, createHash('sha256').update('another key').digest());
}

/** An anchor in a local log is asked for, and given until the lie. */
const ANCHORED: Partial<PageCase> = {
  build: (authority) => new HonestPeer({ authority, anchored: true }).appendMany(WHOLE),
  anchors: ['local'],
};

function otherKey(log: HonestPeer): string {
  return signCheckpoint(log.origin, WHOLE, log.root(), otherSigner(log));
}

function flipSignature(note: string): string {
  const at = note.lastIndexOf('=') - 8;
  return `${note.slice(0, at)}${note[at] === 'A' ? 'B' : 'A'}${note.slice(at + 1)}`;
}

const WITNESS = createLogSigner('w.example/witness', Buffer.alloc(32, 1));
const WITNESS_KEY = { name: WITNESS.name, algorithm: ALG_COSIGNATURE_V1, publicKey: WITNESS.publicKey };

function withoutLastLine(note: string): string {
  return note.slice(0, note.trimEnd().lastIndexOf('\n') + 1);
}

function doubled(authority: string): HonestPeer {
  const log = new HonestPeer({ authority }).appendMany(HALF + 1);
  log.append({}, { claim: { feed_seq: HALF + 1 } });
  return log.appendMany(WHOLE - HALF - 2);
}

const DAY_MS = 86_400_000;

/** Of a permit that is in force when the test is run: by the day, so that every process of it says the same. */
function inForce(): { readonly issuedAt: string; readonly notAfter: string } {
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  return { issuedAt: new Date(today).toISOString(), notAfter: new Date(today + 7 * DAY_MS).toISOString() };
}

export const RELAYED_ORIGIN: ReturnType<RelayLog['pinned']> = new RelayLog({ facts: 0 }).pinned();

/** A peer that relays ten facts, the first half of them with a true permit. */
function relaying(field: string, permit: (log: RelayLog) => string): PageCase {
  const logOf = (relay: HonestPeer): RelayLog =>
    new RelayLog({ relay, facts: relay.size === 0 ? WHOLE : 0, origin: originLog(relay) });
  const pageOf = (
    relay: HonestPeer,
    after: number,
    size: number,
    told: (log: RelayLog) => string,
  ): SignedPageFrames => {
    const log = logOf(relay);
    return log.page({ after, size, knownSize: after === 0 ? 0 : HALF }, (origins) => ({
      ...origins,
      permit: told(log),
    }));
  };
  return accused(field, (relay) => [pageOf(relay, HALF, WHOLE, permit)], {
    build: (authority) => logOf(new HonestPeer({ authority })).relay,
    relayed: {
      feed: new RelayLog({ facts: 0 }).feed,
      first: (relay, after) => pageOf(relay, after, HALF, (log) => log.permit(inForce())),
    },
    mends: false,
  });
}

/** The same log each time: once to be relayed, then to prove what was. */
function originLog({ size }: HonestPeer): HonestPeer {
  return new HonestPeer({ authority: 'initech.example' }).appendMany(size);
}

/** Several ways each; the first of a list is the plain one. */
export const PAGE_LIES: Readonly<Record<PageReason, Readonly<Record<string, PageCase>>>> = {
  page_malformed: {
    'header is not JSON': accused(
      'header',
      withFrames(() => ({ header: Buffer.from('x') })),
    ),
    'header is a tower': accused(
      'header',
      withFrames(() => ({ header: Buffer.from(`{"after":${'['.repeat(50_000)}`) })),
    ),
    'header of another feed': accused(
      'header.feed',
      withHeader(() => ({ feed: 'company' })),
    ),
    'entries cut': accused(
      'entries',
      withFrames(({ entries }) => ({ entries: entries?.subarray(1) ?? null })),
    ),
    'a zstd bomb': accused('entries', (log) =>
      page(log, {
        header: (header) => ({ ...header, encoding: 'zstd' }),
        frames: (frames) => ({ ...frames, entries: zstdCompressSync(Buffer.alloc(BOMB_BYTES)) }),
      }),
    ),
    'a proof of another length': accused(
      'proof',
      withFrames(({ proof }) => ({ proof: Buffer.concat([proof ?? Buffer.alloc(0), Buffer.alloc(32)]) })),
    ),
    'first page without consistency proof': accused('consistency', (log) => [log.page({ ...NEXT, knownSize: null })]),
    'later page with consistency proof': accused(
      'consistency',
      (log) => [log.page({ ...NEXT, count: 2 }), log.page({ ...NEXT, after: HALF + 2 })],
      { cursor: HALF + 2 },
    ),
    'no note': accused(
      'note',
      withNote(() => null),
    ),
    'a note by another key': accused(
      'note',
      withNote((log, frames) => log.signed(frames, { signer: otherSigner(log) }).note),
    ),
    'a note for another peer': accused(
      'note.receiver',
      withNote((log, frames) => log.signed(frames, { receiver: 'stigmem://hooli.example' }).note),
    ),
    'a note over other bytes': accused(
      'note.frames',
      withNote((log, frames) => log.signed({ ...frames, proof: Buffer.alloc(32) }).note),
    ),
    'a note of other entries': accused(
      'note.to',
      withNote((log, frames) => {
        const told = { feed: 'public', after: HALF, to: WHOLE + 1, receiver: log.receiver };
        return Buffer.from(signPageNote(told, WHOLE, frames, log.signer));
      }),
    ),
    'later page with a larger checkpoint': accused(
      'checkpoint.size',
      (log) => [
        log.page({ ...NEXT, count: 2, size: WHOLE - 1 }),
        log.page({ ...NEXT, after: HALF + 2, knownSize: null }),
      ],
      { cursor: HALF + 2 },
    ),
  },
  checkpoint_malformed: {
    'not a note': accused(
      'checkpoint.origin',
      withHeader(() => ({ checkpoint: 'x\n' })),
    ),
  },
  checkpoint_origin_mismatch: {
    'another log’s': accused(
      'checkpoint.origin',
      withHeader(() => ({ checkpoint: stranger.checkpoint() })),
    ),
  },
  checkpoint_signature_invalid: {
    'another key': accused(
      'checkpoint.signature',
      withHeader((log) => ({ checkpoint: otherKey(log) })),
    ),
    'one letter of the signature': accused(
      'checkpoint.signature',
      withHeader((log) => ({ checkpoint: flipSignature(log.checkpoint()) })),
    ),
  },
  checkpoint_rollback: {
    'smaller than known': accused('checkpoint.size', (log) => [log.page({ ...NEXT, after: 0, size: HALF - 2 })]),
    'smaller on a later page': accused(
      'checkpoint.size',
      (log) => [log.page({ ...NEXT, count: 2 }), log.page({ ...NEXT, after: HALF + 2, size: 8, knownSize: null })],
      { cursor: HALF + 2 },
    ),
  },
  checkpoint_split_view: {
    'same size, other root': contradicted('checkpoint.root', (log) => [forked(log).page({ ...NEXT, size: HALF })]),
  },
  consistency_proof_invalid: {
    'a true path, from another smaller tree': contradicted('consistency', (log) => page(forked(log))),
    'a garbled path': accused(
      'consistency',
      withHeader((log) => ({ consistency: log.consistency(HALF).reverse() })),
    ),
    'no path': accused(
      'consistency',
      withHeader(() => ({ consistency: [] })),
    ),
  },
  feed_gap: {
    'an entry withheld': accused('entries[2].feed_seq', (log) =>
      page(log, { content: (content) => ({ ...content, entries: content.entries.toSpliced(2, 1) }) }),
    ),
    'the first entry withheld': accused('entries[0].feed_seq', (log) =>
      page(log, { content: (content) => ({ ...content, entries: content.entries.slice(1) }) }),
    ),
    'another range than asked for': accused('after', (log) => [log.page({ ...NEXT, after: HALF + 2 })]),
    'a feed sequence given twice': contradicted('entries[1].feed_seq', (log) => page(log), {
      build: doubled,
      mends: false,
    }),
  },
  feed_head_mismatch: {
    'of another feed': accused('feed_head.feed', (log) =>
      page(log, { feedHead: (head) => ({ ...head, feed: 'company' }) }),
    ),
    'of another tree size': accused('feed_head.size', (log) =>
      page(log, { feedHead: (head) => ({ ...head, size: WHOLE + 1 }) }),
    ),
    'shorter than the page': contradicted('feed_head.length', (log) =>
      page(log, { feedHead: (head) => ({ ...head, length: WHOLE - 1 }) }),
    ),
    'shorter than our cursor': accused('feed_head.length', (log) => [
      log.page({ ...NEXT, count: 0 }, { feedHead: (head) => ({ ...head, length: HALF - 1 }) }),
    ]),
    'an empty page although there is more': accused('feed_head.length', (log) => [log.page({ ...NEXT, count: 0 })]),
    'another last leaf': contradicted('feed_head.last_leaf', (log) =>
      page(log, { feedHead: (head) => ({ ...head, lastLeaf: Buffer.alloc(32) }) }),
    ),
  },
  relay_not_permitted: {
    'a permit of its own making': relaying('origins.permit', (log) => log.permit(inForce(), log.relay)),
  },
  erasure_unproven: {
    'an entry is withheld as erased, without a tombstone': accused(`entries[1].tombstone`, (log) =>
      page(log, { content: withHole(log, 1) }),
    ),
    'one tombstone for another entry': accused(
      'entries[2].tombstone.leaf_hash',
      (log) => page(log, { content: withHole(log, 2) }),
      {
        build: buriedLog,
      },
    ),
    'a tombstone whose path leads nowhere': accused(
      'entries[1].path',
      (log) => page(log, { content: withHole(log, 1, { path: [] }) }),
      {
        build: buriedLog,
      },
    ),
  },
  anchor_missing: {
    'without the anchor that the policy asks for': accused(
      'anchor',
      withHeader(() => ({ anchor: null })),
      ANCHORED,
    ),
  },
  anchor_invalid: {
    'no receipt': accused(
      'anchor',
      withHeader(() => ({ anchor: 'x' })),
      ANCHORED,
    ),
    'of another log': accused(
      'anchor',
      withHeader(() => ({ anchor: stranger.anchor() })),
      ANCHORED,
    ),
    'of another place in the log': accused(
      'anchor',
      withHeader((log) => ({ anchor: log.anchor(WHOLE, { log_index: 7 }) })),
      ANCHORED,
    ),
  },
  witness_quorum_unmet: {
    'without the cosignature that the policy asks for': accused(
      'checkpoint.cosignatures',
      (log) => page(log, { header: (header) => ({ ...header, checkpoint: withoutLastLine(header.checkpoint) }) }),
      {
        build: (authority) => new HonestPeer({ authority, witness: WITNESS }).appendMany(WHOLE),
        witnesses: `witness w ${formatVerifierKey(WITNESS_KEY)}\nquorum w`,
      },
    ),
  },
};

export interface NamedCase extends PageCase {
  readonly reason: PageReason;
  /** Of the peer. */
  readonly name: string;
  readonly what: string;
  readonly authority: string;
}

export const PAGE_CASES: readonly NamedCase[] = Object.entries(PAGE_LIES).flatMap(([reason, ways]) =>
  Object.entries(ways).map(([what, way], i) => {
    const name = `${reason}_${i + 1}`;
    return { ...way, reason: reason as PageReason, what, name, authority: authorityOf(name) };
  }),
);

export function pageBehaviour(
  { build: make, lie, relayed }: Pick<NamedCase, 'build' | 'lie' | 'relayed'>,
  authority: string,
): Behaviour {
  const log = make(authority);
  const first = relayed?.first ?? ((of, after) => of.page({ feed: 'public', after, size: HALF, knownSize: 0 }));
  return { log, pull: (request) => answer(log, lie, request, first) };
}

function* answer(
  log: HonestPeer,
  lie: Lie,
  request: PullRequest,
  first: (log: HonestPeer, after: number) => SignedPageFrames,
): Generator<Uint8Array> {
  const after = request.feeds[0]?.after ?? 0;
  if (request.known_size === 0) yield* framesOf(first(log, after));
  // A puller that went on from a page before the lie is told another one.
  else if (after > HALF) yield Buffer.from('x');
  else yield* framesOf(...lie(log));
  yield encodePullEnd({ end: true, has_more: false });
}

export const behaviours: Readonly<Record<string, () => Behaviour>> = Object.fromEntries(
  PAGE_CASES.map((one) => [one.name, () => pageBehaviour(one, one.authority)]),
);
