import { decodeEntry, type Entry } from '../core/entry.ts';
import { MAX_ENTRY_BYTES } from '../core/limits.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Difference, PageReason, RefusalEvent } from '../core/verdict.ts';
import { sameHash } from '../merkle/hash.ts';
import { foldPage } from '../merkle/page-proof.ts';
import { type DecodedPage, decodePage, type SignedPageFrames } from '../wire/page.ts';
import type { PageHeader } from '../wire/page-header.ts';
import type { Malformed } from '../wire/shape.ts';
import { accusation, checkCheckpoint, type PageFault } from './checkpoint-rules.ts';
import type { KnownCheckpoint, PageContext } from './context.ts';
import { type Evidence, pageEvidence } from './evidence.ts';
import { pageLeaves } from './page-leaves.ts';
import { checkPageNote, compareWithNote } from './page-note-rules.ts';
import {
  checkFeedHead,
  checkPositions,
  checkRange,
  type PageEntries,
  type VerifiedFeedHead,
} from './position-rules.ts';
import { type OpenedOrigins, openOrigins, type PagePutOff } from './relay-rules.ts';
import { checkErasures } from './tombstone-rules.ts';

/** A page that is refused as a whole: nothing of it is taken and the cursor stays. What it costs: `PENALTY`. */
export interface PageRefusal {
  readonly kind: 'refused';
  readonly event: RefusalEvent;
  readonly reason: PageReason;
  readonly difference: Difference | null;
  readonly evidence: Evidence;
}

/** What a decoder made of the bytes of one entry. */
export type EntryReading = ReturnType<typeof decodeEntry>;

export type EntryReadingError = Extract<EntryReading, { ok: false }>['error'];

const OPENED: unique symbol = Symbol('opened page');

/**
 * A page whose checkpoint, feed head and range stand. Its entries have been decoded and hashed, not judged. Only
 * {@link openPage} makes one.
 */
export interface OpenedPage extends PageEntries {
  readonly [OPENED]: true;
  readonly context: PageContext;
  readonly frames: SignedPageFrames;
  readonly header: PageHeader;
  readonly checkpoint: KnownCheckpoint;
  readonly feedHead: VerifiedFeedHead;
  readonly salts: readonly Uint8Array[];
  /** Bytes of each entry as received. */
  readonly bytes: readonly Uint8Array[];
  readonly readings: readonly EntryReading[];
  /** Places whose entry has no body any more, as a tombstone in the same tree says. */
  readonly erased: ReadonlySet<number>;
  /** True when the page proof leads from these very bytes to the signed root. Otherwise nothing is known yet. */
  readonly foldOk: boolean;
  /** Packed page proof. */
  readonly proof: Uint8Array;
  /** What the origin of a relayed feed has signed; null when the peer asserts the feed itself. */
  readonly relayed: OpenedOrigins | null;
}

/**
 * Applies all rules of a page as a whole. Pure and total: no bytes of a peer make it throw. Costs some 5 µs per entry.
 * When the page proof fails, what the entries say of their positions is left to `judgePage`, which learns which of them
 * are in the tree.
 *
 * @see docs/journal-format.md, docs/PROTOCOL.md
 */
export function openPage(frames: SignedPageFrames, ctx: PageContext): Result<OpenedPage, PageRefusal | PagePutOff> {
  const note = checkPageNote(frames, ctx);
  if (!note.ok) return err(refusePage(note.error, frames, null, ctx));
  const decoded = decodePage(frames);
  if (!decoded.ok) return err(refusePage(unreadable(decoded.error), frames, null, ctx));
  const { header } = decoded.value;
  const refused = (fault: PageFault): { readonly ok: false; readonly error: PageRefusal } =>
    err(refusePage(fault, frames, header, ctx));
  if (header.feed !== ctx.feed)
    return refused(accusation('page_malformed', { field: 'header.feed', claimed: header.feed, computed: ctx.feed }));

  const checkpoint = checkCheckpoint(header, ctx);
  if (!checkpoint.ok) return refused(checkpoint.error);
  const { size, root } = checkpoint.value;
  const misnamed = compareWithNote(note.value, header, size);
  if (misnamed !== null) return refused(misnamed);
  const outOfRange = checkRange(header, size, ctx);
  if (outOfRange !== null) return refused(outOfRange);

  const erasures = checkErasures(decoded.value, checkpoint.value, ctx);
  if (erasures.fault !== null) return refused(erasures.fault);

  const readings = decoded.value.entries.map(readEntry);
  const entries = readings.map((reading): Entry | null => (reading.ok ? reading.value : null));
  const leaves = pageLeaves(decoded.value);
  const foldOk = leadsTo(root, size, decoded.value, leaves);
  const page: PageEntries = { header, treeSize: size, entries, leaves };
  const isIncluded = (): boolean => foldOk;

  const feedHead = checkFeedHead(page, ctx, isIncluded);
  if (!feedHead.ok) return refused(feedHead.error);
  const misplaced = checkPositions(page, feedHead.value, isIncluded);
  if (misplaced !== null) return refused(misplaced);

  const relayed = openRelayed(header, entries, ctx);
  if (!relayed.ok) return 'kind' in relayed.error ? err(relayed.error) : refused(relayed.error);

  const { salts, entries: bytes, proof } = decoded.value;
  return ok({
    [OPENED]: true,
    ...page,
    context: ctx,
    frames,
    checkpoint: checkpoint.value,
    feedHead: feedHead.value,
    salts,
    bytes,
    readings,
    erased: erasures.places,
    foldOk,
    proof,
    relayed: relayed.value,
  });
}

/** Whether a feed is relayed, header, feed and context say alike: the feed's name decides what a header has. */
function openRelayed(
  { origins }: PageHeader,
  entries: readonly (Entry | null)[],
  ctx: PageContext,
): Result<OpenedOrigins | null, PageFault | PagePutOff> {
  const { relay } = ctx;
  if (origins === null && relay === null) return ok(null);
  if (origins !== null && relay !== null) return openOrigins(origins, entries, { ...ctx, relay });
  return err(
    accusation('page_malformed', { field: 'header.origins', claimed: null, computed: 'a feed that is known' }),
  );
}

function unreadable({ at, expected, got }: Malformed): PageFault {
  return accusation('page_malformed', { field: at, claimed: got, computed: expected });
}

/** Turns a fault into a refusal with the frames as evidence. */
export function refusePage(
  fault: PageFault,
  frames: SignedPageFrames,
  header: PageHeader | null,
  ctx: PageContext,
): PageRefusal {
  const { reason, difference } = fault;
  const evidence = pageEvidence({
    class: fault.class,
    reason,
    peer: ctx.peer,
    feed: ctx.feed,
    checkpoint: header?.checkpoint ?? null,
    feedHead: header?.feed_head ?? null,
    received: frames,
    difference,
    known: ctx.known,
  });
  return { kind: 'refused', event: 'federation_integrity_rejected', reason, difference, evidence };
}

function readEntry(bytes: Uint8Array): EntryReading {
  return bytes.length > MAX_ENTRY_BYTES ? err({ code: 'entry_malformed', at: '' }) : decodeEntry(bytes);
}

function leadsTo(root: Uint8Array, size: number, page: DecodedPage, leaves: Uint8Array): boolean {
  if (page.entries.length === 0) return true;
  const folded = foldPage(size, page.header.indexes, leaves, page.proof);
  return folded.ok && sameHash(folded.value, root);
}
