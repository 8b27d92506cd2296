/**
 * What a node that relays has to show of the facts in its feed: read out of the pages that it took from their origin, which are
 * stored as they came. Nothing is kept for it beside them.
 */
import { isRelayable } from '../core/disclosure.ts';
import { decodeEntry, type Entry } from '../core/entry.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { type Checkpoint, parseCheckpoint } from '../merkle/checkpoint.ts';
import { HASH_BYTES, sameHash } from '../merkle/hash.ts';
import { parseNote } from '../merkle/note.ts';
import { foldPage, narrowPage } from '../merkle/page-proof.ts';
import { ownLines } from '../verify/own-lines.ts';
import { storedLeaves } from '../verify/page-leaves.ts';
import type { OriginBatch, OriginEntry, Origins } from '../wire/origins.ts';
import { type DecodedPage, decodePage } from '../wire/page.ts';
import { decodePageHeader } from '../wire/page-header.ts';
import { RELAYED_FEED } from '../wire/relay-permit.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { hashBytes } from './entry-row.ts';
import { KeyStatements } from './key-statements.ts';
import type { PageRow } from './tables-peers.ts';

type StoredPage = Pick<PageRow, 'page_id' | 'header' | 'entries' | 'proof'>;

/** A page of the origin, proved. */
interface ProvedPage {
  readonly page: DecodedPage;
  readonly leaves: Buffer;
  readonly checkpoint: Checkpoint;
}

/** Statements of one origin that a page of a relay shows. */
const MAX_STATEMENTS = 8;

export class OriginProofs {
  readonly #statements: KeyStatements;
  readonly #from: Statement<[peer: string, feed: string, pageId: number], StoredPage>;
  readonly #lastPage: Statement<[peer: string, feed: string], number | null>;
  readonly #held: Statement<[number], number>;
  /** The page that was looked at last: the entries of a feed came in the order of the pages. */
  #newest: { readonly peer: string; readonly pageId: number; readonly proved: ProvedPage | null } | undefined;

  constructor(db: Db) {
    this.#statements = new KeyStatements(db);
    const pages = sqlBuilder.selectFrom('pages').where('peer', '=', PARAM).where('feed', '=', PARAM);
    const from = pages
      .select(['page_id', 'header', 'entries', 'proof'])
      .where('page_id', '>=', PARAM)
      .orderBy('page_id')
      .limit(ONE);
    this.#from = prepare(db, from);
    const last = pages.select((q) => q.fn.max('page_id').as('last'));
    this.#lastPage = prepare<[string, string]>(db, last).pluck() as Statement<[string, string], number | null>;
    const held = sqlBuilder.selectFrom('quarantine').select('chain_seq').where('chain_seq', '=', PARAM);
    this.#held = prepare<[number]>(db, held).pluck() as Statement<[number], number>;
  }

  /**
   * @param entries of a received feed of ours, in order; null for one whose body is erased
   * @param permit of their origin, a signed note
   * @returns one member of `entries` for each; null for one that must not be passed on, or whose proof is not held
   */
  of(entries: readonly (Entry | null)[], permit: string): Origins {
    const batches = new Map<DecodedPage, { proved: ProvedPage; members: { place: number; position: number }[] }>();
    const shown = entries.map((entry, place): OriginEntry | null => {
      const found = entry === null ? null : this.#find(entry);
      if (found === null) return null;
      const { proved, position, written } = found;
      const batch = batches.get(proved.page) ?? { proved, members: [] };
      batch.members.push({ place, position });
      batches.set(proved.page, batch);
      return written;
    });
    const origin = entries.find((entry) => entry !== null && entry.origin !== null)?.origin?.node_id ?? '';
    const statements = this.#statements.of(origin).filter(({ use }) => use === 'log');
    return {
      batches: [...batches.values()].map(({ proved, members }) => batchOf(proved, members)),
      entries: shown,
      permit,
      successions: statements.slice(-MAX_STATEMENTS).map(({ note }) => note),
    };
  }

