/** How erasures stand, as operators read it. */
import { isoMicros } from '../core/time.ts';
import { factDigest } from '../core/tombstone.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { hashText } from './entry-row.ts';
import { ErasureAcks } from './erasure-acks.ts';
import { type Erasure, ErasureRecords } from './erasure-records.ts';
import { isAckOf, KnownLogKeys } from './known-log-keys.ts';
import { ReceiptRecords } from './receipt-records.ts';
import { RelayedAcks, type StoredRelayedAck } from './relayed-acks.ts';

/** Verifier keys of logs that peer files name, by node. */
export type NamedKeys = Readonly<Record<string, string>>;

/** A peer that was given the fact. */
export interface ToldPeer {
  readonly peer: string;
  readonly given_at: string;
  /** It has acknowledged the page that the tombstone is in. */
  readonly told: boolean;
  /** When it says to have erased it; null: it has not said so. */
  readonly erased_at: string | null;
  /** As the peer signed it. */
  readonly note: string | null;
}

/** A node to which a relay has passed the fact on, as far as it has said that it has erased it. */
export interface RelayedPeer {
  readonly peer: string;
  /** Who brought its word; null: it did. */
  readonly relay: string | null;
  readonly erased_at: string;
  /** As the peer signed it, by the key in its declaration. */
  readonly note: string;
  readonly declaration: string;
}

export interface ErasureView {
  /** Cursor of a list. */
  readonly id: number;
  /** Digest of the fact's id. */
  readonly fact: string;
  readonly state: string;
  readonly author: string;
  readonly feed: string;
  readonly feed_seq: number;
  readonly seq: number | null;
  readonly tombstone_seq: number | null;
  readonly since: string;
  /** When the next step is taken; null: by an operator only, or never. */
  readonly due_at: string | null;
  readonly actor: string | null;
  readonly reason: string | null;
}

export interface ErasureStatus extends ErasureView {
  readonly steps: readonly {
    readonly step: string;
    readonly at: string;
    readonly actor: string | null;
    readonly reason: string | null;
  }[];
  readonly peers: readonly ToldPeer[];
  /** Own facts: nodes that had it by a relay. */
  readonly relayed: readonly RelayedPeer[];
}

export class ErasureViews {
  readonly #records: ErasureRecords;
  readonly #acks: ErasureAcks;
  readonly #receipts: ReceiptRecords;
  readonly #given: Statement<[string, number, number], { peer: string; sent_us: number }>;
  readonly #relayed: RelayedAcks;
  readonly #keys: KnownLogKeys;

  constructor(db: Db) {
    this.#records = new ErasureRecords(db);
    this.#acks = new ErasureAcks(db);
    this.#receipts = new ReceiptRecords(db);
    this.#given = prepare(
      db,
      sqlBuilder
        .selectFrom('disclosures')
        .select((q) => ['peer', q.fn.min('sent_us').as('sent_us')])
        .where('feed', '=', PARAM)
        .where('after_seq', '<', PARAM)
        .where('to_seq', '>=', PARAM)
        .groupBy('peer')
        .orderBy('peer'),
    );
    this.#relayed = new RelayedAcks(db);
    this.#keys = new KnownLogKeys(db);
  }

  /** Newest first, from below `before`. */
  list(before: number, limit: number): readonly ErasureView[] {
    return this.#records.list(before, limit).map(viewOf);
  }

  /** @param fact id of the fact, or its digest (`sha256:…`) */
  status(fact: string, named: NamedKeys = {}): ErasureStatus | null {
    const erasure = this.#find(fact);
    if (erasure === undefined) return null;
    const steps = this.#records.steps(erasure).map(({ step, at_us, actor, reason }) => ({
      step,
      at: isoMicros(at_us),
      actor,
      reason,
    }));
    const asked = this.#records.steps(erasure).find(({ actor }) => actor !== null);
    const view = viewOf(erasure);
    return {
      ...view,
      actor: view.actor ?? asked?.actor ?? null,
      reason: view.reason ?? asked?.reason ?? null,
      steps,
      ...this.#wordsOf(erasure, named),
    };
  }

  #find(fact: string): Erasure | undefined {
    const seq = /^entry:([1-9][0-9]{0,15})$/.exec(fact)?.[1];
    if (seq !== undefined) return this.#records.ofTarget(Number(seq));
    const digest = fact.startsWith('sha256:') ? Buffer.from(fact.slice(7), 'hex') : factDigest(fact);
    const found = this.#records.byDigest(digest);
    return found.find(({ target_seq }) => target_seq !== null) ?? found[0];
  }

  /** Of a node whose keys are known only what they have signed counts; of another one each relay's word is shown as that. */
  #wordsOf(erasure: Erasure, named: NamedKeys): Pick<ErasureStatus, 'peers' | 'relayed'> {
    const acks = erasure.tombstone_seq === null ? [] : this.#relayed.of(erasure.tombstone_seq);
    const known = new Map(acks.map(({ peer }) => [peer, this.#keys.of(peer, named[peer])] as const));
    const isUnknown = ({ peer }: StoredRelayedAck): boolean => known.get(peer)?.length === 0;
    // At a relay the signer itself gave it, by the key that was pinned then.
    const own = acks.filter(({ peer, relay, note }) => relay === null || isAckOf(note, known.get(peer) ?? []));
    const brought = own.filter(({ relay, peer }, i) => relay !== null && own.findIndex((o) => o.peer === peer) === i);
    return {
      peers: this.#peersOf(erasure, own),
      relayed: acks
        .filter((ack) => ack.relay !== null && (isUnknown(ack) || brought.includes(ack)))
        .map(({ peer, relay, note, declaration }) => ({ peer, relay, erased_at: timeIn(note), note, declaration })),
    };
  }

  #peersOf({ target_seq, tombstone_seq }: Erasure, relayed: readonly StoredRelayedAck[]): ToldPeer[] {
    const target = target_seq === null ? undefined : this.#relayed.placeOf(target_seq);
    if (target === undefined) return [];
    const { feed, feed_seq } = target;
    const place = tombstone_seq === null ? undefined : this.#relayed.placeOf(tombstone_seq)?.feed_seq;
    const acks = tombstone_seq === null ? [] : [...this.#acks.of(tombstone_seq), ...relayed];
    return this.#given.all(feed, feed_seq, feed_seq).map(({ peer, sent_us }) => {
      const ack = acks.find((one) => one.peer === peer);
      return {
        peer,
        given_at: isoMicros(sent_us),
        told: place !== undefined && this.#receipts.acknowledgedTo(peer, feed) >= place,
        erased_at: ack === undefined ? null : timeIn(ack.note),
        note: ack?.note ?? null,
      };
    });
  }
}

function timeIn(ack: string): string {
  return ack.split('\n')[6] ?? '';
}

function viewOf(erasure: Erasure): ErasureView {
  const { step_id, fact, step, node_id, feed, feed_seq, target_seq, tombstone_seq, at_us, due_us } = erasure;
  return {
    id: step_id,
    fact: hashText(fact),
    state: step,
    author: node_id,
    feed,
    feed_seq,
    seq: target_seq,
    tombstone_seq,
    since: isoMicros(at_us),
    due_at: due_us === null ? null : isoMicros(due_us),
    actor: erasure.actor,
    reason: erasure.reason,
  };
}
