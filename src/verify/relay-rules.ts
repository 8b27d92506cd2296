/**
 * What a relay has to show: the permit of the node whose facts it passes on, and that each of them is in that node's log. A
 * relay's own word is never asked for what an origin said.
 */
import { chainHash } from '../core/chain.ts';
import { type Entry, encodeEntry } from '../core/entry.ts';
import { DEFAULT_MAX_FUTURE_SKEW_MS, RELAY_PERMIT_MS } from '../core/limits.ts';
import { err, ok, type Result } from '../core/result.ts';
import { parseIsoInstant } from '../core/time.ts';
import { decodeBase64, encodeBase64 } from '../merkle/base64.ts';
import { openCheckpoint } from '../merkle/checkpoint.ts';
import { entryLeafHash } from '../merkle/commitment.ts';
import { HASH_BYTES, sameHash } from '../merkle/hash.ts';
import { ALG_ED25519 } from '../merkle/note.ts';
import { foldPage } from '../merkle/page-proof.ts';
import { parseVerifierKey } from '../merkle/verifier-key.ts';
import type { OriginBatch, OriginEntry, Origins } from '../wire/origins.ts';
import { openRelayPermit, type RelayPermit } from '../wire/relay-permit.ts';
import type { OpenedSuccession } from '../wire/succession.ts';
import { accusation, type PageFault } from './checkpoint-rules.ts';
import type { PageContext, RelayContext } from './context.ts';
import { keysBefore, lineFrom, openStatements } from './key-chain.ts';

/** A tree head of the origin, with how long the key that signed it was good. */
export interface OriginHead {
  readonly size: number;
  readonly root: Uint8Array;
  /** Unix ms; null: it is the newest key that is known. */
  readonly keyEndsMs: number | null;
}

/** Opens a checkpoint of the origin; null for one that none of its keys has signed. */
export type OpenOriginHead = (checkpoint: string) => OriginHead | null;

/** What is wrong with one relayed entry: the member, what it claims, what was computed. */
export interface OriginFault {
  readonly field: string;
  readonly claimed: string | null;
  readonly computed: string | null;
}

/** A page that is not taken and accuses nobody: there will be one that can be. */
export interface PagePutOff {
  readonly kind: 'put_off';
  readonly detail: string;
}

/** A relay's page, its permit verified. */
export interface OpenedOrigins {
  readonly nodeId: string;
  readonly namespaces: readonly string[];
  /** Statements of succession that led to the origin's newest key and were not held here. */
  readonly learned: readonly OpenedSuccession[];
  /** When the origin's log took the entry, as that entry says. */
  readonly createdAt: (place: number) => string | null;
  /** Where the entry stands in that log, and in its feed there. */
  readonly standsAt: (entry: Entry, place: number) => Pick<Entry, 'chain_seq' | 'feed_seq'>;
  readonly faultOf: (entry: Entry, place: number) => OriginFault | null;
}

/**
 * Verifies the permit and proves the leaves of a relay's page. Pure and total; about one hash per entry and batch proof, one
 * signature per batch.
 *
 * @param entries of the page, as the relay wrote them; null for those that cannot be read or are withheld
 */
export function openOrigins(
  origins: Origins,
  entries: readonly (Entry | null)[],
  ctx: RelayedContext,
): Result<OpenedOrigins, PageFault | PagePutOff> {
  const { nodeId, namespaces } = ctx.relay;
  const keys = originKeys(origins, ctx.relay, ctx.nowMs);
  const refused = checkPermit(origins.permit, keys, ctx);
  if (refused !== null) return err(refused);
  const named = entries.map((entry) => entry?.origin ?? null);
  const faultOf = proveOrigins(origins, named, nodeId, openWithKeys(ctx.relay.origin, keys));
  const createdAt = (place: number): string | null => origins.entries[place]?.created_at ?? null;
  const standsAt: OpenedOrigins['standsAt'] = ({ origin }, place) => ({
    chain_seq: origin?.chain_seq ?? 0,
    feed_seq: origins.entries[place]?.feed_seq ?? 0,
  });
  return ok({ nodeId, namespaces, learned: keys.learned, createdAt, standsAt, faultOf });
}

interface OriginKeys {
  readonly newest: Uint8Array;
  readonly former: readonly { readonly key: Uint8Array; readonly endsMs: number }[];
  readonly learned: readonly OpenedSuccession[];
}

