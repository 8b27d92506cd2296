/**
 * A log that lies inside: every entry, true or not, is hashed, chained, put into the tree and signed over properly, so
 * that no signature and no proof gives a lie away, only the rule that it breaks.
 */
import { randomBytes } from 'node:crypto';
import { chainHash, eventHashOfText } from '../../core/chain.ts';
import { cidOfText } from '../../core/cid.ts';
import { type Entry, encodeEntry } from '../../core/entry.ts';
import { formatHlc } from '../../core/hlc.ts';
import { uuidV7 } from '../../core/ids.ts';
import { isoMicros } from '../../core/time.ts';
import { encodeBase64 } from '../../merkle/base64.ts';
import { signCheckpoint } from '../../merkle/checkpoint.ts';
import { entryLeafHash } from '../../merkle/commitment.ts';
import type { LogSigner } from '../../merkle/ed25519.ts';
import { signFeedHead } from '../../merkle/feed-head.ts';
import { proveConsistency, proveInclusion, provePage, rootAt, type TileSource } from '../../merkle/tiles.ts';
import { TreeBuilder } from '../../merkle/tree-builder.ts';
import { encodePage, type SignedPageFrames } from '../../wire/page.ts';
import { signPageNote } from '../../wire/page-note.ts';
import { type Forgery, HOSTILE_AUTHORITY } from './lies.ts';

const HASH_BYTES = 32;
const FEED = 'public';

interface Kept {
  readonly entry: Entry;
  readonly index: number;
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
  readonly leaf: Uint8Array;
}

/** All of its entries are in one feed, so that feed sequence and chain sequence are the same. */
export class HostileLog {
  readonly signer: LogSigner;
  readonly #entries: Kept[] = [];
  readonly #builder = new TreeBuilder();
  readonly #tiles = new Map<string, Uint8Array>();

  constructor(signer: LogSigner) {
    this.signer = signer;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** @throws RangeError when there is no such entry */
  entry(index: number): Entry {
    const kept = this.#entries[index];
    if (kept === undefined) throw new RangeError(`no entry ${index} of ${this.size}`);
    return kept.entry;
  }

  /** Appends one fact, forged or not, and gives it as signed. */
  append(nowMs: number, forgery: Forgery = {}): Entry {
    const entry = makeEntry(nowMs, this.size + 1, this.#entries.at(-1)?.entry.chain_hash ?? null, forgery);
    const salt = randomBytes(HASH_BYTES);
    const bytes = Buffer.from(encodeEntry(entry), 'utf8');
    const leaf = entryLeafHash(salt, bytes);
    this.#entries.push({ entry, index: this.size, salt, bytes, leaf });
    for (const tile of this.#builder.append(leaf)) this.#tiles.set(`${tile.level}/${tile.index}`, tile.bytes);
    return entry;
  }

  /** One page of the public feed, behind `after`, signed for `receiver`. */
  page(after: number, count: number, knownSize: number | null, receiver: string): SignedPageFrames {
    const { size } = this;
    const tiles = this.#tileSource();
    const entries = this.#entries.slice(after, after + count);
    const consistency =
      knownSize === null ? null : proveConsistency(Math.min(knownSize, size), size, tiles).map(encodeBase64);
    const lastLeaf = this.#entries.at(-1)?.leaf ?? null;
    const frames = encodePage({
      feed: FEED,
      after,
      anchor: null,
      origins: null,
      checkpoint: signCheckpoint(this.signer.name, size, rootAt(size, tiles), this.signer),
      feedHead: signFeedHead({ origin: this.signer.name, feed: FEED, length: size, size, lastLeaf }, this.signer),
      consistency,
      encoding: 'zstd',
      entries,
      proof:
        entries.length === 0
          ? new Uint8Array(0)
          : provePage(
              entries.map(({ index }) => index),
              size,
              tiles,
            ),
    });
    const told = { receiver, feed: FEED, after, to: after + entries.length };
    return { ...frames, note: Buffer.from(signPageNote(told, size, frames, this.signer)) };
  }

  inclusion(index: number, size: number): string[] {
    return proveInclusion(index, size, this.#tileSource()).map(encodeBase64);
  }

  consistency(from: number, to: number): string[] {
    return proveConsistency(from, to, this.#tileSource()).map(encodeBase64);
  }

  tile(level: number, index: number, width: number): string {
    return encodeBase64(this.#tileSource().tile(level, index, width));
  }

  #tileSource(): TileSource {
    const partial = new Map(
      this.#builder.partialTiles().map(({ level, index, bytes }) => [`${level}/${index}`, bytes]),
    );
    return {
      tile: (level, index, width) => {
        const bytes = this.#tiles.get(`${level}/${index}`) ?? partial.get(`${level}/${index}`);
        if (bytes === undefined || bytes.length < width * HASH_BYTES) throw new RangeError(`no tile ${level}/${index}`);
        return bytes.subarray(0, width * HASH_BYTES);
      },
    };
  }
}

/** Later members are computed from the forged ones: the lie is consistent with itself wherever it can be. */
function makeEntry(nowMs: number, chainSeq: number, previousHash: string | null, forgery: Forgery): Entry {
  const time = isoMicros(nowMs * 1_000);
  const body = {
    confidence: '1.0',
    entity: `stigmem://${HOSTILE_AUTHORITY}/statement/${chainSeq}`,
    relation: 'mallory:says',
    scope: 'public',
    source: `stigmem://${HOSTILE_AUTHORITY}/agent/m`,
    value_type: 'text',
    value_v: `true statement ${chainSeq}`,
    ...forgery,
  };
  const cid = forgery.cid ?? cidOfText(body.confidence, body);
  const fact_id = forgery.fact_id ?? uuidV7(nowMs, randomBytes(10));
  const named = { ...body, cid, fact_id, tenant_id: 'default' as const };
  const event_hash = eventHashOfText(body.confidence, named);
  const link = {
    chain_seq: chainSeq,
    created_at: time,
    event_hash,
    fact_id,
    previous_hash: previousHash,
    tenant_id: 'default' as const,
  };
  return {
    attestation: null,
    derived_from: [],
    feed_seq: chainSeq,
    garden_id: null,
    hlc: formatHlc({ wall: nowMs, counter: chainSeq % 1_000 }),
    interpret_as: 'content',
    origin: null,
    received_from: null,
    timestamp: time,
    v: 1,
    valid_until: null,
    ...named,
    ...link,
    ...(forgery.hlc === undefined ? {} : { hlc: forgery.hlc }),
    chain_hash: chainHash(link),
  };
}
