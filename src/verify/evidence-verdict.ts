/**
 * Judges evidence as a stranger can: from the text alone, by what is signed in it. A contradiction is something that no
 * honest log can have signed; anything else, however bad it looks, may have been garbled by whoever shows it.
 */
import { cidOfText, isCid } from '../core/cid.ts';
import { decodeEntry, type Entry } from '../core/entry.ts';
import { feedNameOf } from '../core/feed-name.ts';
import { parseAnchorReceipt } from '../merkle/anchor-receipt.ts';
import { decodeBase64, encodeBase64 } from '../merkle/base64.ts';
import { openCheckpoint } from '../merkle/checkpoint.ts';
import { entryLeafHash } from '../merkle/commitment.ts';
import { checkShownConsistency } from '../merkle/consistency.ts';
import { openFeedHead } from '../merkle/feed-head.ts';
import { HASH_BYTES, sameHash } from '../merkle/hash.ts';
import { checkInclusion } from '../merkle/inclusion.ts';
import { foldPage } from '../merkle/page-proof.ts';
import { type DecodedPage, decodePage, type SignedPageFrames } from '../wire/page.ts';
import type { PageHeader } from '../wire/page-header.ts';
import { isNoteOf, openPageNote } from '../wire/page-note.ts';
import { logKeysOf, openOwnDeclaration } from './declared-log-key.ts';
import {
  decodeEvidence,
  type EntriesForm,
  type EvidenceForm,
  type EvidencePeer,
  type FactEvidenceForm,
  type PageEvidenceForm,
} from './evidence-form.ts';
import { pageLeaves } from './page-leaves.ts';

/**
 * (a) two signed checkpoints of one size with two roots; (b) two signed checkpoints, the larger of which does not extend
 * the smaller; (c) two entries at one place, or an entry that a signed feed head denies; (d) a signed entry that does not
 * have the CID it claims.
 */
export type ContradictionClass = 'a' | 'b' | 'c' | 'd';

export interface EvidenceVerdict {
  readonly verdict: 'contradiction' | 'accusation' | 'invalid';
  /** null unless the verdict is `contradiction` */
  readonly class: ContradictionClass | null;
  /** Who is accused, as the evidence says; null when it cannot be read. */
  readonly peer: EvidencePeer | null;
  /** Event and reason as recorded by whoever made the evidence; null when it cannot be read. */
  readonly recorded: { readonly event: string; readonly reason: string } | null;
  /** Whole sentences. */
  readonly proven: readonly string[];
  readonly not_proven: readonly string[];
}

/** What may lie beside the evidence. */
export interface EvidenceContext {
  /** The accused peer's signed declaration: ties the log key to the key of its node. */
  readonly declaration?: string | null;
  /** The page that a refused entry came in, as received. */
  readonly page?: SignedPageFrames | null;
}

interface Found {
  readonly class: ContradictionClass;
  readonly sentence: string;
}

interface Log {
  readonly origin: string;
  readonly key: Uint8Array;
}

interface Head {
  readonly size: number;
  readonly root: Uint8Array;
}

/** An entry whose leaf is in a signed tree. */
interface Proved {
  readonly entry: Entry | null;
  readonly leaf: Uint8Array;
  readonly index: number;
  readonly head: Head;
}

/** Pure and total, whatever the text; O(size of the evidence). */
export function judgeEvidence(text: string, beside: EvidenceContext = {}): EvidenceVerdict {
  const decoded = decodeEvidence(text);
  if (!decoded.ok) return invalid(null, decoded.error);
  const { form } = decoded.value;
  const log = { origin: form.peer.origin, key: decodeBase64(form.peer.log_key) ?? Buffer.alloc(0) };
  const key = keySentences(form.peer, beside.declaration ?? null);
  if (key === null)
    return invalid(decoded.value, 'the declaration beside it is not signed by its node, or declares another log key');

  const found = contradictionIn(decoded.value, log, beside.page ?? null);
  const facts = signedFacts(decoded.value, log, beside.page ?? null);
  return {
    verdict: found === null ? 'accusation' : 'contradiction',
    class: found?.class ?? null,
    peer: form.peer,
    recorded: { event: form.event, reason: form.reason },
    proven: [...(found === null ? [] : [found.sentence]), ...facts, ...key.proven],
    not_proven: [...(found === null ? [NO_CONTRADICTION] : []), ...key.notProven],
  };
}

