import { chainHash, eventHashOfText } from '../core/chain.ts';
import { cidOfText, isCid } from '../core/cid.ts';
import type { Entry } from '../core/entry.ts';
import { feedNameOf } from '../core/feed-name.ts';
import { checkSkew } from '../core/hlc.ts';
import { isInstruction } from '../core/instruction.ts';
import { MAX_DERIVED_FROM, MAX_ID_BYTES, MAX_NAME_BYTES } from '../core/limits.ts';
import { authorityOf } from '../core/node-id.ts';
import { isScope } from '../core/scope.ts';
import { parseIsoInstant } from '../core/time.ts';
import { isValueType } from '../core/value.ts';
import type { Difference, FactReason, QuarantineReason } from '../core/verdict.ts';
import { KEY_SUCCESSION, openSuccession } from '../wire/succession.ts';
import type { PageContext } from './context.ts';
import type { OpenedOrigins } from './relay-rules.ts';
import { tombstoneAt } from './tombstone-entry.ts';

/** Why one entry is refused, before evidence is made of it. */
export interface FactFault {
  readonly reason: FactReason;
  readonly difference: Difference | null;
}

/** An entry of the chain as far as its successor has to link to it. */
export interface LinkBefore {
  readonly chainSeq: number;
  /** As the entry states it. */
  readonly chainHash: string;
  /** As it follows from the entry, when that is another one: a successor that links to either is not at fault. */
  readonly computedHash?: string;
}

/** What all entries of one page are judged by. */
export interface EntryRules {
  readonly ctx: PageContext;
  /** What the origin of a relayed feed has signed; null when the peer asserts the feed itself. */
  readonly relayed: OpenedOrigins | null;
  /** Node id of whoever asserts what is in the feed. */
  readonly author: string;
  readonly isFeedAccepted: boolean;
  readonly isOwned: (source: string) => boolean;
}

/** Longest text of a peer that is repeated in a difference, in UTF-16 units. */
const MAX_SHOWN_CHARS = 512;

export function entryRules(ctx: PageContext, relayed: OpenedOrigins | null): EntryRules {
  const { nodeId: author, namespaces: owned } = relayed ?? ctx.peer;
  const namespaces = new Set(owned);
  const known = new Map<string, boolean>();
  // Many entries of a page have one source; the map is as large as the page at most.
  const isOwned = (source: string): boolean => {
    const answer = known.get(source);
    if (answer !== undefined) return answer;
    const authority = authorityOf(source);
    const isTheirs = authority !== null && namespaces.has(authority);
    known.set(source, isTheirs);
    return isTheirs;
  };
  return { ctx, relayed, author, isFeedAccepted: ctx.accept.includes(ctx.feed), isOwned };
}

/**
 * The rules of one entry that needs nothing but itself and its predecessor, in the order of the verdicts; the first that
 * fails gives the reason. The entry is canonical and in the tree.
 */
export function checkEntry(
  entry: Entry,
  before: LinkBefore | null,
  rules: EntryRules,
  place: number,
): FactFault | null {
  return (
    checkHashes(entry) ??
    checkLink(entry, before) ??
    checkOrigin(entry, rules, place) ??
    checkScope(entry, rules) ??
    checkNamespace(entry, rules, place) ??
    checkLimits(entry, rules.ctx.maxValueBytes) ??
    checkMeaning(entry) ??
    checkClock(entry, rules, place)
  );
}

function checkHashes(entry: Entry): FactFault | null {
  const cid = cidOfText(entry.confidence, entry);
  if (cid !== entry.cid) return fault(isCid(entry.cid) ? 'cid_mismatch' : 'cid_malformed', 'cid', entry.cid, cid);
  const event = eventHashOfText(entry.confidence, entry);
  if (event !== entry.event_hash) return fault('event_hash_mismatch', 'event_hash', entry.event_hash, event);
  const chain = chainHash(entry);
  return chain === entry.chain_hash ? null : fault('chain_hash_mismatch', 'chain_hash', entry.chain_hash, chain);
}

