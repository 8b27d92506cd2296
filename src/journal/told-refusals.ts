/** What we have refused of each peer, by feed and reason, and up to which audit record the peer was told. Follows the audit log. */
import { FACT_EVENT } from '../core/verdict.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { AuditRecord } from './read-model.ts';
import { countedIn, SUMMARY_EVENT } from './refusal-summary.ts';

/** All that was refused of one peer in one feed for one reason. */
export interface RefusalGroup {
  readonly feed: string;
  readonly reason: string;
  /** For a page, each attempt. */
  readonly refused: number;
  /** Those of them that were taken after all. May be ahead of `refused`: a summary comes later than what it counts. */
  readonly resolved: number;
  /** Audit record of the newest change. */
  readonly lastSeq: number;
}

/** With the record up to which the peer has taken our word; 0: none. */
export interface ToldGroup extends RefusalGroup {
  readonly toldSeq: number;
}

export const RESOLVED_EVENT = 'refusal_resolved';
const REFUSAL_EVENTS: ReadonlySet<string> = new Set(
  Object.values(FACT_EVENT).filter((event) => event !== 'quarantine_ingest'),
);
/** Audit records that one call reads: the rest is for the next. */
const MAX_RECORDS = 20_000;

type Cells = [string, string, string, number, number, number, number];

export class ToldRefusals {
  readonly #records: Statement<[string, number, number], Found>;
  readonly #start: Statement<[string], number | null>;
  readonly #groups: Statement<[string], ToldGroup>;
  readonly #put: Statement<Cells>;
  readonly #lastPage: Statement<[string, string], number>;
  /** How far the audit log was read since the start, by peer. */
  readonly #marks = new Map<string, number>();
  /** Groups that the peer has taken our word of since the start. */
  readonly #confirmed = new Set<string>();

  constructor(db: Db) {
    this.#records = prepare(db, recordsBehind);
    this.#start = prepare<[string]>(db, lastRead).pluck() as Statement<[string], number | null>;
    this.#groups = prepare(db, groupsOf);
    this.#put = prepare(db, sqlBuilder.replaceInto('told_refusals').values(CELLS));
    this.#lastPage = prepare<[string, string]>(db, newestPage).pluck() as Statement<[string, string], number>;
  }

  /**
   * Takes in what the audit log has more. The caller holds the transaction.
   *
   * @returns how far it was read: for {@link advanced}, once the transaction has come to its end
   */
  advance(peer: string): number {
    const mark = this.#marks.get(peer) ?? this.#start.get(peer) ?? 0;
    const records = this.#records.all(peer, mark, MAX_RECORDS);
    const changed = new Map<string, ToldGroup>();
    for (const record of records) this.#count(peer, record, changed);
    for (const { feed, reason, refused, resolved, lastSeq, toldSeq } of changed.values())
      this.#put.run(peer, feed, reason, refused, resolved, lastSeq, toldSeq);
    return records.at(-1)?.seq ?? mark;
  }

  advanced(peer: string, upTo: number): void {
    this.#marks.set(peer, upTo);
  }

  /** Groups that the peer has to be told of: those that changed, and, once in each run of the node, all that stand. */
  due(peer: string): readonly RefusalGroup[] {
    return this.#groups
      .all(peer)
      .filter(
        ({ feed, reason, refused, resolved, lastSeq, toldSeq }) =>
          lastSeq > toldSeq || (resolved < refused && !this.#confirmed.has(keyOf(peer, feed, reason))),
      );
  }

  /** As far as it was read; null: nothing of that group was. */
  find(peer: string, feed: string, reason: string): ToldGroup | null {
    return this.#groups.all(peer).find((one) => one.feed === feed && one.reason === reason) ?? null;
  }

  /** Groups of which something stands. */
  open(peer: string): readonly RefusalGroup[] {
    return this.#groups.all(peer).filter(({ refused, resolved }) => resolved < refused);
  }

  /** The peer has taken our word as of this audit record. */
  told(peer: string, { feed, reason, lastSeq }: Pick<RefusalGroup, 'feed' | 'reason' | 'lastSeq'>): void {
    const group = this.#groups.all(peer).find((one) => one.feed === feed && one.reason === reason);
    if (group === undefined) return;
    this.#put.run(peer, feed, reason, group.refused, group.resolved, group.lastSeq, Math.max(lastSeq, group.toldSeq));
    this.#confirmed.add(keyOf(peer, feed, reason));
  }

  /** When the newest page of a feed was taken, in µs since 1970; undefined: none was. */
  lastTakenUs(peer: string, feed: string): number | undefined {
    return this.#lastPage.get(peer, feed);
  }

  #count(peer: string, { seq, event, reason, feed, body }: Found, changed: Map<string, ToldGroup>): void {
    const isResolved = event === RESOLVED_EVENT;
    const isSummary = event === SUMMARY_EVENT;
    if (feed === null || reason === null || !(isResolved || isSummary || REFUSAL_EVENTS.has(event))) return;
    const key = keyOf(peer, feed, reason);
    const known = changed.get(key) ?? this.#groups.all(peer).find((one) => one.feed === feed && one.reason === reason);
    const { refused, resolved, toldSeq } = known ?? { refused: 0, resolved: 0, toldSeq: 0 };
    const counts = isResolved
      ? { refused, resolved: resolved + countIn(body) }
      : { refused: refused + (isSummary ? summarizedIn(body) : 1), resolved };
    changed.set(key, { feed, reason, ...counts, lastSeq: seq, toldSeq });
  }
}

interface Found {
  readonly seq: number;
  readonly event: string;
  readonly reason: string | null;
  readonly feed: string | null;
  readonly body: string;
}

function keyOf(peer: string, feed: string, reason: string): string {
  return `${peer}\n${feed}\n${reason}`;
}

/** How many refusals a record resolves. */
function countIn(body: string): number {
  const { count } = detailIn(body);
  return typeof count === 'number' ? count : 1;
}

/** How many refusals a summary stands for that have no record of their own. */
function summarizedIn(body: string): number {
  return countedIn({ detail: detailIn(body) }) ?? 0;
}

function detailIn(body: string): AuditRecord['detail'] {
  return (JSON.parse(body) as Pick<AuditRecord, 'detail'>).detail;
}

const CELLS = {
  peer: PARAM,
  feed: PARAM,
  reason: PARAM,
  refused: PARAM,
  resolved: PARAM,
  last_seq: PARAM,
  told_seq: PARAM,
};

const recordsBehind = sqlBuilder
  .selectFrom('audit')
  .select(['seq', 'event', 'reason', 'feed', 'body'])
  .where('peer', '=', PARAM)
  .where('seq', '>', PARAM)
  .orderBy('seq')
  .limit(PARAM);

const lastRead = sqlBuilder
  .selectFrom('told_refusals')
  .select((q) => q.fn.max('last_seq').as('seq'))
  .where('peer', '=', PARAM);

const groupsOf = sqlBuilder
  .selectFrom('told_refusals')
  .select(['feed', 'reason', 'refused', 'resolved', 'last_seq as lastSeq', 'told_seq as toldSeq'])
  .where('peer', '=', PARAM);

const newestPage = sqlBuilder
  .selectFrom('pages')
  .select('received_us')
  .where('peer', '=', PARAM)
  .where('feed', '=', PARAM)
  .orderBy('page_id', 'desc')
  .limit(ONE);