const NO_CONTRADICTION =
  'Nothing signed in here contradicts something else signed in here: whoever shows this may have garbled it. It is an accusation, not a proof.';

function invalid(form: EvidenceForm | null, why: string): EvidenceVerdict {
  const known = form?.form ?? null;
  return {
    verdict: 'invalid',
    class: null,
    peer: known?.peer ?? null,
    recorded: known === null ? null : { event: known.event, reason: known.reason },
    proven: [],
    not_proven: [`This shows nothing: ${why}.`],
  };
}

/** Null when the declaration speaks against the key that the evidence is judged by. */
function keySentences(
  peer: EvidencePeer,
  declaration: string | null,
): { readonly proven: readonly string[]; readonly notProven: readonly string[] } | null {
  const stated = `Signatures were checked against log key ${peer.log_key} of ${peer.origin}`;
  if (declaration === null) {
    return {
      proven: [],
      notProven: [`${stated}; nothing here shows that it is a key of ${peer.node_id}: no declaration lies beside it.`],
    };
  }
  const declared = openOwnDeclaration(declaration);
  if (declared?.node_id !== peer.node_id || declared.journal_origin !== peer.origin) return null;
  if (!logKeysOf(declared, peer.origin).some((key) => encodeBase64(key) === peer.log_key)) return null;
  const peerId = declared.peer_id;
  return {
    proven: [`${stated}, which the node key of ${peer.node_id} (peer id ${peerId}) has declared.`],
    notProven: [
      `That ${peerId} is the peer id of ${peer.node_id} has to be known from elsewhere, as when peers are added.`,
    ],
  };
}

function contradictionIn(evidence: EvidenceForm, log: Log, page: SignedPageFrames | null): Found | null {
  switch (evidence.kind) {
    case 'checkpoints': {
      const [first = '', second = ''] = evidence.form.notes;
      return betweenCheckpoints(first, second, evidence.form.path, log);
    }
    case 'entries':
      return betweenEntries(evidence.form, log);
    case 'fact':
      return inFact(evidence.form, log) ?? inPageBeside(evidence.form, log, page);
    case 'page':
      return inPage(evidence.form, log);
  }
}

/** Classes (a) and (b). */
function betweenCheckpoints(first: string, second: string, path: readonly string[] | null, log: Log): Found | null {
  const one = openCheckpoint(first, log);
  const two = openCheckpoint(second, log);
  if (!one.ok || !two.ok) return null;
  const [small, large] = one.value.size <= two.value.size ? [one.value, two.value] : [two.value, one.value];
  if (small.size === large.size) {
    if (sameHash(small.root, large.root)) return null;
    const roots = `${encodeBase64(small.root)} and ${encodeBase64(large.root)}`;
    const sentence = `${log.origin} has signed two different trees of ${small.size} entries: roots ${roots}.`;
    return { class: 'a', sentence };
  }
  if (path === null) return null;
  const verdict = checkShownConsistency(small.size, small.root, large.size, large.root, hashesIn(path));
  // The path reaches the larger signed root, so it shows what the first entries of that tree are.
  if (verdict !== 'old_root_mismatch') return null;
  const sentence = `${log.origin} has signed a tree of ${large.size} entries whose first ${small.size} are not the tree of ${small.size} entries that it had signed.`;
  return { class: 'b', sentence };
}

/** Class (c), from two entries that came separately. */
function betweenEntries({ entries }: EntriesForm, log: Log): Found | null {
  const [one, two] = entries.map((entry) => provedEntry(entry.checkpoint, entry, log));
  if (one === undefined || two === undefined || one === null || two === null) return null;
  if (sameHash(one.leaf, two.leaf)) return null;
  if (one.index === two.index) {
    const sentence = `${log.origin} has signed two trees with two different entries at index ${one.index}.`;
    return { class: 'c', sentence };
  }
  return one.entry !== null && two.entry !== null ? doubled(one.entry, two.entry, log) : null;
}

function doubled(one: Entry, two: Entry, log: Log): Found | null {
  const feed = feedName(one);
  if (feed === null || feed !== feedName(two) || one.feed_seq !== two.feed_seq) return null;
  const sentence = `${log.origin} holds two different entries ${one.feed_seq} of feed ${feed}.`;
  return { class: 'c', sentence };
}

