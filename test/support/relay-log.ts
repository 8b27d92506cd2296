/**
 * A node that relays the public facts of another one, in memory: both logs are true and made by the real code, and what the
 * relay shows of the origin can be told otherwise.
 */

import type { EntryLie, FactDraft } from '../../src/drill/entry-draft.ts';
import { EPOCH_MS, type StoredEntry } from '../../src/drill/peer-log.ts';
import type { PageLie } from '../../src/drill/served-log.ts';
import { encodeBase64 } from '../../src/merkle/base64.ts';
import { ALG_ED25519 } from '../../src/merkle/note.ts';
import { provePage } from '../../src/merkle/tiles.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import type { PageContext } from '../../src/verify/context.ts';
import type { OriginBatch, OriginEntry, Origins } from '../../src/wire/origins.ts';
import type { SignedPageFrames } from '../../src/wire/page.ts';
import { signRelayPermit } from '../../src/wire/relay-permit.ts';
import { HonestPeer } from './honest-peer.ts';

const DAY_MS = 86_400_000;
/** The origin, unless a test says otherwise: another one than the honest peer that relays. */
const ORIGIN = 'initech.example';

export interface RelayLogOptions {
  readonly origin?: HonestPeer;
  readonly relay?: HonestPeer;
  /** Facts of the origin, all of them relayed. */
  readonly facts?: number;
  readonly startMs?: number;
}

export class RelayLog {
  readonly origin: HonestPeer;
  readonly relay: HonestPeer;
  readonly #startMs: number;

  constructor({ origin, relay, facts = 5, startMs = EPOCH_MS }: RelayLogOptions = {}) {
    this.#startMs = startMs;
    this.origin = origin ?? new HonestPeer({ authority: ORIGIN, startMs });
    this.relay = relay ?? new HonestPeer({ startMs });
    for (let i = 0; i < facts; i++) this.pass(this.origin.append());
  }

  get feed(): string {
    return `from/${this.origin.authority}/public`;
  }

  /** The relay takes an entry of the origin into its log. Whatever is told otherwise is hashed and signed by the relay. */
  pass(from: StoredEntry, told: FactDraft = {}, lie: EntryLie = {}): StoredEntry {
    return this.relay.append({ ...relayedDraft(from, this.origin), feed: this.feed, ...told }, lie);
  }

  /** A permit of the origin for the relay. */
  permit(told: { relay?: string; issuedAt?: string; notAfter?: string } = {}, by: HonestPeer = this.origin): string {
    const issuedAt = new Date(this.#startMs - DAY_MS).toISOString();
    const notAfter = new Date(this.#startMs + 6 * DAY_MS).toISOString();
    return signRelayPermit({ relay: this.relay.nodeId, issuedAt, notAfter, ...told }, by.signer);
  }

  /**
   * What the relay has to show for entries of its feed.
   *
   * @param sizeOf the size of the origin's tree that an entry, by its place, is proved under: one batch each
   */
  origins(entries: readonly StoredEntry[], sizeOf: (place: number) => number = () => this.origin.size): Origins {
    const shown: (OriginEntry | null)[] = entries.map(() => null);
    const batches = new Map<number, { place: number; from: StoredEntry }[]>();
    for (const [place, { entry }] of entries.entries()) {
      const from = this.origin.entries[(entry.origin?.chain_seq ?? 0) - 1];
      if (from === undefined || entry.origin?.node_id !== this.origin.nodeId) continue;
      shown[place] = originEntry(from);
      batches.set(sizeOf(place), [...(batches.get(sizeOf(place)) ?? []), { place, from }]);
    }
    const proved = [...batches].map(([size, members]) => this.#batch(size, members));
    return { batches: proved, entries: shown, permit: this.permit(), successions: [] };
  }

  #batch(size: number, members: readonly { readonly place: number; readonly from: StoredEntry }[]): OriginBatch {
    const inOrder = members.toSorted((a, b) => a.from.index - b.from.index);
    const indexes = inOrder.map(({ from }) => from.index);
    const proof = Buffer.from(provePage(indexes, size, this.origin.tiles));
    return {
      checkpoint: this.origin.checkpoint(size),
      places: inOrder.map(({ place }) => place),
      proof: hashes(proof),
    };
  }

  /** A page of the relayed feed. */
  page(
    request: { after?: number; count?: number; size?: number; knownSize?: number | null } = {},
    tell: (origins: Origins) => Origins = (origins) => origins,
    lie: PageLie = {},
  ): SignedPageFrames {
    const content: PageLie['content'] = (page) => {
      const told = lie.content?.(page) ?? page;
      return { ...told, origins: tell(this.origins(told.entries as readonly StoredEntry[])) };
    };
    return this.relay.page({ feed: this.feed, after: 0, ...request }, { ...lie, content });
  }

  context(overrides: Partial<PageContext> = {}): PageContext {
    return this.relay.context({ feed: this.feed, accept: [this.feed], relay: this.pinned(), ...overrides });
  }

  /** The origin as a receiver has pinned it. */
  pinned(): NonNullable<PageContext['relay']> {
    const { nodeId, origin, authority } = this.origin;
    return { nodeId, origin, logVkey: vkeyOf(this.origin), namespaces: [authority], statements: [], takenAtMs: null };
  }
}

export function vkeyOf({ signer }: HonestPeer): string {
  return formatVerifierKey({ name: signer.name, algorithm: ALG_ED25519, publicKey: signer.publicKey });
}

/** What a relay's entry of a fact says, as far as it is the fact's. */
export function relayedDraft({ entry, leaf }: StoredEntry, origin: HonestPeer): FactDraft {
  return {
    fact_id: entry.fact_id,
    entity: entry.entity,
    relation: entry.relation,
    source: entry.source,
    scope: entry.scope,
    garden_id: entry.garden_id,
    value_type: entry.value_type,
    value_v: entry.value_v,
    confidence: Number(entry.confidence),
    interpret_as: entry.interpret_as,
    valid_until: entry.valid_until,
    hlc: entry.hlc,
    timestamp: entry.timestamp,
    derived_from: entry.derived_from,
    attestation: entry.attestation,
    origin: { chain_seq: entry.chain_seq, leaf_hash: encodeBase64(leaf), node_id: origin.nodeId },
    received_from: origin.nodeId,
  };
}

export function originEntry({ entry, salt }: StoredEntry): OriginEntry {
  const { created_at, feed_seq, previous_hash } = entry;
  const previous = previous_hash === null ? null : Buffer.from(previous_hash.slice(7), 'hex').toString('base64');
  return { created_at, feed_seq, previous_hash: previous, salt: encodeBase64(salt) };
}

function hashes(packed: Buffer): string[] {
  return Array.from({ length: packed.length / 32 }, (_, i) => encodeBase64(packed.subarray(i * 32, (i + 1) * 32)));
}
