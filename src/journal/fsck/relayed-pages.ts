/** Pages of a relay: that each entry which was taken from one is proved by what its origin has signed. */
import { decodeEntry, type Entry } from '../../core/entry.ts';
import { encodeBase64 } from '../../merkle/base64.ts';
import { type OriginHead, proveOrigins } from '../../verify/relay-rules.ts';
import type { DecodedPage } from '../../wire/page.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import type { Tables } from '../tables.ts';
import type { EntryRow } from '../tables-logs.ts';
import type { Fault } from './context.ts';
import { originOf, readCheckpoint } from './notes.ts';
import type { PeerLogs } from './peer-logs.ts';

export type StoredOrigin = Pick<
  EntryRow,
  'chain_seq' | 'received_from' | 'origin_node_id' | 'origin_chain_seq' | 'origin_leaf_hash'
>;

type Run = Pick<Tables['page_places'], 'first_seq' | 'entries'>;

export class RelayedPages {
  readonly #logs: PeerLogs;
  /** Runs of entries that a page has brought: when it came, and when what it had brought was judged again. */
  readonly #places: readonly Statement<[number], Run>[];
  #runs: readonly Run[] = [];
  /** By `chain_seq`: a relay may give one fact at two places, and the journal took it from the first of them. */
  readonly #taken = new Map<number, { readonly entry: Entry; readonly place: number }>();
  /** Of lines without a body, by their place. */
  readonly #blanked = new Map<number, Entry['origin']>();

  /** @param hasRetries whether the file is of a version that judges pages again */
  constructor(db: Db, logs: PeerLogs, hasRetries: boolean) {
    this.#logs = logs;
    const tables = hasRetries ? (['page_places', 'page_retries'] as const) : (['page_places'] as const);
    this.#places = tables.map((table) =>
      prepare(db, sqlBuilder.selectFrom(table).select(['first_seq', 'entries']).where('page_id', '=', PARAM)),
    );
  }

  begin(pageId: number): void {
    this.#runs = this.#places.flatMap((place) => place.all(pageId));
    this.#taken.clear();
    this.#blanked.clear();
  }

  /** @param origin the leaf that a tombstone names: what the entry itself said of it is gone */
  blanked(origin: Entry['origin'], place: number): void {
    this.#blanked.set(place, origin);
  }

  /** Whether the journal took the entry out of this page, and not out of another one that said the same. */
  isTaken(entry: Entry, place: number, row: StoredOrigin): boolean {
    const isWithin = this.#runs.some(
      ({ first_seq, entries }) => row.chain_seq >= first_seq && row.chain_seq < first_seq + entries,
    );
    const { origin } = entry;
    const isSame =
      origin !== null &&
      row.origin_node_id === origin.node_id &&
      row.origin_chain_seq === origin.chain_seq &&
      encodeBase64(row.origin_leaf_hash ?? new Uint8Array(0)) === origin.leaf_hash;
    if (!isWithin || !isSame || this.#taken.has(row.chain_seq)) return false;
    this.#taken.set(row.chain_seq, { entry, place });
    return true;
  }

  /** How long an origin's keys were good is judged once, when the page comes: declarations do not say it of former ones. */
  finish({ header, entries }: DecodedPage, receivedUs: number): Fault | undefined {
    const { origins } = header;
    const taken = [...this.#taken.values()];
    const nodeId = taken[0]?.entry.origin?.node_id;
    if (origins === null || nodeId === undefined) return undefined;
    const named = entries.map((bytes, place) => {
      const entry = decodeEntry(bytes);
      return entry.ok ? entry.value.origin : (this.#blanked.get(place) ?? null);
    });
    const faultOf = proveOrigins(origins, named, nodeId, (note) => this.#head(nodeId, note, receivedUs));
    for (const { entry, place } of taken) {
      const fault = faultOf(entry, place);
      if (fault === null) continue;
      const detail = `entry ${entry.feed_seq} of the feed is not shown to be one of ${nodeId}: ${fault.field}`;
      return { code: 'origin_proof_invalid', field: 'header', detail };
    }
    return undefined;
  }

  #head(nodeId: string, note: string, receivedUs: number): OriginHead | null {
    const log = this.#logs.logOf(nodeId, originOf(note, 0));
    if (log === undefined) return null;
    const opened = readCheckpoint(note, log);
    const isUnknown = !opened.ok && this.#logs.isBeforeAnyKey(nodeId, receivedUs);
    const read = isUnknown ? readCheckpoint(note, { ...log, keys: [] }) : opened;
    return read.ok ? { size: read.value.size, root: read.value.root, keyEndsMs: null } : null;
  }
}