function checkLink(entry: Entry, before: LinkBefore | null): FactFault | null {
  const { chain_seq, previous_hash } = entry;
  if (chain_seq === 1)
    return previous_hash === null ? null : fault('chain_link_mismatch', 'previous_hash', previous_hash, null);
  if (previous_hash === null) return fault('chain_link_mismatch', 'previous_hash', null, 'a hash');
  // Entries of other feeds stand between: their hashes are not ours to know.
  if (before === null || before.chainSeq !== chain_seq - 1) return null;
  if (previous_hash === before.chainHash || previous_hash === before.computedHash) return null;
  return fault('chain_link_mismatch', 'previous_hash', previous_hash, before.chainHash);
}

/** What the entry after this one may link to. */
export function linkOf(entry: Entry, found: FactFault | null): LinkBefore {
  const link = { chainSeq: entry.chain_seq, chainHash: entry.chain_hash };
  const computed = found?.reason === 'chain_hash_mismatch' ? found.difference?.computed : null;
  return typeof computed === 'string' ? { ...link, computedHash: computed } : link;
}

/** Facts that stay in one organisation are never relayed at all, and others only in a feed that says so. */
function checkOrigin(entry: Entry, { relayed }: EntryRules, place: number): FactFault | null {
  const relayedBy = entry.origin?.node_id ?? entry.received_from;
  if (relayedBy === null && relayed === null) return null;
  if (entry.scope !== 'public') return fault('scope_escalated', 'scope', entry.scope, 'public');
  if (relayed === null)
    return fault('origin_proof_invalid', entry.origin === null ? 'received_from' : 'origin', relayedBy, null);
  // What stands in a garden was given to its members.
  if (entry.garden_id !== null) return fault('scope_escalated', 'garden_id', entry.garden_id, null);
  const found = relayed.faultOf(entry, place);
  return found === null ? null : fault('origin_proof_invalid', found.field, found.claimed, found.computed);
}

function checkScope(entry: Entry, { ctx, isFeedAccepted }: EntryRules): FactFault | null {
  if (entry.scope === 'local' || !isScope(entry.scope)) return fault('scope_escalated', 'scope', entry.scope, null);
  const feed = feedNameOf(entry);
  if (!feed.ok) return fault('scope_not_granted', 'garden_id', entry.garden_id, null);
  if (feed.value !== ctx.feed) return fault('scope_not_granted', 'feed', feed.value, ctx.feed);
  return isFeedAccepted ? null : fault('scope_not_granted', 'feed', feed.value, null);
}

function checkNamespace(entry: Entry, { author, isOwned, relayed }: EntryRules, place: number): FactFault | null {
  if (isReserved(entry.entity)) return fault('namespace_reserved', 'entity', entry.entity, null);
  if (isReserved(entry.relation) && !isOfNode(entry, author, relayed?.standsAt(entry, place) ?? entry))
    return fault('namespace_reserved', 'relation', entry.relation, null);
  return isOwned(entry.source) ? null : fault('source_not_owned', 'source', entry.source, null);
}

/** The facts under `stigmem:` that peers take: what a node says of itself, at its place in that node's own log. */
function isOfNode(entry: Entry, nodeId: string, at: Pick<Entry, 'chain_seq' | 'feed_seq'>): boolean {
  return isSuccession(entry, nodeId) || tombstoneAt(entry, nodeId, at) !== null;
}

/** A change of the author's own keys, signed by both of them. */
function isSuccession({ entity, relation, source, value_type, value_v: value }: Entry, nodeId: string): boolean {
  if (relation !== KEY_SUCCESSION || entity !== nodeId || source !== nodeId) return false;
  return value_type === 'text' && openSuccession(value, nodeId).ok;
}

/** Names under `stigmem:` mean something to nodes; `stigmem://` starts an address. */
export function isReserved(name: string): boolean {
  return name.startsWith('stigmem:') && !name.startsWith('stigmem://');
}

