/**
 * The lies of drills. Each is told to a puller that has taken nothing: where a rule compares with what was verified before, the
 * first answer is an empty page, true in every part, of a log whose entries are all in a feed that is not given. So no fact of a
 * drill is ever one that could be taken, but for the lie in it.
 */

import { randomBytes } from 'node:crypto';
import type { DrillKind } from '../core/drill.ts';
import { DAY_MS } from '../core/time.ts';
import { signCheckpoint } from '../merkle/checkpoint.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import type { PageContent, SignedPageFrames } from '../wire/page.ts';
import type { PageHeader } from '../wire/page-header.ts';
import { encodePullEnd } from '../wire/pull-end.ts';
import type { PullRequest } from '../wire/pull-request.ts';
import type { EntryLie, FactDraft } from './entry-draft.ts';
import { type Behaviour, framesOf } from './hostile-peer.ts';
import type { StoredEntry } from './peer-log.ts';
import { type PageLie, ServedLog } from './served-log.ts';

export type PeerDrillKind = Exclude<DrillKind, 'anchor-down'>;

/** The feed that is taken from a drill's peer. */
export const DRILL_FEED = 'public';
/** What is never shown of its log. */
const HIDDEN: FactDraft = { scope: 'company' };
const HIDDEN_ENTRIES = 5;
const LYING_ENTRIES = 3;
const CENTURY_MS = 100 * 365 * DAY_MS;
/** Its history began a little before, so that no clock of its facts is out of bounds. */
const AGE_MS = 60_000;

export interface Attack {
  readonly log: ServedLog;
  /** The pages of an answer. */
  readonly pages: (request: PullRequest) => readonly SignedPageFrames[];
  /** What a puller is told that knows nothing of the log yet; null: the lie at once. */
  readonly first: ((request: PullRequest) => SignedPageFrames) | null;
}

/** @param onLie the lie leaves now */
export function behaviourOf({ log, pages, first }: Attack, onLie: () => void): Behaviour {
  const pull = function* (request: PullRequest): Generator<Uint8Array> {
    if (first !== null && request.known_size === 0) {
      yield* framesOf(first(request));
      yield encodePullEnd({ end: true, has_more: true });
      return;
    }
    onLie();
    yield* framesOf(...pages(request));
    yield encodePullEnd({ end: true, has_more: false });
  };
  return { log, pull };
}

export function attackOf(kind: PeerDrillKind, authority: string, nowMs: number): Attack {
  const log = new ServedLog({ authority, logKey: secret(), anchorKey: secret(), startMs: nowMs - AGE_MS });
  return ATTACKS[kind](log, nowMs);
}

/** Nobody but this drill has its keys. */
function secret(): string {
  return randomBytes(32).toString('hex');
}

const ATTACKS: Readonly<Record<PeerDrillKind, (log: ServedLog, nowMs: number) => Attack>> = {
  'cid-mismatch': (log) => lyingFacts(log, {}, { claim: { cid: `sha256:${'0'.repeat(64)}` } }),
  'cid-missing': (log) => lyingFacts(log, {}, { bytes: (text) => text.replace(/"cid":"[^"]*"/, '"cid":null') }),
  'not-canonical': (log) => lyingFacts(log, {}, { bytes: (text) => text.replace('"v":1,', '"v": 1,') }),
  'chain-proof': (log) => lyingFacts(log, {}, {}, { content: garbled }),
  'not-owned': (log) => lyingFacts(log, { source: 'stigmem://somebody-else.invalid/agent/a1' }),
  'scope-not-granted': (log) => lyingFacts(log, { feed: DRILL_FEED, scope: 'company' }),
  'time-future': (log, nowMs) => lyingFacts(log, { hlc: `${nowMs + CENTURY_MS}.000` }),
  'checkpoint-signature': (log) =>
    lyingPage(log, (header) => ({
      ...header,
      checkpoint: signCheckpoint(log.origin, log.size, log.root(), otherSigner(log)),
    })),
  'malformed-page': (log) => {
    log.appendMany(LYING_ENTRIES);
    return attack(log, null, (request) => [pageOf(log, request, { note: () => null })]);
  },
  'withheld-entry': (log) => {
    log.appendMany(LYING_ENTRIES);
    const content = (page: PageContent): PageContent => ({ ...page, entries: page.entries.slice(1) });
    return attack(log, null, (request) => [pageOf(log, request, { content })]);
  },
  'consistency-proof': (log) => {
    log.appendMany(HIDDEN_ENTRIES, () => HIDDEN);
    const size = log.size;
    log.appendMany(HIDDEN_ENTRIES, () => HIDDEN);
    const header = (told: PageHeader): PageHeader => ({
      ...told,
      consistency: [...(told.consistency ?? [])].reverse(),
    });
    return attack(log, emptyPage(log, size), (request) => [pageOf(log, request, { header })]);
  },
  rollback: (log) => {
    log.appendMany(HIDDEN_ENTRIES, () => HIDDEN);
    return attack(log, emptyPage(log, HIDDEN_ENTRIES), (request) => [pageOf(log, request, {}, HIDDEN_ENTRIES - 2)]);
  },
  'split-view': (log) => {
    log.appendMany(HIDDEN_ENTRIES, () => HIDDEN);
    const second = log.fork(2).appendMany(HIDDEN_ENTRIES - 2, () => HIDDEN);
    return attack(log, emptyPage(log, HIDDEN_ENTRIES), (request) => [pageOf(signedFor(second, log), request)]);
  },
};

/** Every entry lies: there is none among them that could be taken. */
function lyingFacts(log: ServedLog, draft: FactDraft, lie: EntryLie = {}, page: PageLie = {}): Attack {
  log.appendMany(HIDDEN_ENTRIES, () => HIDDEN);
  for (let i = 0; i < LYING_ENTRIES; i++) log.append(draft, lie);
  return attack(log, null, (request) => [pageOf(log, request, page)]);
}

function lyingPage(log: ServedLog, header: (header: PageHeader) => PageHeader): Attack {
  log.appendMany(HIDDEN_ENTRIES, () => HIDDEN);
  return attack(log, null, (request) => [pageOf(log, request, { header })]);
}

function attack(log: ServedLog, first: Attack['first'], pages: Attack['pages']): Attack {
  return { log, first, pages };
}

function emptyPage(log: ServedLog, size: number): NonNullable<Attack['first']> {
  return (request) => pageOf(log, request, {}, size);
}

function pageOf(log: ServedLog, request: PullRequest, lie: PageLie = {}, size: number = log.size): SignedPageFrames {
  const after = request.feeds[0]?.after ?? 0;
  const count = request.page_entries;
  return log.page({ feed: DRILL_FEED, after, count, size, knownSize: request.known_size }, lie);
}

/** The other history is signed for the same receiver. */
function signedFor(fork: ServedLog, log: ServedLog): ServedLog {
  fork.receiver = log.receiver;
  return fork;
}

function otherSigner({ origin }: ServedLog): ReturnType<typeof createLogSigner> {
  return createLogSigner(origin, randomBytes(32));
}

/** Changed behind the proof: the bytes are not those of the leaf any more. */
function garbled(page: PageContent): PageContent {
  const entries = page.entries as readonly StoredEntry[];
  return { ...page, entries: entries.map((entry) => ({ ...entry, bytes: otherBytes(entry.bytes) })) };
}

function otherBytes(bytes: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(bytes).toString('utf8').replace('"value_v":"state ', '"value_v":"STATE '));
}
