/** Tombstones: whether an entry may be missing from a page. */
import { decodeEntry } from '../core/entry.ts';
import { feedNameOf } from '../core/feed-name.ts';
import { decodeBase64 } from '../merkle/base64.ts';
import { entryLeafHash } from '../merkle/commitment.ts';
import { HASH_BYTES } from '../merkle/hash.ts';
import { checkInclusion } from '../merkle/inclusion.ts';
import { decodeErasedEntry, isErasedEntry } from '../wire/erased-entry.ts';
import type { DecodedPage } from '../wire/page.ts';
import { accusation, type PageFault } from './checkpoint-rules.ts';
import type { PageContext } from './context.ts';
import { tombstoneOf } from './tombstone-entry.ts';

/** The tree that a page is proved against. */
interface PageTree {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Which entries of a page stand without a body, and what is wrong with the first whose tombstone is not proved. */
export interface Erasures {
  readonly places: ReadonlySet<number>;
  readonly fault: PageFault | null;
}

/**
 * A sender may leave out the body of an entry if, and only if, its author's tombstone for this very leaf is in the tree of
 * the page's own checkpoint and in the page's own feed. Anything else is an entry that is withheld.
 */
export function checkErasures({ entries, header, salts }: DecodedPage, tree: PageTree, ctx: PageContext): Erasures {
  const places = new Set<number>();
  let fault: PageFault | null = null;
  for (const [place, bytes] of entries.entries()) {
    if (!isErasedEntry(bytes)) continue;
    places.add(place);
    const leaf = salts[place] ?? new Uint8Array(HASH_BYTES);
    const at = { leaf, index: header.indexes[place] ?? 0, feedSeq: header.after + 1 + place };
    fault ??= checkErasure(bytes, place, at, tree, ctx);
  }
  return { places, fault };
}

function checkErasure(
  bytes: Uint8Array,
  place: number,
  at: { readonly leaf: Uint8Array; readonly index: number; readonly feedSeq: number },
  { size, root }: PageTree,
  ctx: PageContext,
): PageFault | null {
  const unproven = (field: string, claimed: string | null, computed: string | null): PageFault =>
    accusation('erasure_unproven', { field: `entries[${place}].${field}`, claimed, computed });
  const decoded = decodeErasedEntry(bytes);
  if (!decoded.ok) return unproven(decoded.error.at, decoded.error.got, decoded.error.expected);
  const { path, salt, tombstone } = decoded.value;
  const entry = decodeEntry(Buffer.from(tombstone, 'utf8'));
  if (!entry.ok) return unproven('tombstone', entry.error.code, null);

  const said = entry.value.origin === null ? tombstoneOf(entry.value, ctx.peer.nodeId) : null;
  if (said === null) return unproven('tombstone', entry.value.relation, `a tombstone of ${ctx.peer.nodeId}`);
  const feed = feedNameOf(entry.value);
  if (!feed.ok || feed.value !== ctx.feed) return unproven('tombstone.feed', feed.ok ? feed.value : null, ctx.feed);
  const leafHash = `sha256:${Buffer.from(at.leaf).toString('hex')}`;
  if (said.leaf_hash !== leafHash) return unproven('tombstone.leaf_hash', said.leaf_hash, leafHash);
  if (said.leaf_index !== at.index) return unproven('tombstone.leaf_index', String(said.leaf_index), String(at.index));
  if (said.feed_seq !== at.feedSeq) return unproven('tombstone.feed_seq', String(said.feed_seq), String(at.feedSeq));

  const leaf = entryLeafHash(decodeBase64(salt) ?? new Uint8Array(HASH_BYTES), tombstone);
  const hashes = path.flatMap((one) => decodeBase64(one) ?? []);
  const included = checkInclusion(leaf, entry.value.chain_seq - 1, hashes, root, size);
  return included === 'ok' ? null : unproven('path', included, 'ok');
}
