/** Erasures in the journal's thread: what operators ask for, and what falls due. */

import type { ErasureOutcome, ErasureRefusal } from '../core/erasure-order.ts';
import { authorityOf } from '../core/node-id.ts';
import { feedOf } from '../core/scope.ts';
import { agoMs, HOUR_MS } from '../core/time.ts';
import { encodeTombstone, factDigest, TOMBSTONE, tombstoneEntity } from '../core/tombstone.ts';
import { isOfNode } from '../journal/body-eraser.ts';
import { hashText } from '../journal/entry-row.ts';
import { isErased } from '../journal/erased-row.ts';
import type { Erasure, ErasureStep } from '../journal/erasure-records.ts';
import { JournalError } from '../journal/errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { EntryRow } from '../journal/tables-logs.ts';
import { type VerifiedAssertion, verifyAssertion } from '../verify/assertion.ts';

/** Drops what is derived from a row. */
export interface Derived {
  forget(row: EntryRow): void;
}

/** Fact and who asks. */
export interface ErasureOrder {
  /** The proposal that is approved by this; null: it is asked for. */
  readonly approves: number | null;
  /** Id of the fact, the digest of it (`sha256:…`), or its journal position (`entry:…`). */
  readonly fact: string;
  readonly actor: string;
  readonly reason: string | null;
}

/** What was done, and whose facts have no bytes in the file any more since. */
export interface Advanced {
  readonly steps: number;
  readonly authors: readonly string[];
}

/** Erasures that fall due at a moment are taken in runs: a call waits for one run at most. */
const RUN = 64;
const DONE: ErasureOutcome = { kind: 'done' };

export class Erasing {
  readonly #journal: Journal;
  readonly #derived: readonly Derived[];
  #alarmedMs = Number.NEGATIVE_INFINITY;

  constructor(journal: Journal, derived: readonly Derived[]) {
    this.#journal = journal;
    this.#derived = derived;
  }

  /** Hides a fact of our own, whose tombstone is written when the undo window is over. */
  request(order: ErasureOrder, nowMs: number): ErasureOutcome {
    const { fact, actor } = order;
    const { erasures } = this.#journal;
    const row = this.#rowOf(fact);
    if (row === undefined) return refused(this.#find(fact) === undefined ? 'fact_not_found' : 'already_tombstoned');
    const known = erasures.records.ofTarget(row.chain_seq);
    if (row.origin_node_id !== null) return refused('not_own_fact');
    if (isOfNode(row.relation)) return refused('of_the_node');
    if (known !== undefined && known.step !== 'undone') return refused('already_tombstoned');
    if (this.#isMass(nowMs)) return this.#alarm(actor, nowMs);

    return this.#ask(row, order, nowMs);
  }

  /** Whoever approves it does so for this very fact; its id does not come into the audit log, which nobody can erase. */
  #ask(row: EntryRow, { actor: asker, approves, reason }: ErasureOrder, nowMs: number): ErasureOutcome {
    const { erasures, identity, approvals } = this.#journal;
    const feed = feedOf(row);
    if (!feed.ok) throw new JournalError('broken', `entry ${row.chain_seq} is in no feed`);
    const digest = factDigest(row.fact_id);
    const place = { feed: feed.value, feed_seq: row.feed_seq, target_seq: row.chain_seq, page_id: null };
    const due = nowMs + erasures.settings.undoWindowMs;
    const step = { ...place, fact: digest, node_id: identity.nodeId, tombstone_seq: null };
    const params = { fact: hashText(digest) };
    const request = { action: 'tombstone.create', subject: `entry:${row.chain_seq}`, params } as const;
    const outcome = this.#journal.durably((record) =>
      approvals.act(request, { actor: asker, reason: reason ?? '', approves }, nowMs * 1000, ({ actor, detail }) => {
        erasures.records.add({ ...step, actor, reason, step: 'requested', due_us: due * 1000, at_us: nowMs * 1000 });
        const said = { due_at: new Date(due).toISOString(), feed: feed.value, ...detail };
        return record({ event: 'tombstone_requested', actor, chainSeq: row.chain_seq, detail: said }, nowMs);
      }),
    );
    return outcome.kind === 'done' ? DONE : { kind: 'undecided', outcome };
  }

