/** The leaves of a page: of its entries as received, and as given for those that have no body. */
import { entryLeafHashInto } from '../merkle/commitment.ts';
import { HASH_BYTES } from '../merkle/hash.ts';
import { isBlank, isErasedEntry } from '../wire/erased-entry.ts';
import type { DecodedPage } from '../wire/page.ts';
import type { PageHeader } from '../wire/page-header.ts';

type PageEntries = Omit<DecodedPage, 'proof'>;

/** True where a relay gives the leaf alone: an entry of no bytes, its leaf hash in the place of the salt. */
export function isWithheld({ origins, lengths }: Pick<PageHeader, 'origins' | 'lengths'>, place: number): boolean {
  return origins !== null && lengths[place] === 0;
}

/** Packed. Over the bytes as received: what was hashed and signed is what was sent, not what we would have written. */
export function pageLeaves(page: PageEntries): Buffer {
  return leavesOf(page, (entry, place) => isWithheld(page.header, place) || isErasedEntry(entry));
}

/** Of a page that is stored here: some of its entries may have been erased since. */
export function storedLeaves(page: PageEntries): Buffer {
  return leavesOf(page, (entry, place) => isWithheld(page.header, place) || isErasedEntry(entry) || isBlank(entry));
}

/** Of an entry without a body the leaf hash stands where its salt was. */
function leavesOf({ salts, entries }: PageEntries, isBodiless: (entry: Uint8Array, place: number) => boolean): Buffer {
  const leaves = Buffer.alloc(entries.length * HASH_BYTES);
  for (const [place, entry] of entries.entries()) {
    const salt = salts[place] ?? NO_BYTES;
    if (isBodiless(entry, place)) leaves.set(salt, place * HASH_BYTES);
    else entryLeafHashInto(salt, entry, leaves, place * HASH_BYTES);
  }
  return leaves;
}

const NO_BYTES = new Uint8Array(0);
