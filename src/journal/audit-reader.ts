/** Reads the audit log by sequence, with filters that combine. A page never skips or repeats a row while new ones arrive. */
import { atLeast } from '../core/severity.ts';
import { sameHash } from '../merkle/hash.ts';
import { recordHash } from './audit-log.ts';
import { type Db, PARAM, prepare, prepareLastKey, type Statement, sqlBuilder } from './database.ts';
import { JournalError } from './errors.ts';
import { EvidenceStore } from './evidence-store.ts';
import { LeafMismatchError } from './published-log.ts';
import {
  type AuditDetail,
  type AuditFilter,
  type AuditPage,
  type AuditRecord,
  type PeerProgress,
  UNREADABLE_RECORD,
} from './read-model.ts';
import { leafOf } from './row-check.ts';
import { StoredTiles } from './stored-tiles.ts';
import type { AuditRow } from './tables-logs.ts';

const MAX_CLOSURE_RECORDS = 256;

type StoredRecord = Pick<AuditRow, 'seq' | 'body' | 'salt' | 'leaf_hash'>;
export type RecordLine = Pick<AuditRow, 'seq' | 'body'>;

export class AuditReader {
  readonly #db: Db;
  readonly #evidence: EvidenceStore;
  readonly #tiles: StoredTiles;
  readonly #bySeq: Statement<[number], StoredRecord>;
  readonly #lines: Statement<[after: number, limit: number], StoredRecord>;
  readonly #newestOf: Statement<[peer: string, event: string, limit: number], RecordLine>;
  readonly #newestSeq: () => number;
  readonly #added: Statement<[event: string], { readonly peer: string }>;

  constructor(db: Db) {
    this.#db = db;
    this.#evidence = new EvidenceStore(db);
    this.#tiles = new StoredTiles(db, 'audit');
    this.#bySeq = prepare(
      db,
      sqlBuilder.selectFrom('audit').select(['seq', 'body', 'salt', 'leaf_hash']).where('seq', '=', PARAM),
    );
    this.#lines = prepare(
      db,
      sqlBuilder
        .selectFrom('audit')
        .select(['seq', 'body', 'salt', 'leaf_hash'])
        .where('seq', '>', PARAM)
        .orderBy('seq')
        .limit(PARAM),
    );
    this.#newestOf = prepare(db, newestOf);
    const named = sqlBuilder.selectFrom('audit').select('peer').distinct().$castTo<{ readonly peer: string }>();
    this.#added = prepare(db, named.where('event', '=', PARAM).where('peer', 'is not', null));
    this.#newestSeq = prepareLastKey(db, 'audit', 'seq');
  }

  page(filter: AuditFilter): AuditPage {
    const edge = this.#edge(filter);
    const { sql, parameters } = auditQuery(filter, edge).compile();
    const bodies = this.#db.prepare<unknown[], RecordLine>(sql).all(...parameters);
    const rows = bodies.slice(0, filter.limit);
    const records = rows.map(recordOf);
    const hasMore = bodies.length > filter.limit;
    if (!hasMore && edge !== null) return { records, cursor: edge, hasMore: true };
    return { records, cursor: rows.at(-1)?.seq ?? filter.cursor ?? null, hasMore };
  }

  /** The last sequence that one page looks at; null: to the end. */
  #edge(filter: AuditFilter): number | null {
    const { cursor, looksAt, order } = filter;
    if (looksAt === undefined || isLedTo(filter)) return null;
    const newest = this.#newestSeq();
    const edge = order === 'asc' ? (cursor ?? 0) + looksAt : Math.min(cursor ?? newest + 1, newest + 1) - looksAt;
    return edge > 1 && edge < newest ? edge : null;
  }

  /**
   * Records behind a sequence, up to a number and so many bytes; the first one whatever its size. What leaves the node is
   * what was recorded: they end before one that is gone or does not give its leaf.
   *
   * @throws LeafMismatchError; JournalError `broken`: the first one is gone
   */
  lines(after: number, limit: number, maxBytes: number): readonly RecordLine[] {
    const found: RecordLine[] = [];
    let room = maxBytes;
    for (const line of this.#lines.iterate(after, limit)) {
      const { seq, body } = line;
      const fault = faultOf(line, after + found.length + 1);
      if (fault !== null && found.length === 0) throw fault;
      room -= Buffer.byteLength(body);
      if (fault !== null || (room < 0 && found.length > 0)) break;
      found.push({ seq, body });
    }
    return found;
  }

  record(seq: number): AuditRecord | null {
    const row = this.#bySeq.get(seq);
    return row === undefined ? null : recordOf(row);
  }

  /** Text of a record's evidence; null: it has none, or not what it had. */
  evidenceOf(seq: number): string | null {
    const id = this.record(seq)?.evidence ?? null;
    return id === null ? null : (this.#evidence.read(id) ?? null);
  }

  detail(seq: number): AuditDetail | null {
    const row = this.#bySeq.get(seq);
    if (row === undefined) return null;
    const record = recordOf(row);
    const text = record.evidence === null ? null : this.#evidence.read(record.evidence);
    return {
      record,
      evidence: text === null || text === undefined ? null : JSON.parse(text),
      intact: this.#isIntact(row, record) && text !== undefined,
    };
  }

  /** What is recorded of the file of a peer last; null: none was added, or it was removed since. */
  peerFile(peer: string): AuditRecord['detail'] | null {
    const [added] = this.#newest(peer, 'peer_added', 1);
    if (added === undefined || added.seq < this.#lastOf(peer, 'peer_removed')) return null;
    const [changed] = this.#newest(peer, 'peer_changed', 1);
    return changed === undefined || changed.seq < added.seq ? added.detail : changed.detail;
  }

  /** Peers whose files were added and not removed since. */
  addedPeers(): readonly string[] {
    return this.#added.all('peer_added').flatMap(({ peer }) => (this.peerFile(peer) === null ? [] : [peer]));
  }

  /** Why a peer is suspended; null if it is not. The newest of suspension and resumption decides. */
  suspension(peer: string): PeerProgress['suspended'] {
    const suspended = this.#newest(peer, 'peer_suspended', 1)[0];
    if (suspended === undefined || suspended.seq < this.#lastOf(peer, 'peer_resumed')) return null;
    return { reason: suspended.reason ?? 'operator', since: suspended.at, auditSeq: suspended.seq };
  }

  /** The newest closure of each feed that a peer has closed to us: of the last {@link MAX_CLOSURE_RECORDS} records. */
  closures(peer: string): PeerProgress['closed'] {
    const newest = new Map<string, PeerProgress['closed'][number]>();
    for (const { feed, detail } of this.#newest(peer, 'feed_closed', MAX_CLOSURE_RECORDS)) {
      const { to, closed_at } = detail;
      if (feed === null || newest.has(feed) || typeof to !== 'number' || typeof closed_at !== 'string') continue;
      newest.set(feed, { feed, to, closed_at });
    }
    return [...newest.values()];
  }

  /** What the newest record of a peer's event says; undefined: there is none. */
  newestDetail(peer: string, event: string): AuditRecord['detail'] | undefined {
    return this.#newest(peer, event, 1)[0]?.detail;
  }

  #lastOf(peer: string, event: string): number {
    return this.#newest(peer, event, 1)[0]?.seq ?? 0;
  }

  #newest(peer: string, event: string, limit: number): AuditRecord[] {
    return this.#newestOf.all(peer, event, limit).map(recordOf);
  }

  #isIntact(row: StoredRecord, record: AuditRecord): boolean {
    const leaf = leafOf(row, row.body);
    const inTree = this.#tiles.fullTileLeaf(row.seq);
    const previous = row.seq === 1 ? undefined : this.#bySeq.get(row.seq - 1);
    return (
      leaf !== undefined &&
      sameHash(leaf, row.leaf_hash) &&
      (inTree === undefined || sameHash(leaf, inTree)) &&
      record.seq === row.seq &&
      record.previous_hash === (previous === undefined ? null : recordHash(previous.body))
    );
  }
}

