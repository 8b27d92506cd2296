/**
 * A peer's log in memory: keys, chain, tree, feeds, checkpoints and feed heads, all made by the real code and all true, unless a
 * lie is asked for. A lie is committed INSIDE the log: the entry that tells it is hashed, chained, put into the tree and signed over
 * like any other, so that only the rule it breaks can find it.
 */
import { createHash } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { type Entry, encodeEntry } from '../core/entry.ts';
import { isoMicros } from '../core/time.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { signCheckpoint } from '../merkle/checkpoint.ts';
import { entryLeafHash } from '../merkle/commitment.ts';
import { appendSignature, cosign } from '../merkle/cosignature.ts';
import { type AnchorSigner, createAnchorSigner } from '../merkle/ecdsa.ts';
import { createLogSigner, type LogSigner } from '../merkle/ed25519.ts';
import { type FeedHead, signFeedHead } from '../merkle/feed-head.ts';
import { ALG_ECDSA, ALG_ED25519, type NoteSignature } from '../merkle/note.ts';
import { proveConsistency, proveInclusion, rootAt, type TileSource } from '../merkle/tiles.ts';
import { TreeBuilder } from '../merkle/tree-builder.ts';
import { formatVerifierKey } from '../merkle/verifier-key.ts';
import { signDeclaration } from '../wire/declaration.ts';
import { draftedEntry, type EntryLie, type FactDraft } from './entry-draft.ts';

/** 2026-01-01T00:00:00Z, when the first entry of a peer is asserted; each next one a second later. */
export const EPOCH_MS = 1_767_225_600_000;

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
}

export class PeerLog {
  readonly authority: string;
  readonly nodeId: string;
  readonly origin: string;
  /** The log key. */
  readonly signer: LogSigner;
  /** Signs what goes to transparency logs. */
  readonly anchorSigner: AnchorSigner;
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
    const chainSeq = this.size + 1;
    const feed = draft.feed ?? feedFor(draft);
    const feedSeq = (this.#feeds.get(feed)?.length ?? 0) + 1;
    const place = {
      authority: this.authority,
      chainSeq,
      feedSeq,
      ms: this.startMs + chainSeq * 1000,
      previous: this.entries.at(-1)?.entry.chain_hash ?? null,
      random: sha256(`fact ${this.origin} ${this.#salted} ${chainSeq}`).subarray(0, 10),
    };
    const entry = draftedEntry(draft, place, lie.claim ?? {});
    const canonical = encodeEntry(entry);
    const bytes = Buffer.from(lie.bytes?.(canonical) ?? canonical);
    const salt = sha256(`salt ${this.origin} ${this.#salted} ${chainSeq}`);
    const leaf = entryLeafHash(salt, bytes);
    const stored = { entry, feed, feedSeq, index: chainSeq - 1, salt, bytes, leaf };
    this.#keep(stored);
    return stored;
  }

  /** Appends `count` facts, each made by `draft(i)`. */
  appendMany(count: number, draft: (i: number) => FactDraft = () => ({})): this {
    for (let i = 0; i < count; i++) this.append(draft(i));
    return this;
  }

  /** Gives the same first `size` entries to a log with the same keys, which goes its own way from there. */
  protected copyInto<T extends PeerLog>(size: number, other: T): T {
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
    return this.inFeed(feed, size).length;
  }

  feedHead(feed: string, size: number = this.size, lie: (head: FeedHead) => FeedHead = (head) => head): string {
    const entries = this.inFeed(feed, size);
    const lastLeaf = entries.at(-1)?.leaf ?? null;
    return signFeedHead(lie({ origin: this.origin, feed, length: entries.length, size, lastLeaf }), this.signer);
  }

  consistency(from: number, to: number = this.size): string[] {
    return proveConsistency(from, to, this.tiles).map(encodeBase64);
  }

  inclusion(index: number, size: number = this.size): Buffer[] {
    return proveInclusion(index, size, this.tiles);
  }

  /** Signature line of the anchor key: the same each time, in every process, since what was sent is compared with what was received. */
  protected anchorLine(text: string): NoteSignature {
    const { name, keyId } = this.anchorSigner;
    const signature = p256.sign(Buffer.from(text), this.#anchorSeed, { format: 'der' });
    return { name, keyId, signature };
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

  protected inFeed(feed: string, size: number): readonly StoredEntry[] {
    return (this.#feeds.get(feed) ?? []).filter(({ index }) => index < size);
  }

  #keep(stored: StoredEntry): void {
    this.entries.push(stored);
    const feed = this.#feeds.get(stored.feed);
    if (feed === undefined) this.#feeds.set(stored.feed, [stored]);
    else feed.push(stored);
    for (const { level, index, bytes } of this.#builder.append(stored.leaf))
      this.#tiles.set(`${level}/${index}`, bytes);
  }
}

function feedFor({ scope = 'public', garden_id = null }: FactDraft): string {
  return garden_id === null ? scope : `${scope}/${garden_id}`;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
