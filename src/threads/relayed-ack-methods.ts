/** Acknowledgements of erasures over a relay, as the journal's thread takes and gives them. */
import { parseFeed } from '../core/scope.ts';
import { decodeTombstone } from '../core/tombstone.ts';
import type { AuditReader } from '../journal/audit-reader.ts';
import { DisclosureRecords } from '../journal/disclosure-records.ts';
import { hashText } from '../journal/entry-row.ts';
import { ErasureAcks } from '../journal/erasure-acks.ts';
import type { Journal } from '../journal/journal.ts';
import { RelayedAcks } from '../journal/relayed-acks.ts';
import type { AckTold, PendingAck } from '../pull/send-relayed-acks.ts';
import { logKeysOf, openOwnDeclaration } from '../verify/declared-log-key.ts';
import type { Declaration } from '../wire/declaration.ts';
import { type ErasureAck, openErasureAck } from '../wire/erasure-ack.ts';
import { RELAYED_FEED } from '../wire/relay-permit.ts';
import { fitRelayedAcks, MAX_RELAYED_ACKS, type RelayedAck } from '../wire/relayed-ack.ts';

export interface RelayedAckMethods {
  /**
   * Acknowledgements for a peer, as many as one request holds.
   *
   * @param feeds that are taken from the peer
   */
  pendingRelayedAcks(peer: string, feeds: readonly string[]): readonly PendingAck[];
  relayedAcksTold(peer: string, told: readonly AckTold[], nowMs: number): void;
  takeRelayedAcks(peer: string, acks: readonly RelayedAck[], nowMs: number): TakenAcks;
}

export interface TakenAcks {
  /** How many, from the first on, need not come again: none while the peer's key is not known, and none from the first of its own on that another key has signed. */
  readonly taken: number;
  /** Whom something has to be passed on to. */
  readonly authors: readonly string[];
}

/** What erasure methods give of our own acknowledgements. */
export interface OwnAcks {
  pendingErasures(
    author: string,
    relay: string,
  ): { readonly acks: readonly string[]; readonly steps: readonly number[] };
  erasuresTold(author: string, steps: readonly number[], nowMs: number, relay: string): void;
}

export function relayedAckMethods(journal: Journal, audit: AuditReader, own: OwnAcks): RelayedAckMethods {
  const desk = new AckDesk(journal, audit);
  return {
    pendingRelayedAcks(peer, feeds) {
      const mine = authorsOf(feeds).flatMap((author) => {
        const { acks, steps } = own.pendingErasures(author, peer);
        return acks.map((note, i): PendingAck => {
          return { declaration: null, note, told: { kind: 'own', author, step: steps[i] ?? 0 } };
        });
      });
      return fitRelayedAcks([...mine, ...desk.passing(peer)]);
    },
    relayedAcksTold(peer, told, nowMs) {
      for (const [author, all] of Map.groupBy(told, (one) => (one.kind === 'own' ? one.author : '')))
        if (author !== '')
          own.erasuresTold(
            author,
            all.flatMap((one) => (one.kind === 'own' ? one.step : [])),
            nowMs,
            peer,
          );
      desk.passed(peer, Math.max(0, ...told.map((one) => (one.kind === 'passed' ? one.ackId : 0))));
    },
    takeRelayedAcks: (peer, acks, nowMs) => desk.take(peer, acks, nowMs),
  };
}

class AckDesk {
  readonly #journal: Journal;
  readonly #audit: AuditReader;
  readonly #acks: RelayedAcks;
  readonly #given: ErasureAcks;
  readonly #ledger: DisclosureRecords;

  constructor(journal: Journal, audit: AuditReader) {
    this.#journal = journal;
    this.#audit = audit;
    this.#acks = new RelayedAcks(journal.db);
    this.#given = new ErasureAcks(journal.db);
    this.#ledger = new DisclosureRecords(journal.db);
  }