function faultOf(row: StoredRecord, seq: number): Error | null {
  if (row.seq !== seq)
    return new JournalError(
      'broken',
      `audit record ${seq} is gone, and ${row.seq} is there: run \`stigmem-peerd fsck\``,
    );
  const leaf = leafOf(row, row.body);
  return leaf !== undefined && sameHash(leaf, row.leaf_hash) ? null : new LeafMismatchError('audit', seq);
}

function recordOf(row: RecordLine): AuditRecord {
  try {
    return JSON.parse(row.body) as AuditRecord;
  } catch {
    return { ...UNREADABLE_RECORD, seq: row.seq };
  }
}

/** Asked for at every pull. */
const newestOf = sqlBuilder
  .selectFrom('audit')
  .select(['seq', 'body'])
  .where('peer', '=', PARAM)
  .where('event', '=', PARAM)
  .orderBy('seq', 'desc')
  .limit(PARAM);

/** Whether the next matches are those that an index has next. */
function isLedTo({ peer, event, reason, factId, cid, feed, since, until, minSeverity = 'info' }: AuditFilter): boolean {
  const isBroad = feed !== undefined || since !== undefined || until !== undefined || minSeverity !== 'info';
  return !isBroad && [peer, event, reason, factId, cid].filter((one) => one !== undefined).length <= 1;
}

function auditQuery(filter: AuditFilter, edge: number | null) {
  const { order, cursor } = filter;
  let query = sqlBuilder.selectFrom('audit').select(['seq', 'body']);
  if (filter.peer !== undefined) query = query.where('peer', '=', filter.peer);
  if (filter.event !== undefined) query = query.where('event', '=', filter.event);
  if (filter.reason !== undefined) query = query.where('reason', '=', filter.reason);
  if (filter.minSeverity !== undefined && filter.minSeverity !== 'info') {
    const { events, reasons } = atLeast(filter.minSeverity);
    query = query.where((q) => q.or([q('event', 'in', events), q('reason', 'in', reasons)]));
  }
  if (filter.feed !== undefined) query = query.where('feed', '=', filter.feed);
  if (filter.factId !== undefined) query = query.where('fact_id', '=', filter.factId);
  if (filter.cid !== undefined) query = query.where('cid', '=', filter.cid);
  if (filter.since !== undefined) query = query.where('at', '>=', filter.since);
  if (filter.until !== undefined) query = query.where('at', '<=', filter.until);
  if (cursor !== undefined) query = query.where('seq', order === 'asc' ? '>' : '<', cursor);
  if (edge !== null) query = query.where('seq', order === 'asc' ? '<=' : '>=', edge);
  return query.orderBy('seq', order).limit(filter.limit + 1);
}
