import type { CidText } from './cid.ts';
import { pythonJsonFloatText, pythonJsonString, sha256OfText } from './python-text.ts';

/** What the event hash of a fact covers. `value_v` null counts as empty. */
export interface EventFields {
  readonly cid: string | null;
  readonly confidence: number;
  readonly entity: string;
  readonly fact_id: string;
  readonly relation: string;
  readonly scope: string;
  readonly source: string;
  readonly tenant_id: string;
  readonly value_type: string;
  readonly value_v: string | null;
}

/** What the chain hash of a link covers. The fact enters only through `event_hash`. */
export interface LinkFields {
  /** From 1. A bigint where a database holds more than 2^53. */
  readonly chain_seq: number | bigint;
  /** Hashed as it is stored, never reformatted. */
  readonly created_at: string;
  readonly event_hash: string;
  readonly fact_id: string;
  /** Null for the first link. */
  readonly previous_hash: string | null;
  readonly tenant_id: string;
}

/**
 * Hash of one fact as the chain sees it.
 * @throws CoreError `not_encodable_as_utf8` if a member holds a lone surrogate
 */
export function eventHash(fact: EventFields): CidText {
  return eventHashOfText(pythonJsonFloatText(fact.confidence), fact);
}

/** As {@link eventHash}, for a confidence that is already in text form, e.g. an entry's. */
export function eventHashOfText(confidence: string, fact: Omit<EventFields, 'confidence'>): CidText {
  return sha256OfText(eventText(confidence, fact));
}

/** The text that an event hash is the hash of. */
export function eventText(confidence: string, fact: Omit<EventFields, 'confidence'>): string {
  return `{"cid":${orNull(fact.cid)},"confidence":${confidence},"entity":${pythonJsonString(fact.entity)},"fact_id":${pythonJsonString(fact.fact_id)},"relation":${pythonJsonString(fact.relation)},"scope":${pythonJsonString(fact.scope)},"source":${pythonJsonString(fact.source)},"tenant_id":${pythonJsonString(fact.tenant_id)},"value_type":${pythonJsonString(fact.value_type)},"value_v":${pythonJsonString(fact.value_v ?? '')}}`;
}

/**
 * Hash of one link, covering the hash of the link before it.
 * @throws CoreError `not_encodable_as_utf8` if a member holds a lone surrogate
 */
export function chainHash(link: LinkFields): CidText {
  return sha256OfText(linkText(link));
}

/** The text that a chain hash is the hash of. */
export function linkText(link: LinkFields): string {
  return `{"chain_seq":${link.chain_seq},"created_at":${pythonJsonString(link.created_at)},"event_hash":${pythonJsonString(link.event_hash)},"fact_id":${pythonJsonString(link.fact_id)},"previous_hash":${orNull(link.previous_hash)},"tenant_id":${pythonJsonString(link.tenant_id)}}`;
}

function orNull(text: string | null): string {
  return text === null ? 'null' : pythonJsonString(text);
}

/** One row of a chain, joined to its fact on id and tenant; `fact` is null where that join finds nothing. */
export interface ChainRow extends LinkFields {
  readonly chain_hash: string;
  readonly fact: Omit<EventFields, 'fact_id'> | null;
}

export type ChainMismatch =
  | 'chain_seq_gap'
  | 'previous_hash_mismatch'
  | 'fact_missing'
  | 'event_hash_mismatch'
  | 'chain_hash_mismatch';

export interface ChainReport {
  readonly valid: boolean;
  /** Rows before the first failing one. */
  readonly checked_entries: number;
  readonly mismatch_reason: ChainMismatch | null;
  /** Of the failing row. */
  readonly fact_id: string | null;
  readonly chain_seq: number | bigint | null;
  /** Chain hash of the last good row; null for an empty chain. */
  readonly head_hash: string | null;
}

/**
 * Checks one tenant's chain as the Stigmem reference does, in its order of checks; the first fault ends it.
 * A truncated tail and a consistent rewrite pass: only checkpoints find those.
 *
 * @param rows ordered by `chain_seq`
 */
export function verifyChain(rows: Iterable<ChainRow>): ChainReport {
  let head: string | null = null;
  let checked = 0;
  for (const row of rows) {
    const reason = checkLink(row, checked + 1, head);
    if (reason !== null) {
      const { fact_id, chain_seq } = row;
      return { valid: false, checked_entries: checked, mismatch_reason: reason, fact_id, chain_seq, head_hash: head };
    }
    head = row.chain_hash;
    checked += 1;
  }
  return {
    valid: true,
    checked_entries: checked,
    mismatch_reason: null,
    fact_id: null,
    chain_seq: null,
    head_hash: head,
  };
}

function checkLink(row: ChainRow, expectedSeq: number, head: string | null): ChainMismatch | null {
  if (BigInt(row.chain_seq) !== BigInt(expectedSeq)) return 'chain_seq_gap';
  if (row.previous_hash !== head) return 'previous_hash_mismatch';
  if (row.fact === null) return 'fact_missing';
  if (eventHash({ ...row.fact, fact_id: row.fact_id }) !== row.event_hash) return 'event_hash_mismatch';
  return chainHash(row) === row.chain_hash ? null : 'chain_hash_mismatch';
}
