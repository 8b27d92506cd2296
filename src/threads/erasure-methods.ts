/** The journal's part in erasures: orders of operators, and acknowledgements, ours and those of peers. */

import type { ErasureOutcome } from '../core/erasure-order.ts';
import { decodeTombstone } from '../core/tombstone.ts';
import { DisclosureRecords } from '../journal/disclosure-records.ts';
import { hashText } from '../journal/entry-row.ts';
import { ErasureAcks } from '../journal/erasure-acks.ts';
import type { Erasure } from '../journal/erasure-records.ts';
import type { Journal } from '../journal/journal.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import type { PendingErasures } from '../pull/send-erasures.ts';
import { logKeysOf, openOwnDeclaration } from '../verify/declared-log-key.ts';
import { MAX_ACKS, openErasureAck, signErasureAck } from '../wire/erasure-ack.ts';
import type { Erasing, ErasureOrder } from './erasing.ts';

export interface ErasureMethods {
  requestTombstone(order: ErasureOrder, nowMs: number): ErasureOutcome;
  undoTombstone(order: ErasureOrder, nowMs: number): ErasureOutcome;
  holdErasure(order: ErasureOrder, nowMs: number): ErasureOutcome;
  releaseErasure(order: ErasureOrder, nowMs: number): ErasureOutcome;
  /** Signed acknowledgements that an author has not been told yet. @param broughtBy who brought the tombstones; the author itself */
  pendingErasures(author: string, broughtBy?: string): PendingErasures;
  erasuresTold(peer: string, steps: readonly number[], nowMs: number): void;
  /** @returns how many, from the first on, need not come again: all, or none while the peer's key is not known */
  takeErasures(peer: string, acks: readonly string[], nowMs: number): number;
}

/** Largest look at the steps of one peer in search of what it was not told. */
const LOOKED_AT = 1_000;

export function erasureMethods(journal: Journal, erasing: Erasing, signer: LogSigner): ErasureMethods {
  const acks = new ErasureAcks(journal.db);
  const ledger = new DisclosureRecords(journal.db);
  return {
    requestTombstone: (order, nowMs) => erasing.request(order, nowMs),
    undoTombstone: (order, nowMs) => erasing.undo(order, nowMs),
    holdErasure: (order, nowMs) => erasing.hold(order, nowMs),
    releaseErasure: (order, nowMs) => erasing.release(order, nowMs),
    pendingErasures: (author, broughtBy = author) => pending(journal, signer, author, broughtBy),
    erasuresTold: (peer, steps, nowMs) => told(journal, peer, steps, nowMs),
    takeErasures: (peer, notes, nowMs) => take(journal, acks, ledger, peer, notes, nowMs),
  };
}

function untold(journal: Journal, peer: string): readonly Erasure[] {
  return journal.erasures.records.untold(peer, LOOKED_AT);
}

function pending(journal: Journal, signer: LogSigner, author: string, broughtBy: string): PendingErasures {
  if (author === journal.identity.nodeId) return { acks: [], steps: [] };
  const due = untold(journal, author).flatMap((erasure) => {
    const row = erasure.tombstone_seq === null ? undefined : journal.erasures.bodies.row(erasure.tombstone_seq);
    const said = row?.received_from === broughtBy ? decodeTombstone(row.value_v) : null;
    return said === null ? [] : [{ erasure, said }];
  });
  const signed = due.slice(0, MAX_ACKS).map(({ erasure, said }) => {
    const { feed, feed_seq: feedSeq, at_us } = erasure;
    const erasedAt = new Date(Math.floor(at_us / 1000)).toISOString();
    const ack = signErasureAck({ author, feed, feedSeq, leafHash: said.leaf_hash, erasedAt }, signer);
    return { ack, step: erasure.step_id };
  });
  return { acks: signed.map(({ ack }) => ack), steps: signed.map(({ step }) => step) };
}

function told(journal: Journal, peer: string, steps: readonly number[], nowMs: number): void {
  const taken = untold(journal, peer).filter(({ step_id }) => steps.includes(step_id));
  journal.durably(() => {
    for (const erasure of taken) journal.erasures.records.next(erasure, 'told', nowMs * 1000);
  });
}

function take(
  journal: Journal,
  acks: ErasureAcks,
  ledger: DisclosureRecords,
  peer: string,
  notes: readonly string[],
  nowMs: number,
): number {
  const pinned = journal.peers.declaration(peer);
  const declaration = pinned === null ? null : openOwnDeclaration(pinned);
  if (declaration === null) return 0;
  const origin = declaration.journal_origin;
  const keys = logKeysOf(declaration, origin);
  const save = (note: string): void => {
    const ack = keys.map((key) => openErasureAck(note, { origin, key })).find(({ ok }) => ok);
    if (ack?.ok !== true || ack.value.author !== journal.identity.nodeId) return;
    const { feed, feedSeq, leafHash } = ack.value;
    const target = acks.targetAt(feed, feedSeq);
    if (target === undefined || hashText(target.leaf_hash) !== leafHash) return;
    const tombstoneSeq = journal.erasures.records.ofTarget(target.chain_seq)?.tombstone_seq ?? null;
    // What a peer was never given it cannot have erased; and one word of it is enough.
    if (tombstoneSeq === null || ledger.ofFact(peer, feed, feedSeq).length === 0) return;
    acks.save(peer, tombstoneSeq, note, nowMs * 1000);
  };
  journal.durably(() => notes.forEach(save));
  return notes.length;
}