function checkLimits(entry: Entry, maxValueBytes: number): FactFault | null {
  return (
    checkLength('value_v', entry.value_v, maxValueBytes) ??
    checkLength('entity', entry.entity, MAX_NAME_BYTES) ??
    checkLength('relation', entry.relation, MAX_NAME_BYTES) ??
    checkLength('source', entry.source, MAX_NAME_BYTES) ??
    checkLength('fact_id', entry.fact_id, MAX_ID_BYTES) ??
    checkLength('timestamp', entry.timestamp, MAX_ID_BYTES) ??
    checkLength('created_at', entry.created_at, MAX_ID_BYTES) ??
    checkLength('valid_until', entry.valid_until ?? '', MAX_ID_BYTES) ??
    checkDerivedFrom(entry.derived_from)
  );
}

function checkDerivedFrom(sources: readonly string[]): FactFault | null {
  if (sources.length > MAX_DERIVED_FROM)
    return fault('value_too_large', 'derived_from', `${sources.length} items`, `at most ${MAX_DERIVED_FROM} items`);
  for (const source of sources) {
    const long = checkLength('derived_from', source, MAX_ID_BYTES);
    if (long !== null) return long;
  }
  return null;
}

function checkLength(field: string, text: string, maxBytes: number): FactFault | null {
  // No UTF-16 unit takes more than three bytes, so most texts need not be measured.
  if (text.length * 3 <= maxBytes) return null;
  const bytes = Buffer.byteLength(text, 'utf8');
  return bytes <= maxBytes ? null : fault('value_too_large', field, `${bytes} bytes`, `at most ${maxBytes} bytes`);
}

function checkMeaning(entry: Entry): FactFault | null {
  const { interpret_as, value_type, valid_until } = entry;
  if (interpret_as !== 'content' && interpret_as !== 'instruction')
    return fault('interpretation_invalid', 'interpret_as', interpret_as, null);
  if (!isValueType(value_type)) return fault('entry_malformed', 'value_type', value_type, null);
  if (valid_until !== null && !parseIsoInstant(valid_until).ok)
    return fault('entry_malformed', 'valid_until', valid_until, null);
  return null;
}

function checkClock(entry: Entry, { ctx, relayed }: EntryRules, place: number): FactFault | null {
  const limits = { maxFutureMs: ctx.maxFutureSkewMs, maxPastMs: ctx.maxPastSkewMs };
  const wallMs = Number(entry.hlc.slice(0, 13));
  const skew = checkSkew(wallMs, ctx.nowMs, limits);
  if (skew === null) return null;
  if (skew.direction === 'future') return fault('hlc_future', 'hlc', entry.hlc, `${ctx.nowMs} ms`);
  // A node's history is as old as it is: a clock is behind only if it was when the author's log took the entry.
  const createdAt = relayed?.createdAt(place) ?? entry.created_at;
  const takenMs = Math.min(ctx.nowMs, millisecondsOf(createdAt) ?? ctx.nowMs);
  // That it was ahead of the author's own clock then is no fault now: who read the entry in time has taken it.
  if (takenMs - wallMs <= ctx.maxPastSkewMs) return null;
  return fault('hlc_past', 'hlc', entry.hlc, `${takenMs} ms`);
}

function millisecondsOf(instant: string): number | undefined {
  const parsed = parseIsoInstant(instant);
  return parsed.ok ? Number(parsed.value / 1000n) : undefined;
}

/** Instructions are taken into the journal and kept from readers until a person lets them through. */
export function quarantineOf(entry: Entry): QuarantineReason | null {
  return isInstruction(entry) ? 'instruction_inbound' : null;
}

function fault(reason: FactReason, field: string, claimed: string | null, computed: string | null): FactFault {
  return { reason, difference: { field, claimed: shown(claimed), computed: shown(computed) } };
}

function shown(text: string | null): string | null {
  return text !== null && text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}