/** Classes (d) and (c), from one entry with its inclusion path. */
function inFact(form: FactEvidenceForm, log: Log): Found | null {
  const { inclusion, ...received } = form.received;
  if (form.checkpoint === null || inclusion === null) return null;
  const proved = provedEntry(form.checkpoint, { ...received, inclusion }, log);
  if (proved === null) return null;
  return (
    wrongCid(proved.entry, `in the signed tree of ${proved.head.size} entries`, log) ??
    denied(proved, form.feed_head, log)
  );
}

function wrongCid(entry: Entry | null, where: string, log: Log): Found | null {
  const computed = entry === null ? null : cidOfText(entry.confidence, entry);
  if (entry === null || computed === entry.cid || !isCid(entry.cid)) return null;
  const sentence = `${log.origin} has put an entry ${where} that claims the CID ${entry.cid}; the CID of what it says is ${computed}.`;
  return { class: 'd', sentence };
}

/** A feed head at the very tree that holds the entry, which leaves no room for it. */
function denied({ entry, leaf, head }: Proved, feedHead: string | null, log: Log): Found | null {
  const opened = feedHead === null ? null : openFeedHead(feedHead, log);
  if (entry === null || opened === null || !opened.ok) return null;
  const { feed, length, size, lastLeaf } = opened.value;
  if (feedName(entry) !== feed || size !== head.size) return null;
  if (entry.feed_seq > length) {
    const sentence = `${log.origin} has signed that feed ${feed} has ${length} entries at tree size ${size}; that tree holds its entry ${entry.feed_seq}.`;
    return { class: 'c', sentence };
  }
  if (entry.feed_seq < length || lastLeaf === null || sameHash(lastLeaf, leaf)) return null;
  const sentence = `${log.origin} has signed that entry ${length} of feed ${feed} is another one than the entry ${length} that its tree of ${size} entries holds.`;
  return { class: 'c', sentence };
}

/** All classes, from a page with the frames as received. */
function inPage(form: PageEvidenceForm, log: Log): Found | null {
  const frames = framesOf(form);
  const page = frames === null ? null : decodePage(frames);
  if (frames === null || page === null || !page.ok) return null;
  const { header } = page.value;
  const known =
    form.known === null ? null : betweenCheckpoints(form.known.note, header.checkpoint, header.consistency, log);
  const anchored = betweenAnchor(header, form.known?.note ?? null, log);
  return known ?? anchored ?? inSignedTree(page.value, log) ?? inSignedPage(page.value, frames, log);
}

/** Class (a), from the anchor that came with the page: its checkpoint is signed by the same log key. */
function betweenAnchor({ anchor, checkpoint }: PageHeader, known: string | null, log: Log): Found | null {
  const receipt = anchor === null ? null : parseAnchorReceipt(anchor);
  if (receipt === null || !receipt.ok) return null;
  const { checkpoint: anchored } = receipt.value;
  const against = (note: string): Found | null => betweenCheckpoints(anchored, note, null, log);
  return against(checkpoint) ?? (known === null ? null : against(known));
}

/** The page proof leads from the entries to the signed root: they all are in the tree. */
function inSignedTree(page: DecodedPage, log: Log): Found | null {
  const { header, entries, proof } = page;
  const opened = openCheckpoint(header.checkpoint, log);
  if (!opened.ok || entries.length === 0) return null;
  const { size, root } = opened.value;
  // A line without a body is in the tree all the same: it must not hide what the others say.
  const leaves = pageLeaves(page);
  const folded = foldPage(size, header.indexes, leaves, proof);
  if (!folded.ok || !sameHash(folded.value, root)) return null;

  const held = entries.map((bytes, place): Proved => {
    const entry = readEntry(bytes);
    const leaf = leaves.subarray(place * HASH_BYTES, (place + 1) * HASH_BYTES);
    return { entry, leaf, index: header.indexes[place] ?? 0, head: { size, root } };
  });
  return amongHeld(held, header.feed_head, log);
}

