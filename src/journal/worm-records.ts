/**
 * Records as a store that cannot forget may have them. Of an entry: what an erasure leaves of its row, and the digest of its
 * id that a tombstone names. No body, no salt, no hash over a body without a salt: what is erased here later has nothing to be
 * erased there. Audit records go whole, with their salts: an erasure does not reach them here either.
 */
import { canonicalJson } from '../core/canonical-json.ts';
import { encodeEntry } from '../core/entry.ts';
import { isoMicros } from '../core/time.ts';
import { factDigest } from '../core/tombstone.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { commitment, leafData, SALT_BYTES } from '../merkle/commitment.ts';
import { EMPTY_ROOT, leafHash, sameHash } from '../merkle/hash.ts';
import { rootAt } from '../merkle/tiles.ts';
import type { WormEnds, WormStream } from '../wire/worm-manifest.ts';
import { AnchorRecords } from './anchor-records.ts';
import { type Db, lastKey, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { entryOf, hashText } from './entry-row.ts';
import { erasedLeafData, isErased } from './erased-row.ts';
import { LeafMismatchError, prepareEntries } from './published-log.ts';
import { StoredTiles } from './stored-tiles.ts';
import type { LogName, Tables } from './tables.ts';
import type { EntryRow } from './tables-logs.ts';

/** Records of one stream that follow each other, a line each. */
export interface WormBatch {
  readonly text: string;
  readonly last: number;
}

interface Line {
  readonly seq: number;
  readonly text: string;
}

/** Rows of one look into the tables: readers wait for some 20 ms. */
const ROWS = 500;

export class WormRecords {
  readonly #db: Db;
  readonly #lines: Readonly<Record<WormStream, (first: number, last: number) => readonly Line[]>>;
  readonly #times: Readonly<Record<WormStream, (seq: number) => number | null>>;

  constructor(db: Db) {
    this.#db = db;
    this.#lines = {
      journal: entryLines(db),
      audit: auditLines(db),
      anchors: anchorLines(db),
      receipts: receiptLines(db),
    };
    this.#times = {
      journal: timeOf(db, 'entries', 'chain_seq', 'created_us'),
      audit: timeOf(db, 'audit', 'seq', 'at'),
      anchors: timeOf(db, 'anchor_checkpoints', 'anchor_id', 'created_us'),
      receipts: timeOf(db, 'anchor_receipts', 'receipt_id', 'submitted_us'),
    };
  }

  /** The last record of each stream. */
  ends(): WormEnds {
    return {
      anchors: lastKey(this.#db, 'anchor_checkpoints', 'anchor_id'),
      audit: lastKey(this.#db, 'audit', 'seq'),
      journal: lastKey(this.#db, 'entries', 'chain_seq'),
      receipts: lastKey(this.#db, 'anchor_receipts', 'receipt_id'),
    };
  }

  /**
   * Some records behind `after`, up to `end` at most.
   *
   * @throws LeafMismatchError for a row that does not give its leaf: it is not shipped
   */
  read(stream: WormStream, after: number, end: number): WormBatch {
    const last = Math.min(end, after + ROWS);
    const lines = this.#lines[stream](after + 1, last);
    const isWhole = lines.length === last - after && lines.every(({ seq }, i) => seq === after + 1 + i);
    if (!isWhole) throw new LeafMismatchError(stream === 'audit' ? 'audit' : 'journal', after + 1);
    return { text: lines.map(({ text }) => `${text}\n`).join(''), last };
  }

  /** When a record was written, Unix ms; null: there is none. */
  writtenAt(stream: WormStream, seq: number): number | null {
    return this.#times[stream](seq);
  }

  /** Root over the first `size` records, base64. @throws JournalError `broken` */
  root(log: LogName, size: number): string {
    return encodeBase64(size === 0 ? EMPTY_ROOT : rootAt(size, new StoredTiles(this.#db, log)));
  }
}

function entryLines(db: Db): (first: number, last: number) => readonly Line[] {
  const rows = prepareEntries(db);
  const feeds = prepare<[number], string>(
    db,
    sqlBuilder.selectFrom('feeds').select('name').where('feed_id', '=', PARAM),
  ).pluck() as Statement<[number], string>;
  return (first, last) =>
    rows.all(first, last).map((row) => ({ seq: row.chain_seq, text: entryLine(row, feeds.get(row.feed_id) ?? '') }));
}

function entryLine(row: EntryRow, feed: string): string {
  const data = isErased(row) ? erasedLeafData(row) : saltedData(row.salt, encodeEntry(entryOf(row)));
  if (data === undefined || !sameHash(leafHash(data), row.leaf_hash))
    throw new LeafMismatchError('journal', row.chain_seq);
  const origin =
    row.origin_node_id === null || row.origin_leaf_hash === null
      ? null
      : {
          chain_seq: row.origin_chain_seq ?? 0,
          leaf_hash: encodeBase64(row.origin_leaf_hash),
          node_id: row.origin_node_id,
        };
  return canonicalJson({
    at: isoMicros(row.created_us),
    commitment: encodeBase64(data),
    fact: isErased(row) ? null : hashText(factDigest(row.fact_id)),
    feed,
    feed_seq: row.feed_seq,
    origin,
    received_from: row.received_from,
    seq: row.chain_seq,
  });
}

function saltedData(salt: Uint8Array, text: string | Uint8Array): Buffer | undefined {
  return salt.length === SALT_BYTES ? leafData(commitment(salt, text)) : undefined;
}

function auditLines(db: Db): (first: number, last: number) => readonly Line[] {
  const rows = prepare<[number, number], Pick<Tables['audit'], 'seq' | 'body' | 'salt' | 'leaf_hash'>>(
    db,
    sqlBuilder
      .selectFrom('audit')
      .select(['seq', 'body', 'salt', 'leaf_hash'])
      .where('seq', '>=', PARAM)
      .where('seq', '<=', PARAM)
      .orderBy('seq'),
  );
  return (first, last) =>
    rows.all(first, last).map(({ seq, body, salt, leaf_hash }) => {
      const data = saltedData(salt, body);
      if (data === undefined || !sameHash(leafHash(data), leaf_hash)) throw new LeafMismatchError('audit', seq);
      return { seq, text: canonicalJson({ body, salt: encodeBase64(salt), seq }) };
    });
}

function anchorLines(db: Db): (first: number, last: number) => readonly Line[] {
  const anchors = new AnchorRecords(db);
  return (first, last) =>
    range(first, last).flatMap((id) => {
      const anchor = anchors.byId(id);
      if (anchor === null) return [];
      const { log, note, createdUs } = anchor;
      return [{ seq: id, text: canonicalJson({ at: isoMicros(createdUs), log, note, seq: id }) }];
    });
}

/** As the transparency logs gave them, without the trust root: whoever verifies them has one of her own. */
function receiptLines(db: Db): (first: number, last: number) => readonly Line[] {
  const rows = prepare<[number, number], Tables['anchor_receipts']>(
    db,
    sqlBuilder
      .selectFrom('anchor_receipts')
      .selectAll()
      .where('receipt_id', '>=', PARAM)
      .where('receipt_id', '<=', PARAM)
      .orderBy('receipt_id'),
  );
  return (first, last) =>
    rows.all(first, last).map((row) => ({
      seq: row.receipt_id,
      text: canonicalJson({
        anchor: row.anchor_id,
        at: isoMicros(row.submitted_us),
        backend: row.backend,
        entry: row.entry,
        integrated_time: row.integrated_time,
        leaf_hash: row.leaf_hash,
        log_id: row.log_id,
        log_index: row.log_index,
        seq: row.receipt_id,
      }),
    }));
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}

type TimedTable = 'entries' | 'audit' | 'anchor_checkpoints' | 'anchor_receipts';

/** Times are µs, or ISO texts in the audit log. */
function timeOf(db: Db, table: TimedTable, key: string, column: string): (seq: number) => number | null {
  const query = sqlBuilder
    .selectFrom(table as 'audit')
    .select(column as 'at')
    .where(key as 'seq', '=', PARAM);
  const statement = prepare<[number]>(db, query).pluck() as Statement<[number], number | string>;
  return (seq) => {
    const found = statement.get(seq);
    if (found === undefined) return null;
    return typeof found === 'string' ? Date.parse(found) : found / 1000;
  };
}
