/**
 * A peer's log in memory: keys, chain, tree, feeds, checkpoints, feed heads and pages, all made by the real code and all true,
 * unless a lie is asked for. A lie is committed INSIDE the log: the entry that tells it is hashed, chained, put into the
 * tree and signed over like any other, so that only the rule it breaks can find it.
 *
 *   const peer = new PeerLog();
 *   peer.append();                                              // a plain public fact
 *   peer.append({ source: 'stigmem://globex.example/a' });      // a foreign source, properly signed
 *   peer.append({}, { claim: { cid: `sha256:${'0'.repeat(64)}` } });     // later hashes are made from the lie
 *   peer.append({}, { bytes: (text) => text.replace('"v":1', '"v": 1') });  // other bytes than the entry's own
 *   const frames = peer.page({ feed: 'public', after: 0 });
 *   const other = peer.fork(2);                                 // the same keys, another history from entry 3 on
 *
 * Lies about a page (header, notes, proofs, frames) go into `page(…, lie)`. `answerPull` and `answerProof` make whole
 * answers for a peer that is served as a process.
 */
import { createHash } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { canonicalJson } from '../core/canonical-json.ts';
import { chainHash, eventHashOfText } from '../core/chain.ts';
import { cidOfText } from '../core/cid.ts';
import { type Entry, encodeEntry } from '../core/entry.ts';
import { formatHlc } from '../core/hlc.ts';
import { uuidV7 } from '../core/ids.ts';
import { parseJson } from '../core/json.ts';
import { pythonFloatText } from '../core/python-text.ts';
import { nextLogLine } from '../core/reference/local-log.ts';
import { isoMicros } from '../core/time.ts';
import { type AnchorReceipt, formatAnchorReceipt } from '../merkle/anchor-receipt.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { formatCheckpoint, signCheckpoint } from '../merkle/checkpoint.ts';
import { entryLeafHash } from '../merkle/commitment.ts';
import { appendSignature, cosign } from '../merkle/cosignature.ts';
import { type AnchorSigner, createAnchorSigner } from '../merkle/ecdsa.ts';
import { createLogSigner, type LogSigner } from '../merkle/ed25519.ts';
import { type FeedHead, signFeedHead } from '../merkle/feed-head.ts';
import { ALG_ECDSA, ALG_ED25519, type NoteSignature } from '../merkle/note.ts';
import { proveConsistency, proveInclusion, provePage, rootAt, type TileSource } from '../merkle/tiles.ts';
import { TreeBuilder } from '../merkle/tree-builder.ts';
import { formatVerifierKey } from '../merkle/verifier-key.ts';
import { signDeclaration } from '../wire/declaration.ts';
import { encodePage, type PageContent, type PageFrames, type SignedPageFrames } from '../wire/page.ts';
import type { PageEncoding, PageHeader } from '../wire/page-header.ts';
import { signPageNote } from '../wire/page-note.ts';
import type { ProofAnswer, ProofRequest } from '../wire/proof.ts';
import { encodePullEnd } from '../wire/pull-end.ts';
import type { PullRequest } from '../wire/pull-request.ts';

/** Node id of whoever pulls, unless it is said otherwise. */
export const RECEIVER = 'stigmem://globex.example';

/** 2026-01-01T00:00:00Z, when the first entry of a peer is asserted; each next one a second later. */
export const EPOCH_MS = 1_767_225_600_000;

/** What a fact says. Anything left out is filled in plausibly; `feed` counts it in another feed than its scope's. */
export interface FactDraft {
  readonly feed?: string;
  readonly fact_id?: string;
  readonly entity?: string;
  readonly relation?: string;
  readonly source?: string;
  readonly scope?: string;
  readonly garden_id?: string | null;
  readonly value_type?: string;
  readonly value_v?: string;
  readonly confidence?: number;
  readonly interpret_as?: string;
  readonly valid_until?: string | null;
  readonly hlc?: string;
  readonly timestamp?: string;
  readonly derived_from?: readonly string[];
  readonly attestation?: Entry['attestation'];
  readonly origin?: Entry['origin'];
  readonly received_from?: string | null;
}

/** How an entry lies. Each claim replaces the member as soon as it is known; what is computed later is computed from it. */
export interface EntryLie {
  readonly claim?: Partial<Entry>;
  /** Replaces the bytes that are salted and hashed. */
  readonly bytes?: (canonical: string) => string | Uint8Array;
}

