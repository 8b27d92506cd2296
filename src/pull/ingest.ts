/** What happens to one page that a peer sent: opened, judged, and taken or refused, in the journal's thread. */
import type { PeerFile } from '../config/peer-file.ts';
import { type PageReason, PENALTY } from '../core/verdict.ts';
import { AuditReader } from '../journal/audit-reader.ts';
import type { AppendedPage, Journal } from '../journal/journal.ts';
import type { Neighbour } from '../journal/page-tail.ts';
import { decodeBase64 } from '../merkle/base64.ts';
import { parsePolicy, type WitnessPolicy } from '../merkle/tlog-policy.ts';
import { parseTrustedRoot, type TrustedLog } from '../merkle/trusted-root.ts';
import { span } from '../observe/trace.ts';
import type { AnchorPolicy, PageContext, PinnedPeer, RelayOrigin } from '../verify/context.ts';
import { type HeadPair, judgePair } from '../verify/contradiction.ts';
import { assertedIn, factIdsOf, type InclusionPaths, judgePage, type VerifiedBatch } from '../verify/judge.ts';
import { ownLines } from '../verify/own-lines.ts';
import { openPage, type PageRefusal } from '../verify/page.ts';
import type { PagePutOff } from '../verify/relay-rules.ts';
import type { SignedPageFrames } from '../wire/page.ts';
import { decodePageHeader } from '../wire/page-header.ts';
import { OriginKeys } from './origin-keys.ts';

/** A page and what only the puller knows. The journal adds cursor, checkpoint and feed length itself. */
export interface IngestInput {
  readonly peer: PinnedPeer;
  readonly feed: string;
  readonly frames: SignedPageFrames;
  readonly firstPage: boolean;
  /** Feeds taken from this peer at this moment. */
  readonly accept: readonly string[];
  readonly nowMs: number;
  readonly maxFutureSkewMs: number;
  readonly maxPastSkewMs: number;
  readonly maxValueBytes: number;
  /** The node whose facts the feed relays; null for what the peer asserts itself. */
  readonly relay: RelayOrigin | null;
  /** Of the peer's file, as text. */
  readonly policy: PeerFile['policy'];
  /** Only after `proofs_needed`. */
  readonly inclusion?: InclusionPaths;
}

export type IngestOutcome =
  | (AppendedPage & {
      readonly kind: 'appended';
      readonly feed: string;
      readonly accepted: number;
      /** Facts of the page that were refused, with a record of their own or not. */
      readonly refusals: number;
      readonly treeSize: number;
      readonly feedLength: number;
    })
  | { readonly kind: 'proofs_needed'; readonly size: number; readonly indexes: readonly number[] }
  /** The peer was suspended while it was pulled: nothing more is taken, whatever was asked for before. */
  | { readonly kind: 'suspended' }
  /** A drill's lie passed every rule. Nothing of the page is taken: the journal is for ever. */
  | { readonly kind: 'withheld'; readonly accepted: number }
  | PagePutOff
  | {
      readonly kind: 'refused';
      readonly reason: PageReason;
      readonly penalty: 'backoff' | 'suspended';
      readonly auditSeq: number;
      /** Two checkpoints of the peer that contradict each other: others can be shown them. null: nothing of the kind. */
      readonly heads: HeadPair | null;
    };

const MAX_POLICIES = 1_024;
const NEVER_MET: WitnessPolicy = { logs: [], witnesses: [], groups: [], quorum: '' };

export class PageIngest {
  readonly #journal: Journal;
  readonly #audit: AuditReader;
  readonly #originKeys: OriginKeys;
  /** The last link of each peer's chain; read out of the journal after a restart. */
  readonly #links = new Map<string, Neighbour | null>();

