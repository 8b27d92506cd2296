/**
 * Every limit on what a peer, a client or a file may make this node hold or do. Checked before memory is spent.
 * Units are in the names; where a number is a trade-off the reason stands beside it.
 */

/** Longest `value_v`, in UTF-8 bytes: a fact is a statement, not a file. */
export const MAX_VALUE_BYTES = 65_536;
/** Longest entity, relation or source, in UTF-8 bytes. */
export const MAX_NAME_BYTES = 2_048;
/** Longest fact id, HLC or time text, in UTF-8 bytes. */
export const MAX_ID_BYTES = 256;
export const MAX_DERIVED_FROM = 64;
/** One canonical entry: value, three names and the fixed members, with every character escaped. */
export const MAX_ENTRY_BYTES = 524_288;

export const MAX_JSON_DEPTH = 16;
/** No frame of any protocol is larger. */
export const MAX_FRAME_BYTES = 4_194_304;
export const MAX_REQUEST_BYTES = 65_536;
/** Heads of 256 logs, each below 2 KiB. */
export const MAX_WITNESS_REQUEST_BYTES = 589_824;
/** Sealed restore notes in one request or answer: one of the largest page, or eleven of pages of a usual size. */
export const MAX_KEEP_BYTES = 524_288;
/** Entries of one page. 1,000 adjacent leaves verify with one proof of some 1,030 hashes at most. */
export const MAX_PAGE_ENTRIES = 4_096;
export const DEFAULT_PAGE_ENTRIES = 1_000;
/** Entry bytes of one page before compression; what a zstd decoder may produce. */
export const MAX_PAGE_BYTES = 4_194_304;
export const TARGET_PAGE_BYTES = 524_288;
export const MAX_PAGES_PER_PULL = 64;
/** Entries of one page of a relay. In the worst case each has a checkpoint and a path of its own in the header. */
export const MAX_RELAY_PAGE_ENTRIES = 256;
/** How long a node lets another one relay its facts before it has to ask again. */
export const RELAY_PERMIT_MS = 604_800_000;
/** Inclusion proofs asked for in one request. */
export const MAX_PROOF_INDEXES = 1_024;
/** Feeds named in one request. */
export const MAX_FEEDS = 256;
export const MAX_FEED_NAME_BYTES = 256;

/** What the refusals of one peer may add to audit log and evidence in a day; beyond it they are summarized. */
export const REFUSAL_BUDGET_BYTES = 4_194_304;
/** Kinds of refusals that are told apart for one peer in a day; further ones are put together by their reason. */
export const MAX_REFUSAL_GROUPS = 64;

/** Largest tree: sizes travel as JSON numbers. */
export const MAX_TREE_SIZE: number = Number.MAX_SAFE_INTEGER;

/** Clock skew tolerated on a peer's HLC, as in the Stigmem reference. */
export const DEFAULT_MAX_FUTURE_SKEW_MS = 300_000;
export const DEFAULT_MAX_PAST_SKEW_MS = 2_592_000_000;

/** One HTTP request body: 1,000 facts of a usual size in a batch. */
export const MAX_BODY_BYTES = 4_194_304;
export const MAX_BATCH_FACTS = 1_000;