  #rowOf(fact: string): EntryRow | undefined {
    const { bodies } = this.#journal.erasures;
    const seq = /^entry:([1-9][0-9]{0,15})$/.exec(fact)?.[1];
    const row = seq === undefined ? bodies.byFactId(fact) : bodies.row(Number(seq));
    return row === undefined || isErased(row) ? undefined : row;
  }

  /** Shows a fact again whose tombstone was not written yet. */
  undo(order: ErasureOrder, nowMs: number): ErasureOutcome {
    const known = this.#find(order.fact);
    if (known === undefined) return refused('not_tombstoned');
    if (known.step !== 'requested') return refused('not_undoable');
    return this.#decide(known, 'undone', 'tombstone_undone', order, nowMs, null);
  }

  /** Keeps the body of a peer's fact from being erased, for as long as nobody releases it. It stays hidden. */
  hold(order: ErasureOrder, nowMs: number): ErasureOutcome {
    const known = this.#find(order.fact);
    if (known === undefined) return refused('not_tombstoned');
    if (!['received', 'stopped', 'released'].includes(known.step)) return refused('not_undoable');
    return this.#decide(known, 'held', 'erasure_held', order, nowMs, null);
  }

  /** Lets go what is held, or what waits because too many came at once. */
  release(order: ErasureOrder, nowMs: number): ErasureOutcome {
    const known = this.#find(order.fact);
    if (known === undefined) return refused('not_tombstoned');
    if (known.step !== 'held' && known.step !== 'stopped') return refused('not_held');
    return this.#decide(known, 'released', 'erasure_released', order, nowMs, nowMs * 1000);
  }

  /** Takes the next step of what is due. Each is durable by itself, and taken again after a crash. */
  advance(nowMs: number): Advanced {
    const { erasures, guard } = this.#journal;
    if (guard.isHeld) return { steps: 0, authors: [] };
    const open = erasures.records.open();
    const due = open.filter(({ due_us }) => due_us !== null && due_us <= nowMs * 1000).slice(0, RUN);
    for (const erasure of due) {
      if (erasure.step === 'requested') this.#issue(erasure, nowMs);
      else this.#erase(erasure, nowMs);
    }
    const scrubbed = this.#scrub(open.filter(({ step }) => step === 'erased').slice(0, RUN), nowMs);
    return { steps: due.length + scrubbed.length, authors: [...new Set(scrubbed.map(({ node_id }) => node_id))] };
  }

  #issue(erasure: Erasure, nowMs: number): void {
    const { records, bodies } = this.#journal.erasures;
    const row = erasure.target_seq === null ? undefined : bodies.row(erasure.target_seq);
    if (row === undefined)
      throw new JournalError('broken', `entry ${erasure.target_seq} is to be erased and is not there`);
    this.#journal.appendOwn([this.#tombstoneOf(row, erasure, nowMs)], nowMs, ([entry]) => {
      const seq = entry?.chain_seq ?? null;
      records.next(erasure, 'issued', nowMs * 1000, { tombstone_seq: seq, due_us: nowMs * 1000 });
      return { event: 'tombstone_issued', chainSeq: row.chain_seq, detail: { tombstone_seq: seq } };
    });
  }

  #tombstoneOf(row: EntryRow, { fact, feed_seq }: Erasure, nowMs: number): VerifiedAssertion {
    const { nodeId } = this.#journal.identity;
    const index = row.chain_seq - 1;
    const said = { fact: hashText(fact), feed_seq, leaf_hash: hashText(row.leaf_hash), leaf_index: index };
    const assertion = verifyAssertion(
      {
        entity: tombstoneEntity(nodeId, index),
        relation: TOMBSTONE,
        value_type: 'text',
        value: encodeTombstone(said),
        source: nodeId,
        confidence: 1,
        scope: row.scope,
        valid_until: null,
        garden_id: row.garden_id,
        derived_from: [],
        attestation: null,
        interpret_as: 'content',
      },
      { nodeAuthority: authorityOf(nodeId) ?? '', nowMs, maxValueBytes: 1_024, mayWriteInstructions: false },
    );
    if (!assertion.ok) throw new JournalError('broken', `no tombstone can be written: ${assertion.error.message}`);
    return assertion.value;
  }

  /** In one transaction: the step without which the guards refuse, the row, its page, and all that is derived from it. */
  #erase(erasure: Erasure, nowMs: number): void {
    const { records, bodies } = this.#journal.erasures;
    this.#journal.durably(() => {
      records.next(erasure, 'erased', nowMs * 1000);
      bodies.erase(erasure, (row) => {
        for (const derived of this.#derived) derived.forget(row);
      });
    });
  }

  /** The bytes are gone once the write-ahead log is: a reader that still needs it is asked again later. */
  #scrub(erased: readonly Erasure[], nowMs: number): readonly Erasure[] {
    const { records, bodies } = this.#journal.erasures;
    if (erased.length === 0 || !bodies.truncateLog()) return [];
    this.#journal.durably(() => {
      for (const erasure of erased) records.next(erasure, 'scrubbed', nowMs * 1000);
    });
    return erased;
  }

  #decide(
    known: Erasure,
    step: ErasureStep,
    event: string,
    { actor, reason }: ErasureOrder,
    nowMs: number,
    dueUs: number | null,
  ): ErasureOutcome {
    const { identity, erasures } = this.#journal;
    const peer = known.node_id === identity.nodeId ? null : known.node_id;
    this.#journal.audit({ event, actor, peer, detail: { seq: known.target_seq, reason } }, nowMs, () =>
      erasures.records.next(known, step, nowMs * 1000, { actor, reason, due_us: dueUs }),
    );
    return DONE;
  }

  #find(fact: string): Erasure | undefined {
    const seq = /^entry:([1-9][0-9]{0,15})$/.exec(fact)?.[1];
    if (seq !== undefined) return this.#journal.erasures.records.ofTarget(Number(seq));
    const digest = fact.startsWith('sha256:') ? Buffer.from(fact.slice(7), 'hex') : factDigest(fact);
    const found = this.#journal.erasures.records.byDigest(digest);
    return found.find(({ target_seq }) => target_seq !== null) ?? found[0];
  }

  #isMass(nowMs: number): boolean {
    const { erasures, identity } = this.#journal;
    const asked = erasures.records.countInHour(identity.nodeId, 'requested', nowMs * 1000);
    return asked >= erasures.settings.maxPerHour;
  }

  #alarm(actor: string, nowMs: number): ErasureOutcome {
    if (agoMs(this.#alarmedMs, nowMs) >= HOUR_MS) {
      this.#alarmedMs = nowMs;
      const detail = {
        max_per_hour: this.#journal.erasures.settings.maxPerHour,
        what: 'further tombstones are refused',
      };
      this.#journal.audit({ event: 'mass_deletion', actor, detail }, nowMs);
    }
    return { kind: 'refused', code: 'mass_deletion', retryAfterMs: HOUR_MS };
  }
}

function refused(code: ErasureRefusal): ErasureOutcome {
  return { kind: 'refused', code, retryAfterMs: null };
}