/** An entry as the log holds it. */
export interface StoredEntry {
  readonly entry: Entry;
  readonly feed: string;
  /** Place in the feed; what the peer serves it under, whatever the entry itself claims. */
  readonly feedSeq: number;
  readonly index: number;
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
  readonly leaf: Uint8Array;
}

export interface PageRequest {
  readonly feed: string;
  readonly after: number;
  readonly count?: number;
  /** Tree size of the checkpoint; the whole log if left out. */
  readonly size?: number;
  /** What the puller says that it knows: the consistency proof starts there. null: a later page, without proof. */
  readonly knownSize?: number | null;
  readonly encoding?: PageEncoding;
}

/** How a page lies. */
export interface PageLie {
  /** Members of the page before it is written; `entries` may be dropped, doubled or reordered here. */
  readonly content?: (content: PageContent) => PageContent;
  /** Another feed head, properly signed. */
  readonly feedHead?: (head: FeedHead) => FeedHead;
  /** Members of the finished header; the header is written again whatever they are. */
  readonly header?: (header: PageHeader) => unknown;
  readonly frames?: (frames: PageFrames) => PageFrames;
  /** Another note than the one that fits; everything before it is signed as it was told. */
  readonly note?: (frames: SignedPageFrames) => Uint8Array | null;
}

export interface PeerLogOptions {
  /** When its declared keys end; they do not, unless it is said. */
  readonly keysEndMs?: number;
  /** When it declares them; the time of its first entry, unless it is said. */
  readonly declaredMs?: number;
  readonly authority?: string;
  /** Origin suffix, 16 hex digits. */
  readonly journal?: string;
  readonly startMs?: number;
  /** What the log key is made from. Without it anybody can make it, who knows the origin. */
  readonly logKey?: string;
  /** The same for the anchor key. */
  readonly anchorKey?: string;
  /** Cosigns each of its checkpoints. */
  readonly witness?: LogSigner;
  /** The first page of an answer carries the receipt of a local log. */
  readonly anchored?: boolean;
}

export class PeerLog {
  readonly authority: string;
  readonly nodeId: string;
  readonly origin: string;
  /** The log key. */
  readonly signer: LogSigner;
  /** Signs what goes to transparency logs. */
  readonly anchorSigner: AnchorSigner;
  /** Whom its pages are signed for. */
  receiver: string = RECEIVER;
  readonly entries: StoredEntry[] = [];
  protected readonly options: PeerLogOptions;
  protected readonly startMs: number;
  readonly #anchorSeed: Buffer;
  readonly #builder = new TreeBuilder();
  readonly #tiles = new Map<string, Buffer>();
  readonly #feeds = new Map<string, StoredEntry[]>();
  #salted = '';

