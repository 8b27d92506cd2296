/**
 * A peer's log with what it answers whoever pulls from it: pages and proofs, true unless a lie is asked for. Lies about a page
 * (header, notes, proofs, frames) go into `page(…, lie)`, those inside the log into `append(…, lie)`.
 *
 *   const peer = new ServedLog();
 *   peer.append();                                              // a plain public fact
 *   peer.append({ source: 'stigmem://globex.example/a' });      // a foreign source, properly signed
 *   peer.append({}, { claim: { cid: `sha256:${'0'.repeat(64)}` } });     // later hashes are made from the lie
 *   peer.append({}, { bytes: (text) => text.replace('"v":1', '"v": 1') });  // other bytes than the entry's own
 *   const frames = peer.page({ feed: 'public', after: 0 });
 *   const other = peer.fork(2);                                 // the same keys, another history from entry 3 on
 */
import { canonicalJson } from '../core/canonical-json.ts';
import { parseJson } from '../core/json.ts';
import { nextLogLine } from '../core/reference/local-log.ts';
import { isoMicros } from '../core/time.ts';
import { type AnchorReceipt, formatAnchorReceipt } from '../merkle/anchor-receipt.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { formatCheckpoint, signCheckpoint } from '../merkle/checkpoint.ts';
import { appendSignature } from '../merkle/cosignature.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import type { FeedHead } from '../merkle/feed-head.ts';
import { provePage } from '../merkle/tiles.ts';
import { encodePage, type PageContent, type PageFrames, type SignedPageFrames } from '../wire/page.ts';
import type { PageEncoding, PageHeader } from '../wire/page-header.ts';
import { signPageNote } from '../wire/page-note.ts';
import type { ProofAnswer, ProofRequest } from '../wire/proof.ts';
import { encodePullEnd } from '../wire/pull-end.ts';
import type { PullRequest } from '../wire/pull-request.ts';
import { PeerLog, type PeerLogOptions } from './peer-log.ts';

/** Node id of whoever pulls, unless it is said otherwise. */
export const RECEIVER = 'stigmem://globex.example';

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

export interface ServedLogOptions extends PeerLogOptions {
  /** The first page of an answer carries the receipt of a local log. */
  readonly anchored?: boolean;
}

export class ServedLog extends PeerLog {
  /** Whom its pages are signed for. */
  receiver: string = RECEIVER;
  protected override readonly options: ServedLogOptions;

  constructor(options: ServedLogOptions = {}) {
    super(options);
    this.options = options;
  }

  /** A peer with the same keys and the same first `size` entries, which goes its own way from there. */
  fork(size: number): ServedLog {
    return this.forkInto(size, new ServedLog(this.options));
  }

  protected forkInto<T extends ServedLog>(size: number, other: T): T {
    other.receiver = this.receiver;
    return this.copyInto(size, other);
  }

  /** One page of a feed, from the entry behind `after`. */
  page(request: PageRequest, lie: PageLie = {}): SignedPageFrames {
    const { feed, after, size = this.size, knownSize = 0 } = request;
    const entries = this.inFeed(feed, size).slice(after, after + (request.count ?? Number.POSITIVE_INFINITY));
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
      this.anchorLine(formatCheckpoint(this.origin, size, this.root(size))),
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