  passing(author: string): readonly PendingAck[] {
    return this.#acks.passing(author, MAX_RELAYED_ACKS).map(({ ack_id, declaration, note }) => {
      return { declaration, note, told: { kind: 'passed', ackId: ack_id } };
    });
  }

  passed(author: string, ackId: number): void {
    if (ackId > 0) this.#journal.durably(() => this.#acks.passed(author, ackId));
  }

  take(peer: string, acks: readonly RelayedAck[], nowMs: number): TakenAcks {
    const pinned = this.#journal.peers.declaration(peer);
    const declared = pinned === null ? null : openOwnDeclaration(pinned);
    if (pinned === null || declared === null) return { taken: 0, authors: [] };
    // A peer that has changed its key is greeted before its own word can be read, and passed on with the new declaration.
    const unread = acks.findIndex(({ declaration, note }) => declaration === null && isOfOtherKey(note, declared));
    const readable = unread === -1 ? acks : acks.slice(0, unread);
    const authors = new Set<string>();
    this.#journal.durably(() => {
      for (const { declaration, note } of readable) {
        const author = declaration === null ? this.#takeFromSigner(peer, pinned, note, nowMs) : null;
        if (declaration !== null) this.#takeFromRelay(peer, declaration, note, nowMs);
        if (author !== null) authors.add(author);
      }
    });
    return { taken: readable.length, authors: [...authors] };
  }

  /** At the relay: of a fact that it gave to the signer, and whose author has written the tombstone. @returns that author */
  #takeFromSigner(peer: string, declaration: string, note: string, nowMs: number): string | null {
    const ack = opened(note, openOwnDeclaration(declaration));
    const { bodies } = this.#journal.erasures;
    if (ack === null || ack.author === this.#journal.identity.nodeId || ack.feed !== RELAYED_FEED) return null;
    const page = bodies.places.pageOf(ack.author, ack.feed, ack.feedSeq);
    const step = page === undefined ? null : this.#acks.stepIn(page.page_id, ack.feedSeq);
    const said = step === null ? null : decodeTombstone(bodies.row(step.tombstoneSeq)?.value_v ?? '');
    const place = step === null ? undefined : this.#acks.placeOf(step.targetSeq);
    if (step === null || place === undefined || said?.leaf_hash !== ack.leafHash) return null;
    if (this.#ledger.ofFact(peer, place.feed, place.feed_seq).length === 0) return null;
    this.#save({ peer, relay: null, declaration, note }, step.tombstoneSeq, nowMs);
    return ack.author;
  }

  /**
   * At the author: of a fact that it gave to the relay, which it had permitted to pass it on. Whether the key is the signer's is asked
   * when it is read: a succession may be heard of later.
   */
  #takeFromRelay(relay: string, declaration: string, note: string, nowMs: number): void {
    const declared = openOwnDeclaration(declaration);
    const ack = opened(note, declared);
    const { nodeId } = this.#journal.identity;
    if (ack === null || declared === null || [relay, nodeId].includes(declared.node_id)) return;
    if (ack.author !== nodeId || ack.feed !== RELAYED_FEED) return;
    const target = this.#given.targetAt(ack.feed, ack.feedSeq);
    if (target === undefined || hashText(target.leaf_hash) !== ack.leafHash) return;
    const tombstoneSeq = this.#journal.erasures.records.ofTarget(target.chain_seq)?.tombstone_seq ?? null;
    if (tombstoneSeq === null || !this.#mayHaveRelayed(relay, ack.feedSeq)) return;
    this.#save({ peer: declared.node_id, relay, declaration, note }, tombstoneSeq, nowMs);
  }

  /** It had a permit when it was given the fact, or later. */
  #mayHaveRelayed(relay: string, feedSeq: number): boolean {
    const [given] = this.#ledger.ofFact(relay, RELAYED_FEED, feedSeq);
    const query = { event: 'relay_permit_given', peer: relay, order: 'desc', limit: 1 } as const;
    const until = this.#audit.page(query).records[0]?.detail['not_after'];
    return given !== undefined && typeof until === 'string' && Date.parse(until) > Date.parse(given.sent_at);
  }

  #save(
    ack: { readonly peer: string; readonly relay: string | null; readonly declaration: string; readonly note: string },
    tombstoneSeq: number,
    nowMs: number,
  ): void {
    this.#acks.save({ ...ack, tombstone_seq: tombstoneSeq, received_us: nowMs * 1000 });
  }
}

/** Of the feeds that a peer relays. */
function authorsOf(feeds: readonly string[]): readonly string[] {
  return feeds.flatMap((feed) => {
    const parsed = parseFeed(feed);
    return parsed.ok && parsed.value.kind === 'received' ? [`stigmem://${parsed.value.authority}`] : [];
  });
}

function isOfOtherKey(note: string, declaration: Declaration): boolean {
  const origin = declaration.journal_origin;
  return logKeysOf(declaration, origin).every((key) => {
    const ack = openErasureAck(note, { origin, key });
    return !ack.ok && ack.error === 'ack_signature_invalid';
  });
}

function opened(note: string, declaration: Declaration | null): ErasureAck | null {
  if (declaration === null) return null;
  const origin = declaration.journal_origin;
  const tried = logKeysOf(declaration, origin).map((key) => openErasureAck(note, { origin, key }));
  const ack = tried.find(({ ok }) => ok);
  return ack?.ok === true ? ack.value : null;
}
