/** Tombstones as the journal takes them: what each of them leads to. The callers hold the transaction. */
import type { Entry } from '../core/entry.ts';
import { feedOf } from '../core/scope.ts';
import { HOUR_MS } from '../core/time.ts';
import { decodeTombstone, factDigest, TOMBSTONE, type Tombstone } from '../core/tombstone.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import type { PlacedFact } from '../verify/judge.ts';
import { ERASED, type SeenFact } from '../verify/seen-fact.ts';
import { tombstoneOf } from '../verify/tombstone-entry.ts';
import type { AuditLog } from './audit-log.ts';
import { BodyEraser, type ByOrigin } from './body-eraser.ts';
import type { Db } from './database.ts';
import { isErased } from './erased-row.ts';
import { type Erasure, ErasureRecords, type ErasureStep } from './erasure-records.ts';

export interface ErasureSettings {
  /** How long a tombstone that was asked for here can be undone. */
  readonly undoWindowMs: number;
  /** How long the fact of a peer stays, hidden, behind its tombstone. */
  readonly receivedWindowMs: number;
  /** Tombstones of one author in an hour; what comes beyond waits for an operator. */
  readonly maxPerHour: number;
}

export const DEFAULT_ERASURES: ErasureSettings = {
  undoWindowMs: 86_400_000,
  receivedWindowMs: 86_400_000,
  maxPerHour: 100,
};

/** Whose facts are looked for, and whether they come by a relay. */
export interface Asserted {
  readonly author: string;
  readonly isRelayed: boolean;
}

const HOUR_US = HOUR_MS * 1000;
/** Records of an author's tombstones that contradict what it gave, in an hour: each costs it one entry. */
const REFUSED_PER_HOUR = 16;

interface RefusedOfAuthor {
  readonly sinceUs: number;
  told: number;
  /** Beyond those: the next record says how many. */
  suppressed: number;
}

export class Erasures {
  readonly records: ErasureRecords;
  readonly bodies: BodyEraser;
  readonly settings: ErasureSettings;
  readonly #audit: AuditLog;
  readonly #refused = new Map<string, RefusedOfAuthor>();

  constructor(db: Db, audit: AuditLog, settings: ErasureSettings) {
    this.records = new ErasureRecords(db);
    this.bodies = new BodyEraser(db);
    this.#audit = audit;
    this.settings = settings;
  }

  /**
   * A fact id whose body is erased here, as a repeat of the fact would be compared with it: it says the same as nothing. What
   * its author has had erased before it came is none to take either; what stands as evidence its author may still correct.
   */
  seen(factId: string, { author, isRelayed }: Asserted): SeenFact | undefined {
    const found = this.records.byDigest(factDigest(factId));
    const ofAuthor = found.find(
      ({ node_id, step, tombstone_seq }) =>
        node_id === author && tombstone_seq !== null && (isRelayed || step !== 'kept'),
    );
    const erased = ofAuthor ?? found.find(({ target_seq }) => target_seq !== null);
    if (erased === undefined) return undefined;
    const leaf = erased.tombstone_seq === null ? null : this.#leafNamed(erased.tombstone_seq);
    const nothing = { timestamp: '', hlc: '', valid_until: null, interpret_as: '', garden_id: null };
    const rest = { derived_from: [], attestation: null, origin_leaf: leaf, received_from: null };
    return { fact_id: factId, cid: ERASED, node_id: erased.node_id, ...nothing, ...rest };
  }