  #find(entry: Entry): { proved: ProvedPage; position: number; written: OriginEntry } | null {
    const { origin } = entry;
    if (origin === null || !isRelayable(entry) || this.#held.get(entry.chain_seq) !== undefined) return null;
    const proved = this.#pageWith(origin.node_id, origin.chain_seq - 1);
    const position = proved?.page.header.indexes.indexOf(origin.chain_seq - 1) ?? -1;
    if (proved === null || position === -1) return null;
    const leaf = proved.leaves.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES);
    const read = decodeEntry(proved.page.entries[position] ?? new Uint8Array(0));
    if (encodeBase64(leaf) !== origin.leaf_hash || !read.ok) return null;
    const { created_at, feed_seq, previous_hash } = read.value;
    // A header has no room for no time: the fact stays here, and those around it go on.
    if (created_at === '') return null;
    const written = {
      created_at,
      feed_seq,
      previous_hash: previous_hash === null ? null : encodeBase64(hashBytes(previous_hash)),
      salt: encodeBase64(proved.page.salts[position] ?? new Uint8Array(0)),
    };
    return { proved, position, written };
  }

  /** The page of a node's public feed that may hold a leaf: pages go on where the one before ended, and so do leaves. */
  #pageWith(peer: string, index: number): ProvedPage | null {
    const newest = this.#newest?.peer === peer ? this.#newest : undefined;
    if (newest?.proved?.page.header.indexes.includes(index) === true) return newest.proved;
    const next = newest === undefined ? undefined : this.#from.get(peer, RELAYED_FEED, newest.pageId + 1);
    const stored = next !== undefined && holds(next, index) ? next : this.#search(peer, index);
    if (stored === undefined) return null;
    this.#newest = { peer, pageId: stored.page_id, proved: provedPage(stored) };
    return this.#newest.proved;
  }

  #search(peer: string, index: number): StoredPage | undefined {
    let [low, high] = [1, this.#lastPage.get(peer, RELAYED_FEED) ?? 0];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const stored = this.#from.get(peer, RELAYED_FEED, middle);
      // A page that cannot be read is passed by: what lies in it is not shown.
      if (stored === undefined || (indexesOf(stored).at(-1) ?? -1) >= index) high = middle;
      else low = Math.max(middle, stored.page_id) + 1;
    }
    return this.#from.get(peer, RELAYED_FEED, low);
  }
}

function indexesOf({ header }: StoredPage): readonly number[] {
  const decoded = decodePageHeader(header);
  return decoded.ok ? decoded.value.indexes : [];
}

function holds(page: StoredPage, index: number): boolean {
  return indexesOf(page).includes(index);
}

/** Null for a page whose proof failed when it came: its entries were judged by proofs that are not stored. */
function provedPage(stored: StoredPage): ProvedPage | null {
  const page = decodePage(stored);
  if (!page.ok) return null;
  const note = parseNote(page.value.header.checkpoint);
  const checkpoint = note.ok ? parseCheckpoint(note.value.text) : note;
  if (!checkpoint.ok) return null;
  const leaves = storedLeaves(page.value);
  const folded = foldPage(checkpoint.value.size, page.value.header.indexes, leaves, page.value.proof);
  if (!folded.ok || !sameHash(folded.value, checkpoint.value.root)) return null;
  return { page: page.value, leaves, checkpoint: checkpoint.value };
}

function batchOf(
  { page, leaves, checkpoint }: ProvedPage,
  members: readonly { readonly place: number; readonly position: number }[],
): OriginBatch {
  const inOrder = members.toSorted((a, b) => a.position - b.position);
  const keep = inOrder.map(({ position }) => position);
  const proof = narrowPage(checkpoint.size, page.header.indexes, leaves, page.proof, keep);
  return {
    checkpoint: ownLines(page.header.checkpoint, { origin: checkpoint.origin, key: null }),
    places: inOrder.map(({ place }) => place),
    proof: hashesOf(proof),
  };
}

function hashesOf(packed: Uint8Array): string[] {
  const hashes: string[] = [];
  for (let at = 0; at < packed.length; at += HASH_BYTES)
    hashes.push(encodeBase64(packed.subarray(at, at + HASH_BYTES)));
  return hashes;
}
