import type { Entry } from '../core/entry.ts';
import { isValidUntilExtension } from '../core/valid-until.ts';
import type { Difference } from '../core/verdict.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import type { FactFault } from './entry-rules.ts';

/**
 * A fact that the journal holds under a fact id, as far as a repeat is compared with it. The CID stands for the seven
 * members that it covers; the other members of an entry that say something about the fact are listed.
 */
export interface SeenFact {
  readonly fact_id: string;
  readonly cid: string;
  readonly timestamp: string;
  readonly hlc: string;
  readonly valid_until: string | null;
  readonly interpret_as: string;
  readonly garden_id: string | null;
  readonly derived_from: readonly string[];
  readonly attestation: Entry['attestation'];
  /** Node id of whoever asserted it; null when that was here. */
  readonly node_id: string | null;
  /** Node id of the peer that brought it: another one if it was relayed; null when it was asserted here. */
  readonly received_from: string | null;
  /** Base64 hash of its leaf in the tree of whoever asserted it; null when it was asserted here, or stands in the page that is judged. */
  readonly origin_leaf: string | null;
}

/** In the place of a CID: there is no body here any more, and `origin_leaf` is the leaf that its author's tombstone names. */
export const ERASED = 'erased';

/** Whether it is what its author has had erased, given once more: by a relay that has not heard of it, or after a restore. */
export function isErasedTwin(known: SeenFact, author: string, leaf: string | null): boolean {
  return known.cid === ERASED && known.node_id === author && leaf !== null && known.origin_leaf === leaf;
}

/** An entry of this very page, as later ones of the page see it. */
export function seenFromEntry(entry: Entry, nodeId: string): SeenFact {
  const { fact_id, cid, timestamp, hlc, valid_until, interpret_as, garden_id, derived_from, attestation } = entry;
  return {
    fact_id,
    cid,
    timestamp,
    hlc,
    valid_until,
    interpret_as,
    garden_id,
    derived_from,
    attestation,
    node_id: nodeId,
    received_from: nodeId,
    origin_leaf: null,
  };
}

/** Whether the journal has this very entry from this very place: it was given back after a restore, without its page. */
export function isTakenFrom(known: SeenFact | undefined, leafHash: Uint8Array, nodeId: string): boolean {
  if (known?.received_from !== nodeId) return false;
  return known.node_id === nodeId && known.origin_leaf !== null && known.origin_leaf === encodeBase64(leafHash);
}

/**
 * Compares an entry with what is held under its fact id. Null when it says the same; a longer life alone is a reason of
 * its own, anything else rewrites the fact.
 *
 * @param nodeId whoever asserted the entry: the peer that sends it, or the origin that a relay has proved
 */
export function checkRepeat(entry: Entry, known: SeenFact, nodeId: string): FactFault | null {
  const difference = firstDifference(entry, known, nodeId);
  if (difference !== null) return { reason: 'fact_rewritten', difference };
  if (entry.valid_until === known.valid_until) return null;
  const extension = isValidUntilExtension(known.valid_until, entry.valid_until);
  return {
    reason: extension.ok && extension.value ? 'valid_until_extended' : 'fact_rewritten',
    difference: { field: 'valid_until', claimed: entry.valid_until, computed: known.valid_until },
  };
}

/** All that is compared, except `valid_until`. */
function firstDifference(entry: Entry, known: SeenFact, nodeId: string): Difference | null {
  // A relay cannot re-author: one fact has one node that asserted it.
  if (known.node_id !== nodeId) return { field: 'node_id', claimed: nodeId, computed: known.node_id };
  for (const field of COMPARED) {
    if (entry[field] !== known[field]) return { field, claimed: entry[field], computed: known[field] };
  }
  if (!sameTexts(entry.derived_from, known.derived_from))
    return { field: 'derived_from', claimed: entry.derived_from.join(' '), computed: known.derived_from.join(' ') };
  const [claimed, held] = [attested(entry.attestation), attested(known.attestation)];
  return claimed === held ? null : { field: 'attestation', claimed, computed: held };
}

function attested(attestation: Entry['attestation']): string | null {
  return attestation === null ? null : JSON.stringify([attestation.key_id, attestation.signature]);
}

const COMPARED = ['cid', 'timestamp', 'hlc', 'interpret_as', 'garden_id'] as const;

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}