function amongHeld(held: readonly Proved[], feedHead: string, log: Log): Found | null {
  const before = new Map<string, Entry>();
  for (const proved of held) {
    const { entry, head } = proved;
    if (entry === null) continue;
    const found = wrongCid(entry, `in the signed tree of ${head.size} entries`, log) ?? denied(proved, feedHead, log);
    if (found !== null) return found;
    const place = `${feedName(entry)} ${entry.feed_seq}`;
    const twin = before.get(place);
    const twice = twin === undefined ? null : doubled(twin, entry, log);
    if (twice !== null) return twice;
    before.set(place, entry);
  }
  return null;
}

/** The page's own signature: what it holds was sent by the log itself, whether its proofs stand or not. */
function inSignedPage(page: DecodedPage, frames: SignedPageFrames, log: Log): Found | null {
  const note = signedFor(frames, log);
  if (note === null) return null;
  for (const bytes of page.entries) {
    const found = wrongCid(readEntry(bytes), `into a page that it signed for ${note.receiver}`, log);
    if (found !== null) return found;
  }
  return null;
}

/** The page that lies beside a refused entry: it has to hold that very entry. */
function inPageBeside(form: FactEvidenceForm, log: Log, frames: SignedPageFrames | null): Found | null {
  const page = frames === null ? null : decodePage(frames);
  if (frames === null || page === null || !page.ok) return null;
  const entry = decodeBase64(form.received.entry);
  const place = page.value.header.indexes.indexOf(form.received.index);
  const bytes = page.value.entries[place];
  if (entry === undefined || bytes === undefined || !entry.equals(bytes)) return null;
  const note = signedFor(frames, log);
  return note === null ? null : wrongCid(readEntry(bytes), `into a page that it signed for ${note.receiver}`, log);
}

/** What is signed in it, whether it contradicts something or not. */
function signedFacts(evidence: EvidenceForm, log: Log, page: SignedPageFrames | null): string[] {
  const frames = evidence.kind === 'page' ? framesOf(evidence.form) : evidence.kind === 'fact' ? page : null;
  const note = frames === null ? null : signedFor(frames, log);
  if (note === null) return [];
  const { receiver, feed, after, to, treeSize } = note;
  return [
    `${log.origin} has signed this page, byte for byte, for ${receiver}: entries ${after + 1} to ${to} of feed ${feed} at tree size ${treeSize}.`,
  ];
}

function signedFor(frames: SignedPageFrames, log: Log) {
  const note = frames.note === null ? null : openPageNote(frames.note, log);
  return note?.ok === true && isNoteOf(note.value, frames) ? note.value : null;
}

/** The frames of a refused page, as its evidence has them; null for evidence of anything else. */
export function framesIn(evidence: EvidenceForm): SignedPageFrames | null {
  return evidence.kind === 'page' ? framesOf(evidence.form) : null;
}

function framesOf({ received }: PageEvidenceForm): SignedPageFrames | null {
  const header = decodeBase64(received.header);
  if (header === undefined) return null;
  return {
    header,
    entries: received.entries === null ? null : (decodeBase64(received.entries) ?? null),
    proof: received.proof === null ? null : (decodeBase64(received.proof) ?? null),
    note: received.note === null || received.note === undefined ? null : (decodeBase64(received.note) ?? null),
  };
}

function provedEntry(
  checkpoint: string,
  received: {
    readonly entry: string;
    readonly salt: string;
    readonly index: number;
    readonly inclusion: readonly string[];
  },
  log: Log,
): Proved | null {
  const opened = openCheckpoint(checkpoint, log);
  const bytes = decodeBase64(received.entry);
  const salt = decodeBase64(received.salt);
  if (!opened.ok || bytes === undefined || salt?.length !== HASH_BYTES) return null;
  const { size, root } = opened.value;
  const leaf = entryLeafHash(salt, bytes);
  const path = hashesIn(received.inclusion);
  if (checkInclusion(leaf, received.index, path, root, size) !== 'ok') return null;
  return { entry: readEntry(bytes), leaf, index: received.index, head: { size, root } };
}

function readEntry(bytes: Uint8Array): Entry | null {
  const reading = decodeEntry(bytes);
  return reading.ok ? reading.value : null;
}

function feedName(entry: Entry): string | null {
  const feed = feedNameOf(entry);
  return feed.ok ? feed.value : null;
}

function hashesIn(texts: readonly string[]): Buffer[] {
  return texts.map((text) => decodeBase64(text) ?? Buffer.alloc(0));
}
