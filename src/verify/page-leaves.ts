/** The leaves of a page: of its entries as received, and as given for those that a relay withholds. */
import { entryLeafHashInto } from '../merkle/commitment.ts';
import { HASH_BYTES } from '../merkle/hash.ts';
import type { DecodedPage } from '../wire/page.ts';
import type { PageHeader } from '../wire/page-header.ts';

/** True where a relay gives the leaf alone: an entry of no bytes, its leaf hash in the place of the salt. */
export function isWithheld({ origins, lengths }: Pick<PageHeader, 'origins' | 'lengths'>, place: number): boolean {
  return origins !== null && lengths[place] === 0;
}

/** Packed. Over the bytes as received: what was hashed and signed is what was sent, not what we would have written. */
export function pageLeaves({ header, salts, entries }: Omit<DecodedPage, 'proof'>): Buffer {
  const leaves = Buffer.allocUnsafe(entries.length * HASH_BYTES);
  for (const [place, entry] of entries.entries()) {
    const salt = salts[place] ?? NO_BYTES;
    if (isWithheld(header, place)) leaves.set(salt, place * HASH_BYTES);
    else entryLeafHashInto(salt, entry, leaves, place * HASH_BYTES);
  }
  return leaves;
}

const NO_BYTES = new Uint8Array(0);