function originKeys(
  { successions }: Origins,
  { nodeId, logVkey, statements }: RelayContext,
  nowMs: number,
): OriginKeys {
  const shown = openStatements(successions, nodeId);
  const links = lineFrom({ held: statements, shown }, 'log', logVkey, nowMs + DEFAULT_MAX_FUTURE_SKEW_MS);
  const newest = links.at(-1)?.new ?? logVkey;
  const held = new Set(statements.map(({ note }) => note));
  const before = keysBefore([...statements, ...shown], 'log', newest);
  const former = [...before].map(([vkey, endsMs]) => ({ key: rawKeyOf(vkey), endsMs }));
  return { newest: rawKeyOf(newest), former, learned: links.filter(({ note }) => !held.has(note)) };
}

/** A key that is none verifies nothing. */
function rawKeyOf(vkey: string): Uint8Array {
  const key = parseVerifierKey(vkey);
  return key.ok && key.value.algorithm === ALG_ED25519 ? key.value.publicKey : new Uint8Array(HASH_BYTES);
}

function openWithKeys(origin: string, { newest, former }: OriginKeys): OpenOriginHead {
  return (note) => {
    const opened = openCheckpoint(note, { origin, key: newest });
    if (opened.ok) return { ...opened.value, keyEndsMs: null };
    for (const { key, endsMs } of former) {
      const earlier = openCheckpoint(note, { origin, key });
      if (earlier.ok) return { ...earlier.value, keyEndsMs: endsMs };
    }
    return null;
  };
}

type RelayedContext = PageContext & { readonly relay: RelayContext };

/**
 * Whether the origin lets this very peer relay, now. By its newest key: whoever stole a former one permits nothing. A relay that
 * has not met its origin since the key changed shows a true permit nevertheless, and is not accused of it.
 */
function checkPermit(note: string, keys: OriginKeys, ctx: RelayedContext): PageFault | PagePutOff | null {
  const { origin } = ctx.relay;
  const opened = openRelayPermit(note, { origin, key: keys.newest });
  if (opened.ok) return checkTerms(opened.value, ctx);
  for (const { key, endsMs } of keys.former) {
    const earlier = openRelayPermit(note, { origin, key });
    if (earlier.ok) return checkTerms(earlier.value, ctx) ?? ofFormerKey(earlier.value, endsMs, ctx);
  }
  return notPermitted('origins.permit', opened.error, 'ok');
}

/** After its end a key signs nothing more, unless somebody else has it. */
function ofFormerKey(
  { issuedAt }: RelayPermit,
  endsMs: number,
  { relay }: RelayedContext,
): PageFault | PagePutOff | null {
  const end = new Date(endsMs).toISOString();
  if (Date.parse(issuedAt) > endsMs + DEFAULT_MAX_FUTURE_SKEW_MS)
    return notPermitted('origins.permit.issued_at', issuedAt, `not after ${end}, when the key that signed it ended`);
  if (relay.takenAtMs !== null) return null;
  return { kind: 'put_off', detail: `its permit is signed by a key that its origin has changed since (${end})` };
}

function checkTerms(
  { relay: named, issuedAt, notAfter }: RelayPermit,
  { peer, nowMs, relay }: RelayedContext,
): PageFault | null {
  const atMs = relay.takenAtMs ?? nowMs;
  if (named !== peer.nodeId) return notPermitted('origins.permit.relay', named, peer.nodeId);
  const now = new Date(atMs).toISOString();
  if (Date.parse(issuedAt) > atMs + DEFAULT_MAX_FUTURE_SKEW_MS)
    return notPermitted('origins.permit.issued_at', issuedAt, now);
  const longest = new Date(Date.parse(issuedAt) + RELAY_PERMIT_MS).toISOString();
  if (Date.parse(notAfter) > Date.parse(longest)) return notPermitted('origins.permit.not_after', notAfter, longest);
  if (Date.parse(notAfter) + DEFAULT_MAX_FUTURE_SKEW_MS <= atMs)
    return notPermitted('origins.permit.not_after', notAfter, now);
  return null;
}

function notPermitted(field: string, claimed: string, computed: string): PageFault {
  return accusation('relay_not_permitted', { field, claimed, computed });
}

