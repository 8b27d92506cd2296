/** The journal's part in erasures: orders of operators, and acknowledgements, ours and those of peers. */

import type { ErasureOutcome } from '../core/erasure-order.ts';
import { decodeTombstone, type Tombstone } from '../core/tombstone.ts';
import { DisclosureRecords } from '../journal/disclosure-records.ts';
import { hashText } from '../journal/entry-row.ts';
import { ErasureAcks } from '../journal/erasure-acks.ts';
import type { Erasure } from '../journal/erasure-records.ts';
import type { Journal } from '../journal/journal.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import type { PendingErasures } from '../pull/send-erasures.ts';
import { MAX_ACKS, openErasureAck, signErasureAck } from '../wire/erasure-ack.ts';
import { declaredLogOf } from './declared-log.ts';
import type { Erasing, ErasureOrder } from './erasing.ts';

export interface ErasureMethods {
  requestTombstone(order: ErasureOrder, nowMs: number): ErasureOutcome;
  undoTombstone(order: ErasureOrder, nowMs: number): ErasureOutcome;
  holdErasure(order: ErasureOrder, nowMs: number): ErasureOutcome;
  releaseErasure(order: ErasureOrder, nowMs: number): ErasureOutcome;
  /** Signed acknowledgements that an author has not been told yet. @param relay to go by it: of tombstones that it has brought */
  pendingErasures(author: string, relay?: string): PendingErasures;
  erasuresTold(author: string, steps: readonly number[], nowMs: number, relay?: string): void;
  /** @returns how many, from the first on, need not come again: all, or none while the peer's key is not known */
  takeErasures(peer: string, acks: readonly string[], nowMs: number): number;
}

export function erasureMethods(journal: Journal, erasing: Erasing, signer: LogSigner): ErasureMethods {
  const acks = new ErasureAcks(journal.db);
  const ledger = new DisclosureRecords(journal.db);
  return {
    requestTombstone: (order, nowMs) => erasing.request(order, nowMs),
    undoTombstone: (order, nowMs) => erasing.undo(order, nowMs),
    holdErasure: (order, nowMs) => erasing.hold(order, nowMs),
    releaseErasure: (order, nowMs) => erasing.release(order, nowMs),
    pendingErasures: (author, relay = author) => pending(journal, signer, author, relay),
    erasuresTold: (author, steps, nowMs, relay = author) => told(journal, { author, to: relay }, steps, nowMs),
    takeErasures: (peer, notes, nowMs) => take(journal, acks, ledger, peer, notes, nowMs),
  };
}

interface Due {
  readonly erasure: Erasure;
  readonly said: Tombstone;
}

/** As many as one request holds. */
function untold(journal: Journal, author: string, to: string): readonly Due[] {
  const { records, bodies } = journal.erasures;
  const due: Due[] = [];
  const isEvidence = evidenceOf(journal, author);
  let after = records.toldUpTo(author, to);
  for (let more = true; more && due.length < MAX_ACKS; ) {
    const found = records.over(author, to, after, MAX_ACKS);
    for (const erasure of found) {
      after = erasure.step_id;
      const row = erasure.tombstone_seq === null ? undefined : bodies.row(erasure.tombstone_seq);
      const said = row === undefined ? null : decodeTombstone(row.value_v);
      if (said !== null && !isEvidence({ erasure, said })) due.push({ erasure, said });
    }
    more = found.length === MAX_ACKS;
  }
  return due.slice(0, MAX_ACKS);
}

/** What was refused by one way, and taken by another or later, stands in the evidence of that: nobody gives his word that it is gone. */
function evidenceOf(journal: Journal, author: string): (due: Due) => boolean {
  const { bodies } = journal.erasures;
  const { pages } = journal.retries;
  const kept = new Map<string, (said: Tombstone) => boolean>();
  return ({ erasure: { page_id, feed, feed_seq, target_seq }, said }) => {
    if (page_id !== null && pages.wasRefused(page_id, feed_seq)) return true;
    const copies = target_seq === null ? [] : bodies.places.copiesOf(target_seq);
    const isRefusedCopy = copies.some(({ pageId, place }) => {
      const page = bodies.places.page(pageId);
      return page !== undefined && pages.wasRefused(pageId, page.after_seq + 1 + place);
    });
    const isKept = kept.get(feed) ?? bodies.keptFromRelays(author, feed);
    kept.set(feed, isKept);
    return isRefusedCopy || isKept(said);
  };
}

function pending(journal: Journal, signer: LogSigner, author: string, to: string): PendingErasures {
  if (author === journal.identity.nodeId) return { acks: [], steps: [] };
  const signed = untold(journal, author, to).map(({ erasure, said }) => {
    const { feed, feed_seq: feedSeq, at_us } = erasure;
    const erasedAt = new Date(Math.floor(at_us / 1000)).toISOString();
    const ack = signErasureAck({ author, feed, feedSeq, leafHash: said.leaf_hash, erasedAt }, signer);
    return { ack, step: erasure.step_id };
  });
  return { acks: signed.map(({ ack }) => ack), steps: signed.map(({ step }) => step) };
}

function told(
  journal: Journal,
  { author, to }: { readonly author: string; readonly to: string },
  steps: readonly number[],
  nowMs: number,
): void {
  const { records } = journal.erasures;
  const taken = steps.flatMap((id) => records.step(id) ?? []).filter(({ node_id }) => node_id === author);
  journal.durably(() => {
    for (const erasure of taken) records.told(erasure, to, nowMs * 1000);
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
  const log = declaredLogOf(journal, peer);
  if (log === null) return 0;
  const save = (note: string): void => {
    const ack = log.keys.map((key) => openErasureAck(note, { origin: log.origin, key })).find(({ ok }) => ok);
    if (ack?.ok !== true || ack.value.author !== journal.identity.nodeId) return;
    const { feed, feedSeq, leafHash } = ack.value;
    const target = acks.targetAt(feed, feedSeq);
    if (target === undefined || hashText(target.leaf_hash) !== leafHash) return;
    const tombstoneSeq = journal.erasures.records.ofTarget(target.chain_seq)?.tombstone_seq ?? null;
    // What a peer was never given it cannot have erased; and one word of it is enough.
    if (tombstoneSeq === null || ledger.ofFact(peer, feed, feedSeq).length === 0) return;
    acks.save(peer, tombstoneSeq, note, nowMs * 1000);
  };
  // A peer that has changed its key is greeted before its word can be read: until then it comes again.
  const unread = notes.findIndex((note) => log.keys.every((key) => isOfOtherKey(note, log.origin, key)));
  const readable = unread === -1 ? notes : notes.slice(0, unread);
  journal.durably(() => readable.forEach(save));
  return readable.length;
}

function isOfOtherKey(note: string, origin: string, key: Uint8Array): boolean {
  const ack = openErasureAck(note, { origin, key });
  return !ack.ok && ack.error === 'ack_signature_invalid';
}