  /** Base64, of the fact in its author's tree. */
  #leafNamed(tombstoneSeq: number): string | null {
    const said = decodeTombstone(this.bodies.row(tombstoneSeq)?.value_v ?? '');
    return said === null ? null : encodeBase64(digestOf(said.leaf_hash));
  }

  /** Entries of a page that was just stored. */
  take(entries: readonly Entry[], nowUs: number): void {
    const byOrigin = this.#byOrigin(entries);
    for (const entry of entries) {
      const said = entry.relation === TOMBSTONE ? decodeTombstone(entry.value_v) : null;
      const feed = feedOf(entry);
      if (said === null || entry.origin === null || !feed.ok) continue;
      const isDirect = entry.received_from === entry.origin.node_id;
      this.#receive(entry, said, entry.origin.node_id, feed.value, nowUs, isDirect ? byOrigin : null);
    }
  }

  /** Lines of a page that say again what is held here: an erasure has to find them. */
  copied(pageId: number, copies: readonly PlacedFact[]): void {
    for (const { place, factId } of copies) {
      const row = this.bodies.byFactId(factId);
      if (row !== undefined) this.bodies.places.save({ pageId, place }, row.chain_seq, null);
    }
  }

  /** Lines of a page that are stored without their body: its author has had it erased. */
  blanked(pageId: number, gone: readonly PlacedFact[], author: string): void {
    for (const { place, factId } of gone) {
      const erasure = this.records.of(factDigest(factId), author);
      this.bodies.places.save({ pageId, place }, null, erasure?.tombstone_seq ?? null);
    }
  }

  /** Entries that a restore has put back, or that were refused and pass now: what they erase, or what erases them, is seen to. */
  takePutBack(entries: readonly Entry[], self: string, nowUs: number): void {
    const byOrigin = this.#byOrigin(entries);
    for (const entry of entries) {
      const feed = feedOf(entry);
      if (entry.relation !== TOMBSTONE) this.#notKeptAnyMore(entry, nowUs);
      if (entry.relation !== TOMBSTONE || !feed.ok) continue;
      const said = decodeTombstone(entry.value_v);
      if (said !== null && entry.origin !== null)
        this.#receive(entry, said, entry.origin.node_id, feed.value, nowUs, byOrigin);
      else if (tombstoneOf(entry, self) !== null && said !== null)
        this.#issuedBefore(entry, said, self, feed.value, nowUs);
    }
  }

  /** What the tombstones among these name. */
  #byOrigin(entries: readonly Entry[]): ByOrigin {
    const wanted = entries.flatMap(({ relation, value_v, origin }) => {
      const said = relation === TOMBSTONE && origin !== null ? decodeTombstone(value_v) : null;
      return said === null || origin === null ? [] : [{ author: origin.node_id, chainSeq: said.leaf_index + 1 }];
    });
    return this.bodies.byOrigins(wanted);
  }

  /** A fact that was kept as evidence beside its tombstone, and is taken after all. */
  #notKeptAnyMore({ fact_id, origin }: Entry, nowUs: number): void {
    if (origin === null) return;
    const kept = this.records.of(factDigest(fact_id), origin.node_id);
    const row = kept?.step === 'kept' && kept.tombstone_seq !== null ? this.bodies.row(kept.tombstone_seq) : undefined;
    const said = row === undefined ? null : decodeTombstone(row.value_v);
    if (kept !== undefined && row !== undefined && said !== null)
      this.#receive({ chain_seq: row.chain_seq }, said, kept.node_id, kept.feed, nowUs, null);
  }

  #issuedBefore(entry: Entry, said: Tombstone, self: string, feed: string, nowUs: number): void {
    const row = this.bodies.row(said.leaf_index + 1);
    const fact = digestOf(said.fact);
    if (row === undefined || isErased(row) || !factDigest(row.fact_id).equals(fact)) return;
    const place = { feed, feed_seq: said.feed_seq, target_seq: row.chain_seq, page_id: null };
    this.#add({ fact, node_id: self, ...place, tombstone_seq: entry.chain_seq, due_us: nowUs }, 'issued', nowUs);
  }

  #receive(
    entry: Pick<Entry, 'chain_seq'>,
    said: Tombstone,
    peer: string,
    feed: string,
    nowUs: number,
    byOrigin: ByOrigin | null,
  ): void {
    const fact = digestOf(said.fact);
    const named = this.bodies.named(peer, feed, said, byOrigin);
    const place = { feed, feed_seq: said.feed_seq, tombstone_seq: entry.chain_seq };
    if (named.kind === 'contradicts') {
      const detail = { leaf_index: said.leaf_index, tombstone_seq: entry.chain_seq, why: named.detail };
      this.#tellRefused(peer, feed, detail, nowUs);
      return;
    }
    const known = this.records.of(fact, peer);
    if (known !== undefined && known.step !== 'kept') return;
    const nothing = { fact, node_id: peer, ...place, target_seq: null, page_id: null, due_us: null };
    if (named.kind !== 'held') {
      if (known === undefined) this.#add(nothing, named.kind, nowUs);
      return;
    }
    const held = { ...nothing, target_seq: named.targetSeq, page_id: named.pageId };
    const isTooMany = this.records.countInHour(peer, 'received', nowUs) >= this.settings.maxPerHour;
    if (isTooMany) this.#stop(held, nowUs);
    else this.#add({ ...held, due_us: nowUs + this.settings.receivedWindowMs * 1000 }, 'received', nowUs);
  }

  #tellRefused(peer: string, feed: string, said: Readonly<Record<string, string | number>>, nowUs: number): void {
    const before = this.#refused.get(peer);
    const isOver = before === undefined || nowUs >= before.sinceUs + HOUR_US || nowUs < before.sinceUs;
    const now = isOver ? { sinceUs: nowUs, told: 0, suppressed: 0 } : before;
    this.#refused.set(peer, now);
    if (now.told >= REFUSED_PER_HOUR) {
      now.suppressed++;
      return;
    }
    now.told++;
    const passedOver = isOver ? (before?.suppressed ?? 0) : 0;
    const detail = passedOver === 0 ? said : { ...said, suppressed: passedOver };
    this.#audit.append({ event: 'tombstone_refused', peer, feed, detail }, null, nowUs);
  }

  #stop(held: Omit<Erasure, 'step_id' | 'step' | 'at_us' | 'actor' | 'reason'>, nowUs: number): void {
    const { node_id: peer, feed } = held;
    const isFirst = this.records.countInHour(peer, 'stopped', nowUs) === 0;
    this.#add(held, 'stopped', nowUs);
    const detail = { max_per_hour: this.settings.maxPerHour, what: 'further erasures wait for an operator' };
    if (isFirst) this.#audit.append({ event: 'mass_deletion', peer, feed, detail }, null, nowUs);
  }

  #add(row: Omit<Erasure, 'step_id' | 'step' | 'at_us' | 'actor' | 'reason'>, step: ErasureStep, nowUs: number): void {
    this.records.add({ ...row, step, at_us: nowUs, actor: null, reason: null });
  }
}

function digestOf(text: string): Buffer {
  return Buffer.from(text.slice(7), 'hex');
}
