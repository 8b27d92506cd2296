/** Tombstones as the journal takes them: what each of them leads to. The callers hold the transaction. */
import type { Entry } from '../core/entry.ts';
import { feedOf } from '../core/scope.ts';
import { decodeTombstone, factDigest, TOMBSTONE, type Tombstone } from '../core/tombstone.ts';
import type { SeenFact } from '../verify/seen-fact.ts';
import { tombstoneOf } from '../verify/tombstone-rules.ts';
import type { AuditLog } from './audit-log.ts';
import { BodyEraser } from './body-eraser.ts';
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

const HOUR_US = 3_600_000_000;

export class Erasures {
  readonly records: ErasureRecords;
  readonly bodies: BodyEraser;
  readonly settings: ErasureSettings;
  readonly #audit: AuditLog;

  constructor(db: Db, audit: AuditLog, settings: ErasureSettings) {
    this.records = new ErasureRecords(db);
    this.bodies = new BodyEraser(db);
    this.#audit = audit;
    this.settings = settings;
  }

  /** A fact id whose body is erased here, as a repeat of the fact would be compared with it: it says the same as nothing. */
  seen(factId: string): SeenFact | undefined {
    const erased = this.records.byDigest(factDigest(factId)).find(({ target_seq }) => target_seq !== null);
    if (erased === undefined) return undefined;
    const nothing = { timestamp: '', hlc: '', valid_until: null, interpret_as: '', garden_id: null };
    const rest = { derived_from: [], attestation: null, origin_leaf: null, received_from: null };
    return { fact_id: factId, cid: 'erased', node_id: erased.node_id, ...nothing, ...rest };
  }

  /** Entries of a page that was just stored, in the feed of their author. */
  take(entries: readonly Entry[], peer: string, feed: string, nowUs: number): void {
    for (const entry of entries) {
      const said = entry.relation === TOMBSTONE ? decodeTombstone(entry.value_v) : null;
      if (said !== null) this.#receive(entry, said, peer, feed, nowUs);
    }
  }

  /** Entries that a restore has put back, or that were refused and pass now: what they erase, or what erases them, is seen to. */
  takePutBack(entries: readonly Entry[], self: string, nowUs: number): void {
    for (const entry of entries) {
      const feed = feedOf(entry);
      if (entry.relation !== TOMBSTONE) this.#notKeptAnyMore(entry, nowUs);
      if (entry.relation !== TOMBSTONE || !feed.ok) continue;
      const said = decodeTombstone(entry.value_v);
      if (said !== null && entry.origin !== null) this.#receive(entry, said, entry.origin.node_id, feed.value, nowUs);
      else if (tombstoneOf(entry, self) !== null && said !== null)
        this.#issuedBefore(entry, said, self, feed.value, nowUs);
    }
  }

  /** A fact that was kept as evidence beside its tombstone, and is taken after all. */
  #notKeptAnyMore({ fact_id, origin }: Entry, nowUs: number): void {
    if (origin === null) return;
    const kept = this.records.of(factDigest(fact_id), origin.node_id);
    const row = kept?.step === 'kept' && kept.tombstone_seq !== null ? this.bodies.row(kept.tombstone_seq) : undefined;
    const said = row === undefined ? null : decodeTombstone(row.value_v);
    if (kept !== undefined && row !== undefined && said !== null)
      this.#receive({ chain_seq: row.chain_seq }, said, kept.node_id, kept.feed, nowUs);
  }

  #issuedBefore(entry: Entry, said: Tombstone, self: string, feed: string, nowUs: number): void {
    const row = this.bodies.row(said.leaf_index + 1);
    const fact = digestOf(said.fact);
    if (row === undefined || isErased(row) || !factDigest(row.fact_id).equals(fact)) return;
    const place = { feed, feed_seq: said.feed_seq, target_seq: row.chain_seq, page_id: null };
    this.#add({ fact, node_id: self, ...place, tombstone_seq: entry.chain_seq, due_us: nowUs }, 'issued', nowUs);
  }

  #receive(entry: Pick<Entry, 'chain_seq'>, said: Tombstone, peer: string, feed: string, nowUs: number): void {
    const fact = digestOf(said.fact);
    const named = this.bodies.named(peer, feed, said);
    const place = { feed, feed_seq: said.feed_seq, tombstone_seq: entry.chain_seq };
    if (named.kind === 'contradicts') {
      const detail = { leaf_index: said.leaf_index, tombstone_seq: entry.chain_seq, why: named.detail };
      this.#audit.append({ event: 'tombstone_refused', peer, feed, detail }, null, nowUs);
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
    const isTooMany = this.records.count(peer, 'received', nowUs - HOUR_US) >= this.settings.maxPerHour;
    if (isTooMany) this.#stop(held, nowUs);
    else this.#add({ ...held, due_us: nowUs + this.settings.receivedWindowMs * 1000 }, 'received', nowUs);
  }

  #stop(held: Omit<Erasure, 'step_id' | 'step' | 'at_us' | 'actor' | 'reason'>, nowUs: number): void {
    const { node_id: peer, feed } = held;
    const isFirst = this.records.count(peer, 'stopped', nowUs - HOUR_US) === 0;
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
