/** Entries of a peer's log: filled in from a draft, and lying where they are asked to. Pure. */
import { chainHash, eventHashOfText } from '../core/chain.ts';
import { cidOfText } from '../core/cid.ts';
import type { Entry } from '../core/entry.ts';
import { formatHlc } from '../core/hlc.ts';
import { uuidV7 } from '../core/ids.ts';
import { pythonFloatText } from '../core/python-text.ts';
import { isoMicros } from '../core/time.ts';

/** What a fact says. Anything left out is filled in plausibly; `feed` counts it in another feed than its scope's. */
export interface FactDraft {
  readonly feed?: string;
  readonly fact_id?: string;
  readonly entity?: string;
  readonly relation?: string;
  readonly source?: string;
  readonly scope?: string;
  readonly garden_id?: string | null;
  readonly value_type?: string;
  readonly value_v?: string;
  readonly confidence?: number;
  readonly interpret_as?: string;
  readonly valid_until?: string | null;
  readonly hlc?: string;
  readonly timestamp?: string;
  readonly derived_from?: readonly string[];
  readonly attestation?: Entry['attestation'];
  readonly origin?: Entry['origin'];
  readonly received_from?: string | null;
}

/** How an entry lies. Each claim replaces the member as soon as it is known; what is computed later is computed from it. */
export interface EntryLie {
  readonly claim?: Partial<Entry>;
  /** Replaces the bytes that are salted and hashed. */
  readonly bytes?: (canonical: string) => string | Uint8Array;
}

/** Where an entry stands in its log. */
export interface EntryPlace {
  /** Of the node whose log it is. */
  readonly authority: string;
  readonly chainSeq: number;
  readonly feedSeq: number;
  /** When it is asserted. */
  readonly ms: number;
  /** Chain hash of the entry before; null: there is none. */
  readonly previous: string | null;
  /** For its id: 10 bytes. */
  readonly random: Uint8Array;
}

/** The entry that a draft becomes, every hash of it true, but for what is claimed otherwise. */
export function draftedEntry(draft: FactDraft, place: EntryPlace, claim: Partial<Entry>): Entry {
  const { authority, chainSeq, feedSeq, ms, previous, random } = place;
  const body = {
    confidence: pythonFloatText(draft.confidence ?? 1),
    entity: draft.entity ?? `stigmem://${authority}/service/s${chainSeq}`,
    relation: draft.relation ?? 'memory:status',
    scope: draft.scope ?? 'public',
    source: draft.source ?? `stigmem://${authority}/agent/a1`,
    value_type: draft.value_type ?? 'text',
    value_v: draft.value_v ?? `state ${chainSeq} “naïve”\n`,
    ...pick(claim, ['confidence', 'entity', 'relation', 'scope', 'source', 'value_type', 'value_v']),
  };
  const cid = claim.cid ?? cidOfText(body.confidence, body);
  const fact_id = claim.fact_id ?? draft.fact_id ?? uuidV7(ms, random);
  const named = { ...body, cid, fact_id, tenant_id: 'default' as const };
  const event_hash = claim.event_hash ?? eventHashOfText(body.confidence, named);
  const link = {
    chain_seq: claim.chain_seq ?? chainSeq,
    created_at: claim.created_at ?? isoMicros(ms * 1000),
    event_hash,
    fact_id,
    previous_hash: claim.previous_hash === undefined ? previous : claim.previous_hash,
    tenant_id: 'default',
  };
  return {
    attestation: draft.attestation ?? null,
    derived_from: draft.derived_from ?? [],
    feed_seq: feedSeq,
    garden_id: draft.garden_id ?? null,
    hlc: draft.hlc ?? formatHlc({ wall: ms, counter: 0 }),
    interpret_as: draft.interpret_as ?? 'content',
    origin: draft.origin ?? null,
    received_from: draft.received_from ?? null,
    timestamp: draft.timestamp ?? isoMicros(ms * 1000),
    v: 1,
    valid_until: draft.valid_until ?? null,
    ...named,
    ...link,
    ...claim,
    tenant_id: 'default',
    chain_hash: claim.chain_hash ?? chainHash(link),
  };
}

function pick<K extends keyof Entry>(claim: Partial<Entry>, keys: readonly K[]): Partial<Pick<Entry, K>> {
  return Object.fromEntries(keys.filter((key) => claim[key] !== undefined).map((key) => [key, claim[key]])) as Partial<
    Pick<Entry, K>
  >;
}
