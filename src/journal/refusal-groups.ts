/** Refusals of one peer by kind, as they wait in the journal for their summary; and what they have cost. Plain storage. */
import { decodeBase64, encodeBase64 } from '../merkle/base64.ts';
import { CompactRange, type CompactState } from '../merkle/compact-range.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { JournalError } from './errors.ts';
import type { AuditInput } from './read-model.ts';
import type { Tables } from './tables.ts';

/** What refusals have in common that are counted together; feed and key are empty where several are. */
export interface RefusalKind {
  readonly peer: string;
  readonly reason: string;
  readonly feed: string;
  /** Of the log key, 8 hex digits. */
  readonly keyId: string;
}

/** A refusal that may still become a record of its own. */
export interface HeldRefusal {
  readonly input: AuditInput;
  /** Null: too large to be held. */
  readonly evidence: () => string | null;
}

/** Refusals that wait for their summary. */
export interface OpenSummary {
  readonly range: CompactRange;
  /** It is written when it covers this many. */
  readonly due: number;
  /** Positions in it that get a record of their own, chosen before anybody could know them. */
  readonly samples: readonly number[];
  readonly firstUs: number;
  lastUs: number;
  /** In the feed; null for pages, and where feeds are put together. */
  readonly fromSeq: number | null;
  toSeq: number | null;
  readonly exemplars: { readonly index: number; readonly auditSeq: number }[];
  /** The newest one, unless it has its record. */
  last: HeldRefusal | null;
}

export interface RefusalGroup {
  readonly kind: RefusalKind;
  /** In this window. */
  seen: number;
  /** Audit sequence of its newest record. */
  lastRecord: number;
  open: OpenSummary | null;
}

export interface RefusalBudget {
  readonly sinceUs: number;
  spentBytes: number;
  isOver: boolean;
}

/** Evidence that is kept in the row until it is known whether it gets a record. */
const MAX_HELD_CHARS = 65_536;

type GroupRow = Tables['refusal_groups'];
type KindCells = [string, string, string, string];

export class RefusalGroups {
  readonly #find: Statement<KindCells, GroupRow>;
  readonly #count: Statement<[string], number>;
  readonly #open: Statement<[string], GroupRow>;
  readonly #ofReason: Statement<[string, string, string], GroupRow>;
  readonly #remove: Statement<KindCells>;
  readonly #overdue: Statement<[number, number], string>;
  readonly #put: Statement<unknown[]>;
  readonly #clear: Statement<[string]>;
  readonly #budget: Statement<[string], Tables['refusal_budgets']>;
  readonly #putBudget: Statement<unknown[]>;

  constructor(db: Db) {
    this.#find = prepare(db, ofKind);
    this.#count = prepare<[string]>(db, countOf).pluck() as Statement<[string], number>;
    this.#open = prepare(db, openOf);
    this.#ofReason = prepare(db, ofReason);
    this.#remove = prepare(db, oneKind);
    this.#overdue = prepare<[number, number]>(db, peersWaiting).pluck() as Statement<[number, number], string>;
    this.#put = prepare(db, sqlBuilder.replaceInto('refusal_groups').values(GROUP_CELLS));
    this.#clear = prepare(db, sqlBuilder.deleteFrom('refusal_groups').where('peer', '=', PARAM));
    this.#budget = prepare(db, sqlBuilder.selectFrom('refusal_budgets').selectAll().where('peer', '=', PARAM));
    this.#putBudget = prepare(db, sqlBuilder.replaceInto('refusal_budgets').values(BUDGET_CELLS));
  }

  find({ peer, reason, feed, keyId }: RefusalKind): RefusalGroup | undefined {
    const row = this.#find.get(peer, reason, feed, keyId);
    return row === undefined ? undefined : groupOf(row);
  }

  count(peer: string): number {
    return this.#count.get(peer) ?? 0;
  }

  /** Those of a peer that have something that waits. */
  open(peer: string): RefusalGroup[] {
    return this.#open.all(peer).map(groupOf);
  }

  /** Those of one reason and feed, whatever the key. */
  ofReason(peer: string, reason: string, feed: string): RefusalGroup[] {
    return this.#ofReason.all(peer, reason, feed).map(groupOf);
  }

  /** The next of the kind is a first again. Nothing of it may wait. */
  remove({ peer, reason, feed, keyId }: RefusalKind): void {
    this.#remove.run(peer, reason, feed, keyId);
  }

  /** Peers of which something waits since before the first time, or since after the second: a clock was put back. */
  peersWaiting(beforeUs: number, afterUs: number): string[] {
    return this.#overdue.all(beforeUs, afterUs);
  }

  save({ kind, seen, lastRecord, open }: RefusalGroup): void {
    const { peer, reason, feed, keyId } = kind;
    const pending = open === null ? 0 : open.range.size - open.exemplars.length;
    const openedUs = open?.firstUs ?? null;
    this.#put.run([peer, reason, feed, keyId, seen, lastRecord, pending, openedUs, open && textOf(open)]);
  }