/**
 * Tells of each entry of a relay's page whether it is what the origin has in its log. Pure and total.
 *
 * @param named what each entry of the page says of its place with the origin; null: nothing
 * @param nodeId of the origin
 */
export function proveOrigins(
  origins: Origins,
  named: readonly Entry['origin'][],
  nodeId: string,
  open: OpenOriginHead,
): OpenedOrigins['faultOf'] {
  const heads = new Map<number, OriginHead>();
  for (const batch of origins.batches) {
    const head = proveBatch(batch, named, nodeId, open);
    if (head !== null) for (const place of batch.places) heads.set(place, head);
  }
  return (entry, place) => {
    const { origin } = entry;
    if (origin?.node_id !== nodeId) return { field: 'origin', claimed: origin?.node_id ?? null, computed: nodeId };
    // One hop: what the relay itself has from a relay, nobody has permitted it to pass on.
    if (entry.received_from !== nodeId)
      return { field: 'received_from', claimed: entry.received_from, computed: nodeId };
    const shown = origins.entries[place] ?? null;
    if (shown === null) return { field: `origins.entries[${place}]`, claimed: null, computed: 'what the origin wrote' };
    const leaf = encodeBase64(originLeaf(entry, origin.chain_seq, shown));
    if (leaf !== origin.leaf_hash) return { field: 'origin.leaf_hash', claimed: origin.leaf_hash, computed: leaf };
    const head = heads.get(place);
    if (head === undefined) return { field: 'origin.inclusion', claimed: null, computed: null };
    return checkKeyTime(shown, head);
  };
}

/** The head that the leaves of a batch are proved under; null when they are not. */
function proveBatch(
  { checkpoint, places, proof }: OriginBatch,
  all: readonly Entry['origin'][],
  nodeId: string,
  open: OpenOriginHead,
): OriginHead | null {
  const named = places.map((place) => all[place] ?? null);
  if (named.some((origin) => origin?.node_id !== nodeId)) return null;
  const head = open(checkpoint);
  if (head === null) return null;
  const indexes = named.map((origin) => (origin?.chain_seq ?? 0) - 1);
  const leaves = Buffer.concat(named.map((origin) => decodeBase64(origin?.leaf_hash ?? '') ?? NO_BYTES));
  const hashes = Buffer.concat(proof.map((hash) => decodeBase64(hash) ?? NO_BYTES));
  const folded = places.length === 0 ? null : foldPage(head.size, indexes, leaves, hashes);
  return folded?.ok && sameHash(folded.value, head.root) ? head : null;
}

/**
 * The leaf that the origin's entry has: the relay's entry of the same fact, put back to where the origin says that it stood.
 * So a fact that was changed on the way gives another leaf.
 */
function originLeaf(entry: Entry, chainSeq: number, shown: OriginEntry): Buffer {
  const previous = shown.previous_hash === null ? null : decodeBase64(shown.previous_hash);
  const link = {
    chain_seq: chainSeq,
    created_at: shown.created_at,
    event_hash: entry.event_hash,
    fact_id: entry.fact_id,
    previous_hash: previous == null ? null : `sha256:${Buffer.from(previous).toString('hex')}`,
    tenant_id: 'default' as const,
  };
  const placed = { ...entry, ...link, chain_hash: chainHash(link), feed_seq: shown.feed_seq };
  const text = encodeEntry({ ...placed, origin: null, received_from: null });
  return entryLeafHash(decodeBase64(shown.salt) ?? NO_BYTES, text);
}

/** A former key vouches for what the origin's log took while that key signed. */
function checkKeyTime({ created_at }: OriginEntry, { keyEndsMs }: OriginHead): OriginFault | null {
  if (keyEndsMs === null) return null;
  const takenMs = millisecondsOf(created_at);
  if (takenMs !== undefined && takenMs <= keyEndsMs) return null;
  const computed = `not after ${new Date(keyEndsMs).toISOString()}, when the key that signed the checkpoint ended`;
  return { field: 'origin.created_at', claimed: created_at, computed };
}

function millisecondsOf(instant: string): number | undefined {
  const parsed = parseIsoInstant(instant);
  return parsed.ok ? Number(parsed.value / 1000n) : undefined;
}

const NO_BYTES = new Uint8Array(0);
