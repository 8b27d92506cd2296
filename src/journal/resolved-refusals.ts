/** The audit record that says that refusals are over: which, and by whose word they were judged again. */
import { sql } from 'kysely';
import type { AuditLog } from './audit-log.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { AuditRecord } from './read-model.ts';
import { RESOLVED_EVENT } from './told-refusals.ts';

export interface ResolvedPlace {
  /** In the feed. */
  readonly place: number;
  /** What it was refused for. */
  readonly reason: string;
}

export interface ResolvedIn {
  readonly peer: string;
  readonly feed: string;
  readonly pageId: number;
}

/** An audit record holds lists of so many. */
const MAX_NAMED = 64;

export class ResolvedRefusals {
  readonly #audit: AuditLog;
  readonly #refusedAt: Statement<[string, number], { seq: number; body: string }>;

  constructor(db: Db, audit: AuditLog) {
    this.#audit = audit;
    this.#refusedAt = prepare(db, refusedAt);
  }

  /** Records by reason: one, and one more for each 64 refusals that have a record of their own. @returns how many of each reason */
  record(
    resolved: ResolvedIn,
    places: readonly ResolvedPlace[],
    by: { readonly actor: string; readonly why: string },
    nowUs: number,
  ): ReadonlyMap<string, number> {
    const byReason = Map.groupBy(places, ({ reason }) => reason);
    for (const [reason, ofReason] of byReason) this.#recordReason(resolved, reason, ofReason, by, nowUs);
    return new Map([...byReason].map(([reason, ofReason]) => [reason, ofReason.length]));
  }

  #recordReason(
    { peer, feed, pageId }: ResolvedIn,
    reason: string,
    places: readonly ResolvedPlace[],
    { actor, why }: { readonly actor: string; readonly why: string },
    nowUs: number,
  ): void {
    const named = places.map((one) => ({ ...one, record: this.#recordOf(peer, feed, one) }));
    const withRecord = named.filter(({ record }) => record !== null);
    const bare = named.length - withRecord.length;
    for (let i = 0; i === 0 || i < withRecord.length; i += MAX_NAMED) {
      const records = withRecord.slice(i, i + MAX_NAMED).map(({ record }) => record);
      const count = records.length + (i === 0 ? bare : 0);
      const detail = { count, first: places[0]?.place, last: places.at(-1)?.place, page_id: pageId, records, why };
      this.#audit.append({ event: RESOLVED_EVENT, reason, peer, feed, actor, detail }, null, nowUs);
    }
  }

  /** Null: it was left to a summary. */
  #recordOf(peer: string, feed: string, { place, reason }: ResolvedPlace): number | null {
    const found = this.#refusedAt.all(peer, place).find(({ body }) => {
      const record = JSON.parse(body) as AuditRecord;
      return record.feed === feed && record.reason === reason;
    });
    return found?.seq ?? null;
  }
}

// The expression and its condition as in the index of migration 8: only then is it used.
const PLACE = sql<number>`json_extract(body, '$.detail.feed_seq')`;

const refusedAt = sqlBuilder
  .selectFrom('audit')
  .select(['seq', 'body'])
  .where('peer', '=', PARAM)
  .where(PLACE, '=', PARAM)
  .where(PLACE, 'is not', null)
  .orderBy('seq', 'desc');