  constructor(options: PeerLogOptions = {}) {
    this.options = options;
    this.authority = options.authority ?? 'acme.example';
    this.nodeId = `stigmem://${this.authority}`;
    this.origin = `${this.authority}/journal/${options.journal ?? '00000000000000aa'}`;
    this.signer = createLogSigner(this.origin, sha256(options.logKey ?? `log key of ${this.origin}`));
    this.#anchorSeed = sha256(options.anchorKey ?? `anchor key of ${this.origin}`);
    this.anchorSigner = createAnchorSigner(this.origin, this.#anchorSeed);
    this.startMs = options.startMs ?? EPOCH_MS;
  }

  get size(): number {
    return this.entries.length;
  }

  /** Appends one fact; with `lie`, one that breaks a rule and is signed over all the same. */
  append(draft: FactDraft = {}, lie: EntryLie = {}): StoredEntry {
    const chain_seq = this.size + 1;
    const feed = draft.feed ?? feedFor(draft);
    const inFeed = this.#feeds.get(feed) ?? [];
    const entry = { ...this.#makeEntry(draft, chain_seq, inFeed.length + 1, lie.claim ?? {}) };
    const canonical = encodeEntry(entry);
    const bytes = Buffer.from(lie.bytes?.(canonical) ?? canonical);
    const salt = sha256(`salt ${this.origin} ${this.#salted} ${chain_seq}`);
    const leaf = entryLeafHash(salt, bytes);
    const stored = { entry, feed, feedSeq: inFeed.length + 1, index: chain_seq - 1, salt, bytes, leaf };
    this.#keep(stored);
    return stored;
  }

  /** Appends `count` facts, each made by `draft(i)`. */
  appendMany(count: number, draft: (i: number) => FactDraft = () => ({})): this {
    for (let i = 0; i < count; i++) this.append(draft(i));
    return this;
  }

  /** A peer with the same keys and the same first `size` entries, which goes its own way from there. */
  fork(size: number): PeerLog {
    return this.forkInto(size, new PeerLog(this.options));
  }

  protected forkInto<T extends PeerLog>(size: number, other: T): T {
    other.receiver = this.receiver;
    for (const stored of this.entries.slice(0, size)) other.#keep(stored);
    other.#salted = `${this.#salted} fork at ${size}`;
    return other;
  }

  get tiles(): TileSource {
    for (const { level, index, bytes } of this.#builder.partialTiles()) this.#tiles.set(`${level}/${index}`, bytes);
    return {
      tile: (level, index, width) => {
        const bytes = this.#tiles.get(`${level}/${index}`);
        if (bytes === undefined || bytes.length < width * 32) throw new Error(`no tile ${level}/${index} of ${width}`);
        return bytes.subarray(0, width * 32);
      },
    };
  }

  root(size: number = this.size): Buffer {
    return rootAt(size, this.tiles);
  }

  checkpoint(size: number = this.size): string {
    const note = signCheckpoint(this.origin, size, this.root(size), this.signer);
    const { witness } = this.options;
    const text = note.slice(0, note.indexOf('\n\n') + 1);
    return witness === undefined ? note : appendSignature(note, cosign(text, EPOCH_MS / 1000, witness));
  }

  /** How many entries of a feed are among the first `size` leaves. */
  feedLength(feed: string, size: number = this.size): number {
    return this.#inFeed(feed, size).length;
  }

  feedHead(feed: string, size: number = this.size, lie: (head: FeedHead) => FeedHead = (head) => head): string {
    const entries = this.#inFeed(feed, size);
    const lastLeaf = entries.at(-1)?.leaf ?? null;
    return signFeedHead(lie({ origin: this.origin, feed, length: entries.length, size, lastLeaf }), this.signer);
  }

  consistency(from: number, to: number = this.size): string[] {
    return proveConsistency(from, to, this.tiles).map(encodeBase64);
  }

  inclusion(index: number, size: number = this.size): Buffer[] {
    return proveInclusion(index, size, this.tiles);
  }

  /** One page of a feed, from the entry behind `after`. */
  page(request: PageRequest, lie: PageLie = {}): SignedPageFrames {
    const { feed, after, size = this.size, knownSize = 0 } = request;
    const entries = this.#inFeed(feed, size).slice(after, after + (request.count ?? Number.POSITIVE_INFINITY));
    const indexes = entries.map(({ index }) => index);
    const content: PageContent = {
      feed,
      after,
      anchor: knownSize === null || this.options.anchored !== true ? null : this.anchor(size),
      checkpoint: this.checkpoint(size),
      feedHead: this.feedHead(feed, size, lie.feedHead),
      consistency: knownSize === null ? null : this.consistency(Math.min(knownSize, size), size),
      encoding: request.encoding ?? 'identity',
      entries,
      origins: null,
      proof: entries.length === 0 ? new Uint8Array(0) : provePage(indexes, size, this.tiles),
    };
    const told = lie.content === undefined ? content : this.#withProof(lie.content(content), content, size);
    const written = encodePage(told);
    const header = lie.header?.(JSON.parse(Buffer.from(written.header).toString('utf8')));
    const retold = header === undefined ? written : { ...written, header: Buffer.from(JSON.stringify(header)) };
    const frames = this.signed(lie.frames?.(retold) ?? retold);
    return { ...frames, note: lie.note === undefined ? frames.note : lie.note(frames) };
  }

  /** The frames with a note that fits them, however wrong they are. */
  signed(frames: PageFrames, told: { receiver?: string; signer?: LogSigner } = {}): SignedPageFrames {
    const { feed, after, count, size } = statedIn(frames.header, this.size);
    const page = { receiver: told.receiver ?? this.receiver, feed, after, to: after + count };
    const { header, entries, proof } = frames;
    const note = signPageNote(page, size, { header, entries, proof }, told.signer ?? this.signer);
    return { header, entries, proof, note: Buffer.from(note) };
  }

  /** The frames of a whole answer, as `pull` sends them, without the empty one at the end. */
  *answerPull(
    request: PullRequest,
    granted: readonly string[],
    lie: PageLie = {},
    receiver: string = this.receiver,
  ): Generator<Uint8Array, void, undefined> {
    let left = request.pages;
    let isFirst = true;
    let hasMore = false;
    for (const cursor of request.feeds.filter(({ feed }) => granted.includes(feed))) {
      let { after } = cursor;
      do {
        if (left-- <= 0) {
          hasMore = true;
          break;
        }
        const knownSize = isFirst ? request.known_size : null;
        const encoding = request.accept.includes('zstd') ? 'zstd' : 'identity';
        this.receiver = receiver;
        const frames = this.page({ feed: cursor.feed, after, count: request.page_entries, knownSize, encoding }, lie);
        isFirst = false;
        for (const frame of [frames.header, frames.entries, frames.proof, frames.note]) if (frame !== null) yield frame;
        after += request.page_entries;
      } while (after < this.feedLength(cursor.feed));
    }
    yield encodePullEnd({ end: true, has_more: hasMore });
  }

  /** A receipt of a local log over the checkpoint of that size, canonical; members may be told otherwise. */
  anchor(size: number = this.size, told: Partial<AnchorReceipt> = {}): string {
    const checkpoint = appendSignature(
      signCheckpoint(this.origin, size, this.root(size), this.signer),
      this.#anchorLine(formatCheckpoint(this.origin, size, this.root(size))),
    );
    const payload = parseJson(
      canonicalJson({
        chain_hash: `sha256:${'0'.repeat(64)}`,
        covered_chain_seq: size,
        created_at: isoMicros(this.startMs * 1000),
        kind: 'stigmem.fact_chain_checkpoint',
        tenant_id: 'default',
        version: 1,
      }),
    );
    if (!payload.ok) throw new Error('a payload is JSON');
    const line = nextLogLine(null, payload.value, this.startMs / 1000);
    return formatAnchorReceipt({
      backend: 'local',
      checkpoint,
      entry: { ...JSON.parse(line.text), note: checkpoint },
      integrated_time: null,
      leaf_hash: line.leaf_hash,
      log_id: '0123456789abcdef',
      log_index: 0,
      tree_size: size,
      v: 1,
      ...told,
    });
  }

  /** The same line each time, in every process: what was sent is compared with what was received. */
  #anchorLine(text: string): NoteSignature {
    const { name, keyId } = this.anchorSigner;
    const signature = p256.sign(Buffer.from(text), this.#anchorSeed, { format: 'der' });
    return { name, keyId, signature };
  }

  answerProof(request: ProofRequest): ProofAnswer {
    if (request.kind === 'consistency')
      return { kind: 'consistency', proof: this.consistency(request.from, request.to), v: 1 };
    if (request.kind === 'tile') {
      const { level, index, width } = request;
      return { hashes: encodeBase64(this.tiles.tile(level, index, width)), kind: 'tile', v: 1 };
    }
    const proofs = request.indexes.map((index) => this.inclusion(index, request.size).map(encodeBase64));
    return { kind: 'inclusion', proofs, v: 1 };
  }

  /** Verifier key of its log. */
  get logVkey(): string {
    return formatVerifierKey({ name: this.origin, algorithm: ALG_ED25519, publicKey: this.signer.publicKey });
  }

  /** The signed declaration, under the identity key given (its name has to be the node id). */
  declaration(identity: LogSigner, peerId: string): string {
    const { publicKey } = this.anchorSigner;
    const anchor = formatVerifierKey({ name: this.origin, algorithm: ALG_ECDSA, publicKey });
    const since = isoMicros(this.startMs * 1000);
    const { keysEndMs, declaredMs = this.startMs } = this.options;
    const times = { not_after: keysEndMs === undefined ? null : isoMicros(keysEndMs * 1000), not_before: since };
    return signDeclaration(
      {
        audit_origin: this.origin.replace('/journal/', '/audit/'),
        issued_at: isoMicros(declaredMs * 1000),
        journal_origin: this.origin,
        keys: [
          { algorithm: 'ed25519', ...times, use: 'log', vkey: this.logVkey },
          { algorithm: 'ecdsa-p256', ...times, use: 'anchor', vkey: anchor },
        ],
        node_id: this.nodeId,
        peer_id: peerId,
      },
      identity,
    );
  }

  #makeEntry(draft: FactDraft, chainSeq: number, feedSeq: number, claim: Partial<Entry>): Entry {
    const ms = this.startMs + chainSeq * 1000;
    const random = sha256(`fact ${this.origin} ${this.#salted} ${chainSeq}`).subarray(0, 10);
    const body = {
      confidence: pythonFloatText(draft.confidence ?? 1),
      entity: draft.entity ?? `stigmem://${this.authority}/service/s${chainSeq}`,
      relation: draft.relation ?? 'memory:status',
      scope: draft.scope ?? 'public',
      source: draft.source ?? `stigmem://${this.authority}/agent/a1`,
      value_type: draft.value_type ?? 'text',
      value_v: draft.value_v ?? `state ${chainSeq} “naïve”\n`,
      ...pick(claim, ['confidence', 'entity', 'relation', 'scope', 'source', 'value_type', 'value_v']),
    };
    const cid = claim.cid ?? cidOfText(body.confidence, body);
    const fact_id = claim.fact_id ?? draft.fact_id ?? uuidV7(ms, random);
    const named = { ...body, cid, fact_id, tenant_id: 'default' as const };
    const event_hash = claim.event_hash ?? eventHashOfText(body.confidence, named);
    const last = this.entries.at(-1)?.entry.chain_hash ?? null;
    const link = {
      chain_seq: claim.chain_seq ?? chainSeq,
      created_at: claim.created_at ?? isoMicros(ms * 1000),
      event_hash,
      fact_id,
      previous_hash: claim.previous_hash === undefined ? last : claim.previous_hash,
      tenant_id: 'default',
    };
    return {
      attestation: draft.attestation ?? null,
      derived_from: draft.derived_from ?? [],
      feed_seq: feedSeq,
      garden_id: draft.garden_id ?? null,
      hlc: draft.hlc ?? formatHlc({ wall: ms, counter: 0 }),
      interpret_as: draft.interpret_as ?? 'content',
      origin: draft.origin ?? null,
      received_from: draft.received_from ?? null,
      timestamp: draft.timestamp ?? isoMicros(ms * 1000),
      v: 1,
      valid_until: draft.valid_until ?? null,
      ...named,
      ...link,
      ...claim,
      tenant_id: 'default',
      chain_hash: claim.chain_hash ?? chainHash(link),
    };
  }

  #keep(stored: StoredEntry): void {
    this.entries.push(stored);
    const feed = this.#feeds.get(stored.feed);
    if (feed === undefined) this.#feeds.set(stored.feed, [stored]);
    else feed.push(stored);
    for (const { level, index, bytes } of this.#builder.append(stored.leaf))
      this.#tiles.set(`${level}/${index}`, bytes);
  }

  #inFeed(feed: string, size: number): readonly StoredEntry[] {
    return (this.#feeds.get(feed) ?? []).filter(({ index }) => index < size);
  }

  /** Other entries than planned need another proof, unless the lie is about the proof itself. */
  #withProof(told: PageContent, honest: PageContent, size: number): PageContent {
    const indexes = told.entries.map(({ index }) => index);
    const isProvable = indexes.every((index, i) => index > (indexes[i - 1] ?? -1) && index < size);
    if (told.proof !== honest.proof || told.entries === honest.entries || !isProvable) return told;
    return { ...told, proof: indexes.length === 0 ? new Uint8Array(0) : provePage(indexes, size, this.tiles) };
  }
}

/** What a header says, as far as it says something that a note can say too. */
function statedIn(
  header: Uint8Array,
  size: number,
): { readonly feed: string; readonly after: number; readonly count: number; readonly size: number } {
  try {
    const said = JSON.parse(Buffer.from(header).toString('utf8'));
    const stated = Number(String(said.checkpoint).split('\n')[1]);
    return {
      feed: /^\P{Cc}+$/u.test(String(said.feed)) ? String(said.feed) : 'public',
      after: Number.isSafeInteger(said.after) && said.after >= 0 ? said.after : 0,
      count: Array.isArray(said.indexes) ? said.indexes.length : 0,
      size: Number.isSafeInteger(stated) ? stated : size,
    };
  } catch {
    return { feed: 'public', after: 0, count: 0, size };
  }
}

function feedFor({ scope = 'public', garden_id = null }: FactDraft): string {
  return garden_id === null ? scope : `${scope}/${garden_id}`;
}

function pick<K extends keyof Entry>(claim: Partial<Entry>, keys: readonly K[]): Partial<Pick<Entry, K>> {
  return Object.fromEntries(keys.filter((key) => claim[key] !== undefined).map((key) => [key, claim[key]])) as Partial<
    Pick<Entry, K>
  >;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