  clear(peer: string): void {
    this.#clear.run(peer);
  }

  budget(peer: string): RefusalBudget | undefined {
    const row = this.#budget.get(peer);
    if (row === undefined) return undefined;
    return { sinceUs: row.since_us, spentBytes: row.spent_bytes, isOver: row.is_over !== 0 };
  }

  saveBudget(peer: string, { sinceUs, spentBytes, isOver }: RefusalBudget): void {
    this.#putBudget.run([peer, sinceUs, spentBytes, isOver ? 1 : 0]);
  }
}

interface StoredOpen {
  readonly size: number;
  readonly peaks: readonly string[];
  readonly kept: readonly { readonly index: number; readonly path: readonly string[] }[];
  readonly due: number;
  readonly samples: readonly number[];
  readonly first_us: number;
  readonly last_us: number;
  readonly from: number | null;
  readonly to: number | null;
  readonly exemplars: OpenSummary['exemplars'];
  readonly last: { readonly input: AuditInput; readonly evidence: string | null } | null;
}

function textOf({ range, due, samples, firstUs, lastUs, fromSeq, toSeq, exemplars, last }: OpenSummary): string {
  const { size, peaks, kept } = range.state();
  const evidence = last?.evidence() ?? null;
  const stored: StoredOpen = {
    size,
    peaks: peaks.map(encodeBase64),
    kept: kept.map(({ index, path }) => ({ index, path: path.map(encodeBase64) })),
    due,
    samples,
    first_us: firstUs,
    last_us: lastUs,
    from: fromSeq,
    to: toSeq,
    exemplars,
    last: last && {
      input: last.input,
      evidence: evidence !== null && evidence.length > MAX_HELD_CHARS ? null : evidence,
    },
  };
  return JSON.stringify(stored);
}

function groupOf(row: GroupRow): RefusalGroup {
  const { peer, reason, feed, key_id: keyId, seen, last_record: lastRecord, open } = row;
  const kind = { peer, reason, feed, keyId };
  return { kind, seen, lastRecord, open: open === null ? null : summaryOf(open, kind) };
}

/** @throws JournalError `broken`: nothing may be counted twice or left out */
function summaryOf(text: string, { peer, reason }: RefusalKind): OpenSummary {
  try {
    const stored = JSON.parse(text) as StoredOpen;
    const { due, samples, first_us, last_us, from, to, exemplars, last } = stored;
    return {
      range: new CompactRange(stateOf(stored)),
      due,
      samples,
      firstUs: first_us,
      lastUs: last_us,
      fromSeq: from,
      toSeq: to,
      exemplars,
      last: last && { input: last.input, evidence: () => last.evidence },
    };
  } catch (cause) {
    const what = `refusals of ${peer} for ${reason} wait in refusal_groups in a form that this program did not write`;
    throw new JournalError('broken', `${what}: run fsck`, { cause });
  }
}

function stateOf({ size, peaks, kept }: StoredOpen): CompactState {
  return {
    size,
    peaks: peaks.map(bytesOf),
    kept: kept.map(({ index, path }) => ({ index, path: path.map(bytesOf) })),
  };
}

function bytesOf(text: string): Uint8Array {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw new RangeError('not base64');
  return bytes;
}

const GROUP_CELLS = {
  peer: PARAM,
  reason: PARAM,
  feed: PARAM,
  key_id: PARAM,
  seen: PARAM,
  last_record: PARAM,
  pending: PARAM,
  opened_us: PARAM,
  open: PARAM,
};
const BUDGET_CELLS = { peer: PARAM, since_us: PARAM, spent_bytes: PARAM, is_over: PARAM };

const ofKind = sqlBuilder
  .selectFrom('refusal_groups')
  .selectAll()
  .where('peer', '=', PARAM)
  .where('reason', '=', PARAM)
  .where('feed', '=', PARAM)
  .where('key_id', '=', PARAM);

const ofReason = sqlBuilder
  .selectFrom('refusal_groups')
  .selectAll()
  .where('peer', '=', PARAM)
  .where('reason', '=', PARAM)
  .where('feed', '=', PARAM);

const oneKind = sqlBuilder
  .deleteFrom('refusal_groups')
  .where('peer', '=', PARAM)
  .where('reason', '=', PARAM)
  .where('feed', '=', PARAM)
  .where('key_id', '=', PARAM);

const countOf = sqlBuilder
  .selectFrom('refusal_groups')
  .select((q) => q.fn.countAll().as('groups'))
  .where('peer', '=', PARAM);

const openOf = sqlBuilder
  .selectFrom('refusal_groups')
  .selectAll()
  .where('peer', '=', PARAM)
  .where('opened_us', 'is not', null);

const peersWaiting = sqlBuilder
  .selectFrom('refusal_groups')
  .select('peer')
  .distinct()
  .where((q) => q.or([q('opened_us', '<=', PARAM), q('opened_us', '>', PARAM)]));
