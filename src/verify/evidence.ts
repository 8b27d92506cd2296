import type { Difference, FactReason, PageReason, RefusalEvent } from '../core/verdict.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import type { SignedPageFrames } from '../wire/page.ts';
import type { KnownCheckpoint, PinnedPeer } from './context.ts';
import type { SeenFact } from './seen-fact.ts';

/**
 * `contradiction`: signed material alone shows that the peer said two things that cannot both be so. `accusation`:
 * what was received, which whoever shows it may have garbled.
 */
export type EvidenceClass = 'accusation' | 'contradiction';

/** What stands behind a refusal, made so that a third party can check it without us. */
export interface Evidence {
  readonly class: EvidenceClass;
  /** Canonical JSON (RFC 8785). Built on call, as a flood of refusals is stored within a budget: O(entry + log size). */
  readonly text: () => string;
}

/** The entry a fact-level refusal is about, as received. */
export interface ReceivedEntry {
  readonly entry: Uint8Array;
  readonly salt: Uint8Array;
  readonly index: number;
  /** Path from the entry's leaf to the checkpoint's root; null when its inclusion was not shown. */
  readonly inclusion: () => readonly Uint8Array[] | null;
  /** The note of the page that it came in. */
  readonly note: Uint8Array | null;
}

export interface FactEvidenceInput {
  readonly class: EvidenceClass;
  readonly event: RefusalEvent;
  readonly reason: FactReason;
  readonly peer: PinnedPeer;
  readonly feed: string;
  readonly checkpoint: string;
  readonly feedHead: string;
  readonly received: ReceivedEntry;
  readonly difference: Difference | null;
  readonly known: SeenFact | null;
}

export interface PageEvidenceInput {
  readonly class: EvidenceClass;
  readonly reason: PageReason;
  readonly peer: PinnedPeer;
  readonly feed: string;
  /** The notes of the header if it could be decoded. */
  readonly checkpoint: string | null;
  readonly feedHead: string | null;
  readonly received: SignedPageFrames;
  readonly difference: Difference | null;
  readonly known: KnownCheckpoint | null;
}

/** Evidence for one refused entry: the entry, its path, and the signed statements that it is checked against. */
export function factEvidence(input: FactEvidenceInput): Evidence {
  const { received } = input;
  return {
    class: input.class,
    text: () =>
      canonical({
        ...head(input, input.event),
        known: input.known === null ? null : knownFact(input.known),
        received: {
          entry: encodeBase64(received.entry),
          inclusion: received.inclusion()?.map(encodeBase64) ?? null,
          index: received.index,
          note: received.note === null ? null : encodeBase64(received.note),
          salt: encodeBase64(received.salt),
        },
      }),
  };
}

/** Evidence for a refused page: its frames as received, and the earlier checkpoint that it is held against. */
export function pageEvidence(input: PageEvidenceInput): Evidence {
  const { received, known } = input;
  return {
    class: input.class,
    text: () =>
      canonical({
        ...head(input, 'federation_integrity_rejected'),
        known: known === null ? null : { note: known.note, root: encodeBase64(known.root), size: known.size },
        received: {
          entries: received.entries === null ? null : encodeBase64(received.entries),
          header: encodeBase64(received.header),
          note: received.note === null ? null : encodeBase64(received.note),
          proof: received.proof === null ? null : encodeBase64(received.proof),
        },
      }),
  };
}

function head(input: FactEvidenceInput | PageEvidenceInput, event: RefusalEvent): Record<string, unknown> {
  const { peer, difference } = input;
  return {
    checkpoint: input.checkpoint,
    claimed: wellFormed(difference?.claimed),
    class: input.class,
    computed: wellFormed(difference?.computed),
    event,
    feed: input.feed,
    feed_head: input.feedHead,
    first_difference: difference?.field ?? null,
    peer: { log_key: encodeBase64(peer.logKey), node_id: peer.nodeId, origin: peer.origin },
    reason: input.reason,
    v: 1,
  };
}

/** Half a character, where a text was cut, has no spelling that all readers know. */
function wellFormed(text: string | null | undefined): string | null {
  return text?.toWellFormed() ?? null;
}

function knownFact({ origin_leaf: _, received_from: _from, ...known }: SeenFact): Record<string, unknown> {
  return { ...known, attestation: known.attestation === null ? null : { ...known.attestation } };
}

/** Members sorted at each level; the values are texts, whole numbers, null and lists of texts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