  /** Parsed policies by their text: a page must not pay for reading the same one again. */
  readonly #policies = new Map<string, WitnessPolicy>();
  readonly #trustRoots = new Map<string, readonly TrustedLog[]>();

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#audit = new AuditReader(journal.db);
    this.#originKeys = new OriginKeys(journal);
  }

  ingest(input: IngestInput): IngestOutcome {
    // Asked in the thread that records suspensions: a third node's evidence may come in the middle of an answer.
    if (this.#audit.suspension(input.peer.nodeId) !== null) return { kind: 'suspended' };
    const context = this.#context(input);
    const opened = span('verify page', { feed: input.feed }, () => openPage(input.frames, context));
    if (!opened.ok) return opened.error.kind === 'put_off' ? opened.error : this.#refuse(opened.error, input);

    const seen = this.#journal.seen.find(factIdsOf(opened.value), assertedIn(opened.value));
    const verdict = span('verify entries', { feed: input.feed }, () => judgePage(opened.value, seen, input.inclusion));
    if (verdict.kind === 'proofs_needed') return verdict;
    if (verdict.kind === 'refused') return this.#refuse(verdict, input);

    const { batch } = verdict;
    if (batch.accepted.length > 0 && this.#journal.isDrill(input.peer.nodeId))
      return { kind: 'withheld', accepted: batch.accepted.length };
    return this.#append(batch, input);
  }

  #context(input: IngestInput): PageContext {
    const { nodeId } = input.peer;
    const { peers } = this.#journal;
    const { frames, inclusion, policy, relay, ...rules } = input;
    return {
      ...rules,
      relay:
        relay === null ? null : { ...relay, statements: this.#journal.statements.of(relay.nodeId), takenAtMs: null },
      self: this.#journal.identity.nodeId,
      after: peers.cursor(nodeId, input.feed),
      known: peers.checkpoint(nodeId),
      knownFeedLength: peers.feedLength(nodeId, input.feed),
      neighbour: this.#link(nodeId),
      policy: { witnesses: this.#witnesses(policy.witnesses), anchors: this.#anchors(policy.anchors) },
    };
  }

  #witnesses(text: string | null): WitnessPolicy | null {
    const policy = this.#policy(text);
    return policy === null ? null : this.#journal.statements.withSuccessors(policy);
  }

  /** The peer file was checked when it was read; a text that is no policy after all lets nothing through. */
  #policy(text: string | null): WitnessPolicy | null {
    if (text === null) return null;
    const known = this.#policies.get(text);
    if (known !== undefined) return known;
    const parsed = parsePolicy(text);
    const policy = parsed.ok ? parsed.value : NEVER_MET;
    if (this.#policies.size >= MAX_POLICIES) this.#policies.clear();
    this.#policies.set(text, policy);
    return policy;
  }

  #anchors(policy: PeerFile['policy']['anchors']): AnchorPolicy | null {
    if (policy === null) return null;
    const { backends, trustRoot, maxAgeS } = policy;
    return { backends, logs: trustRoot === null ? [] : this.#trusted(trustRoot), maxAgeS };
  }

  #trusted(text: string): readonly TrustedLog[] {
    const known = this.#trustRoots.get(text);
    if (known !== undefined) return known;
    const parsed = parseTrustedRoot(text);
    const logs = parsed.ok ? parsed.value : [];
    if (this.#trustRoots.size >= MAX_POLICIES) this.#trustRoots.clear();
    this.#trustRoots.set(text, logs);
    return logs;
  }

  #link(nodeId: string): Neighbour | null {
    const known = this.#links.get(nodeId);
    if (known !== undefined) return known;
    const stored = this.#journal.peers.neighbour(nodeId);
    this.#links.set(nodeId, stored);
    return stored;
  }

  #append(batch: VerifiedBatch, { relay, peer, nowMs }: IngestInput): IngestOutcome {
    if (relay !== null && batch.accepted.length > 0) this.#originKeys.note(relay, peer.nodeId, nowMs);
    // Both of the origin's keys have signed them, whatever becomes of the page.
    if (batch.learned.length > 0) this.#journal.saveSuccessions(batch.learned, nowMs);
    const counts = { accepted: batch.accepted.length, refused: batch.refused.length };
    const appended = span('append page', counts, () => this.#journal.appendPage(batch, nowMs));
    if (batch.lastLink !== null) this.#links.set(batch.peer.nodeId, batch.lastLink);
    return {
      ...appended,
      kind: 'appended',
      feed: batch.feed,
      accepted: batch.accepted.length,
      refusals: batch.refused.length,
      treeSize: batch.checkpoint.size,
      feedLength: batch.feedHead.length,
    };
  }

  /** Only what the judge of head pairs takes for a contradiction too: not one between a checkpoint and an entry. */
  #heads({ peer, frames }: IngestInput): HeadPair | null {
    const known = this.#journal.peers.checkpoint(peer.nodeId);
    const header = decodePageHeader(frames.header);
    if (known === null || !header.ok) return null;
    const { checkpoint, consistency } = header.value;
    const path = consistency?.map((hash) => decodeBase64(hash) ?? new Uint8Array(0)) ?? null;
    const log = { ...peer, key: peer.logKey };
    const pair: HeadPair = { notes: [ownLines(known.note, log), ownLines(checkpoint, log)], path };
    const verdict = judgePair(pair, log);
    return verdict.kind === 'contradiction' ? pair : null;
  }

  #refuse(refusal: PageRefusal, input: IngestInput): IngestOutcome {
    const penalty = PENALTY[refusal.reason];
    const { peer, feed, nowMs } = input;
    const suspended = penalty === 'suspended';
    const auditSeq = this.#journal.recordRefusedPage({ refusal, peer, feed, suspended }, nowMs);
    const heads = refusal.evidence.class === 'contradiction' ? this.#heads(input) : null;
    return { kind: 'refused', reason: refusal.reason, penalty, auditSeq, heads };
  }
}
