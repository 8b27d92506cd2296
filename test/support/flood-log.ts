/**
 * A log of nothing but lies, as long as one likes: its entries are made when they are asked for, and only the tree is kept.
 * Pages are true in everything but the entries: signed, in sequence, with proofs that hold.
 */
import { eventHashOfText } from '../../src/core/chain.ts';
import { type Entry, encodeEntry } from '../../src/core/entry.ts';
import type { FactReason } from '../../src/core/verdict.ts';
import type { PageRequest } from '../../src/drill/served-log.ts';
import { entryLeafHash, SALT_BYTES } from '../../src/merkle/commitment.ts';
import { signFeedHead } from '../../src/merkle/feed-head.ts';
import { provePage, type TileSource } from '../../src/merkle/tiles.ts';
import { TreeBuilder } from '../../src/merkle/tree-builder.ts';
import { encodePage, type SignedPageFrames } from '../../src/wire/page.ts';
import { HonestPeer } from './honest-peer.ts';

const ZEROS = `sha256:${'0'.repeat(64)}`;
const WRONG_FORM = `sha256:${'A'.repeat(64)}`;

export type FloodKind = Extract<
  FactReason,
  | 'cid_mismatch'
  | 'cid_malformed'
  | 'event_hash_mismatch'
  | 'chain_hash_mismatch'
  | 'entry_malformed'
  | 'entry_noncanonical'
  | 'cid_missing'
>;

/** Lies that cost nothing to tell. */
const KINDS: Readonly<Record<FloodKind, (entry: Entry) => string>> = {
  cid_mismatch: (entry) => encodeEntry({ ...entry, cid: ZEROS }),
  cid_malformed: (entry) => encodeEntry({ ...entry, cid: WRONG_FORM }),
  event_hash_mismatch: (entry) => encodeEntry({ ...entry, event_hash: ZEROS }),
  chain_hash_mismatch: (entry) =>
    encodeEntry({ ...entry, event_hash: eventHashOfText(entry.confidence, entry), chain_hash: ZEROS }),
  entry_malformed: (entry) => encodeEntry(entry).replace('"v":1,', '"v":2,'),
  entry_noncanonical: (entry) => encodeEntry(entry).replace('"v":1,', '"v": 1,'),
  cid_missing: (entry) => encodeEntry(entry).replace(/"cid":"[^"]*"/, '"cid":null'),
};
export const FLOOD_KINDS: readonly FloodKind[] = Object.keys(KINDS) as FloodKind[];

export class FloodLog extends HonestPeer {
  readonly #kindAt: (index: number) => FloodKind;
  readonly #model: Entry;
  readonly #tree = new TreeBuilder();
  readonly #full = new Map<string, Buffer>();

  /** @param kindAt what entry `index` lies about */
  constructor(authority: string, facts: number, kindAt: (index: number) => FloodKind, value = 'never said') {
    super({ authority });
    this.#kindAt = kindAt;
    this.#model = new HonestPeer({ authority }).append({ value_v: value }).entry;
    for (let index = 0; index < facts; index++) {
      for (const { level, index: at, bytes } of this.#tree.append(this.#leafAt(index)))
        this.#full.set(`${level}/${at}`, bytes);
    }
  }

  override get size(): number {
    return this.#tree.size;
  }

  override get tiles(): TileSource {
    const partial = new Map(this.#tree.partialTiles().map(({ level, index, bytes }) => [`${level}/${index}`, bytes]));
    return {
      tile: (level, index, width) => {
        const bytes = this.#full.get(`${level}/${index}`) ?? partial.get(`${level}/${index}`);
        if (bytes === undefined) throw new Error(`no tile ${level}/${index}`);
        return bytes.subarray(0, width * 32);
      },
    };
  }

  override feedLength(_feed: string, size: number = this.size): number {
    return size;
  }

  override feedHead(feed: string, size: number = this.size): string {
    return signFeedHead(
      { origin: this.origin, feed, length: size, size, lastLeaf: this.#leafAt(size - 1) },
      this.signer,
    );
  }

  override page(request: PageRequest): SignedPageFrames {
    const { feed, after, size = this.size, knownSize = 0, count = size, encoding = 'identity' } = request;
    const indexes = Array.from({ length: Math.max(0, Math.min(count, size - after)) }, (_, i) => after + i);
    const frames = encodePage({
      feed,
      after,
      anchor: null,
      checkpoint: this.checkpoint(size),
      feedHead: this.feedHead(feed, size),
      consistency: knownSize === null ? null : this.consistency(Math.min(knownSize, size), size),
      encoding,
      entries: indexes.map((index) => ({ index, salt: saltOf(index), bytes: this.#bytesAt(index) })),
      origins: null,
      proof: indexes.length === 0 ? new Uint8Array(0) : provePage(indexes, size, this.tiles),
    });
    return this.signed(frames);
  }

  #bytesAt(index: number): Buffer {
    const fact_id = `00000000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`;
    const entry = { ...this.#model, fact_id, chain_seq: index + 1, feed_seq: index + 1 };
    return Buffer.from(KINDS[this.#kindAt(index)](entry));
  }

  #leafAt(index: number): Buffer {
    return entryLeafHash(saltOf(index), this.#bytesAt(index));
  }
}

function saltOf(index: number): Buffer {
  const salt = Buffer.alloc(SALT_BYTES, 0x5a);
  salt.writeUInt32BE(index);
  return salt;
}
