/** Answers questions about facts: by id, by CID, by filters. Look-ups give candidates, the rows themselves decide. */
import type { Entry } from '../core/entry.ts';
import { isoMicros, parseIsoInstant } from '../core/time.ts';
import { TOMBSTONE } from '../core/tombstone.ts';
import { type Db, lastKey, PARAM, prepare, type Statement, sqlBuilder } from '../journal/database.ts';
import type { EntryReader } from '../journal/entry-reader.ts';
import { hashBytes } from '../journal/entry-row.ts';
import { cidKey, groupText, lookupKey } from '../journal/lookup-key.ts';
import { Marks } from '../journal/marks.ts';
import type {
  Change,
  ChangePage,
  FactPage,
  FactQuery,
  FactResult,
  Hole,
  StoredFact,
  TombstoneNotice,
} from '../journal/read-model.ts';
import type { CheckedRow, ErasedFact } from '../journal/row-check.ts';
import { TombstoneReader } from '../journal/tombstone-reader.ts';
import { HiddenFacts } from './hidden-facts.ts';
import { Lookups } from './lookups.ts';
import { POSITION } from './projector.ts';

/** Rows that one page may look at. A page that ends here carries a cursor to go on from, so that nothing is out of reach. */
const MAX_SCANNED = 20_000;
/** `total` is exact up to here; this number itself means "at least so many". Each costs some 40 µs. */
const MAX_COUNTED = 1_000;
const MAX_COUNT_SCANNED = 5_000;
const CHUNK = 512;
/** Queries whose total is remembered while they are paged through. */
const MAX_TOTALS = 64;
/** Facts of one group that are looked at to tell whether they contradict each other. */
const MAX_GROUP = 64;
/** Entry text of one page of changes. */
const MAX_CHANGE_CHARS = 4_194_304;
/** Notices of hidden facts in one page. */
const MAX_NOTICES = 100;

export class FactReader {
  readonly #db: Db;
  readonly #totals = new Map<string, number>();
  readonly #entries: EntryReader;
  readonly #tombstones: TombstoneReader;
  readonly #nowMs: () => number;
  readonly #lookups: Lookups;
  readonly #scan: Statement<[number, number], number>;
  readonly #hidden: HiddenFacts;
  readonly #marks: Marks;

  /** @param nowMs the clock by which facts have run out where a question names no time of its own */
  constructor(db: Db, entries: EntryReader, nowMs: () => number = Date.now) {
    this.#db = db;
    this.#entries = entries;
    this.#tombstones = new TombstoneReader(db);
    this.#nowMs = nowMs;
    this.#marks = new Marks(db);
    this.#lookups = new Lookups(db);
    this.#scan = prepare<[number, number]>(
      db,
      sqlBuilder
        .selectFrom('entries')
        .select('chain_seq')
        .where('chain_seq', '<', PARAM)
        .orderBy('chain_seq', 'desc')
        .limit(PARAM),
    ).pluck() as Statement<[number, number], number>;
    this.#hidden = new HiddenFacts(db, this.#lookups);
  }

  /** A fact by its id. */
  byId(id: string): FactResult {
    return this.#result(this.#entries.byFactId(id), id);
  }

  /** The first fact that was journalled with a CID (`sha256:…`); facts received from peers are found like any other. */
  byCid(cid: string): FactResult {
    const seqs = this.#lookups.newest(cidKey(hashBytes(cid)), Number.MAX_SAFE_INTEGER, MAX_GROUP);
    for (const seq of seqs.reverse()) {
      const row = this.#entries.bySeq(seq);
      if (row === undefined || isErasedFact(row)) continue;
      if (!row.ok) return { kind: 'corrupt', corrupt: row.corrupt };
      if (row.entry.cid === cid) return this.#result(row, row.entry.fact_id);
    }
    return { kind: 'not_found' };
  }

  /**
   * Facts of that content, newest first, that say what a repeat would say: not withdrawn since, and, where one withdraws
   * others itself, none of those asserted anew. Up to a bound; rows that fail their check are left out.
   */
  standing(cid: string): StoredFact[] {
    const seqs = this.#lookups.newest(cidKey(hashBytes(cid)), Number.MAX_SAFE_INTEGER, MAX_GROUP);
    return seqs.flatMap((seq) => {
      const row = this.#entries.bySeq(seq);
      if (!row?.ok || row.entry.cid !== cid || this.#isOvertaken(row.entry) || this.#tombstones.isHidden(seq))
        return [];
      const fact = this.#describe(row.entry, this.#nowIso());
      return fact.retracted ? [] : [fact];
    });
  }

  /** A retraction behind which its author has asserted something again. */
  #isOvertaken(entry: Entry): boolean {
    if (Number(entry.confidence) > 0) return false;
    return this.#groupOf(entry).some(
      (other) => other.chain_seq > entry.chain_seq && Number(other.confidence) > 0 && isOfSameAuthor(other, entry),
    );
  }

  /** One page, from the newest journal position to the oldest. */
  query(query: FactQuery): FactPage {
    const facts: StoredFact[] = [];
    const notices: TombstoneNotice[] = [];
    let scanned = 0;
    let lowest: number | null = null;
    for (const seq of this.#candidates(query, query.before ?? Number.MAX_SAFE_INTEGER)) {
      if (facts.length === query.limit || scanned === MAX_SCANNED) {
        return { kind: 'page', facts, notices, total: this.#total(query), before: lowest };
      }
      scanned++;
      lowest = seq;
      const row = this.#entries.bySeq(seq);
      if (row === undefined || isErasedFact(row)) continue;
      if (!row.ok) return { kind: 'corrupt', corrupt: row.corrupt };
      const notice = this.#tombstones.notice(row.entry);
      if (notice !== null && notices.length < MAX_NOTICES && matches(row.entry, query)) notices.push(notice);
      const fact = this.#answer(row.entry, query);
      if (fact !== undefined) facts.push(fact);
    }
    return { kind: 'page', facts, notices, total: this.#total(query), before: null };
  }

  /** Facts in the order of the journal behind `after`, up to `limit` positions and some MiB. */
  changes(after: number, limit: number): ChangePage {
    const changes: Change[] = [];
    const holes: Hole[] = [];
    const nowIso = this.#nowIso();
    for (let seq = after + 1, chars = 0; ; seq++) {
      const row = this.#entries.bySeq(seq);
      if (row === undefined) return toldUpTo(after, changes, holes);
      if (seq > after + limit) return { changes, holes, position: seq - 1, more: true, corrupt: null };
      const isGone = isErasedFact(row) || this.#tombstones.isHidden(seq);
      if (isGone && isOwn(row)) holes.push(...this.#holeAt(seq));
      if (isGone) continue;
      if (!row.ok) return { changes, holes, position: seq - 1, more: true, corrupt: row.corrupt };
      chars += row.text.length;
      if (chars > MAX_CHANGE_CHARS && changes.length > 0) {
        return { changes, holes, position: seq - 1, more: true, corrupt: null };
      }
      changes.push({ seq, fact: this.#describe(row.entry, nowIso) });
    }
  }

  #holeAt(seq: number): readonly Hole[] {
    const hole = this.#tombstones.hole(seq);
    return hole === null ? [] : [hole];
  }

  /** The row at a journal position, checked. */
  rowAt(seq: number): CheckedRow | undefined {
    return this.#entries.bySeq(seq);
  }

  /** The fact of a checked row, if it is one that `query` shows. */
  shown(entry: Entry, query: FactQuery): StoredFact | undefined {
    return this.#answer(entry, query);
  }

  #answer(entry: Entry, query: FactQuery): StoredFact | undefined {
    if (!matches(entry, query) || this.#tombstones.isHidden(entry.chain_seq)) return undefined;
    const fact = this.#describe(entry, query.nowIso);
    return isVisible(fact, query) ? fact : undefined;
  }

  /** Counted for the first page; the pages behind it say what that one said, so that paging does not count again. */
  #total(query: FactQuery): number {
    const { before, limit, nowIso, ...filter } = query;
    const key = JSON.stringify(filter);
    const known = this.#totals.get(key);
    if (before !== undefined && known !== undefined) return known;
    const total = this.#count(query);
    this.#totals.delete(key);
    this.#totals.set(key, total);
    const oldest = this.#totals.keys().next().value;
    if (this.#totals.size > MAX_TOTALS && oldest !== undefined) this.#totals.delete(oldest);
    return total;
  }

  #count(query: FactQuery): number {
    let total = 0;
    let scanned = 0;
    for (const seq of this.#candidates(query, Number.MAX_SAFE_INTEGER)) {
      if (total === MAX_COUNTED || scanned++ === MAX_COUNT_SCANNED) break;
      const row = this.#entries.bySeq(seq);
      if (row?.ok && this.#answer(row.entry, query) !== undefined) total++;
    }
    return total;
  }

  /** Journal positions from the newest below `before` downwards, in chunks: one statement is never open across another. */
  *#candidates(query: FactQuery, before: number): Generator<number> {
    const key = queryKey(query);
    for (let next = before; ; ) {
      const seqs = key === undefined ? this.#scan.all(next, CHUNK) : this.#lookups.newest(key, next, CHUNK);
      yield* seqs;
      const last = seqs.at(-1);
      if (last === undefined || seqs.length < CHUNK) return;
      next = last;
    }
  }

  #result(row: CheckedRow | undefined, id: string): FactResult {
    if (row === undefined || isErasedFact(row)) {
      return this.#tombstones.ofId(id) ?? { kind: 'not_found' };
    }
    if (!row.ok) return { kind: 'corrupt', corrupt: row.corrupt };
    const tombstoned = this.#tombstones.ofEntry(row.entry);
    if (tombstoned !== null) return tombstoned;
    return { kind: 'found', fact: this.#describe(row.entry, this.#nowIso()) };
  }

  #nowIso(): string {
    return isoMicros(this.#nowMs() * 1000);
  }

  #describe(entry: Entry, nowIso: string): StoredFact {
    const group = this.#groupOf(entry);
    const retracted = group.some((other) => withdraws(other, entry));
    const contradicted = group.some(
      (other) =>
        other.chain_seq !== entry.chain_seq &&
        Number(other.confidence) > 0 &&
        !isExpired(other.valid_until, nowIso) &&
        !group.some((later) => withdraws(later, other)) &&
        !this.#hidden.isHidden(other),
    );
    return { entry, contradicted, retracted, quarantine: this.#hidden.quarantineOf(entry) };
  }

  #groupOf(entry: Entry): Entry[] {
    const seqs = this.#lookups.newest(lookupKey('group', groupText(entry)), Number.MAX_SAFE_INTEGER, MAX_GROUP);
    return seqs.flatMap((seq) => {
      const row = this.#entries.bySeq(seq);
      if (!row?.ok || this.#tombstones.isHidden(seq)) return [];
      return groupText(row.entry) === groupText(entry) ? [row.entry] : [];
    });
  }

  /** A hidden fact that something would be made from; null: there is none. */
  hiddenSource(derivedFrom: readonly string[]): string | null {
    return this.#hidden.hiddenSource(derivedFrom);
  }

  /** Entries that look-ups do not know yet. */
  lag(): number {
    return lastKey(this.#db, 'entries', 'chain_seq') - (this.#marks.get(POSITION) ?? 0);
  }
}

/** The narrowest look-up that the query allows; undefined when only a scan answers it. */
function queryKey(query: FactQuery): number | undefined {
  const { entity, relation, source, scope } = query;
  if (entity !== undefined && relation !== undefined && scope !== undefined) {
    return lookupKey('group', groupText({ entity, relation, scope }));
  }
  if (entity !== undefined) return lookupKey('entity', entity);
  if (source !== undefined) return lookupKey('source', source);
  if (relation !== undefined) return lookupKey('relation', relation);
  return undefined;
}

/** A later fact of the same source about the same thing, with confidence 0, takes the earlier ones back. */
function withdraws(later: Entry, earlier: Entry): boolean {
  return later.chain_seq > earlier.chain_seq && Number(later.confidence) === 0 && isOfSameAuthor(later, earlier);
}

function isOfSameAuthor(a: Entry, b: Entry): boolean {
  return a.source === b.source && (a.origin?.node_id ?? null) === (b.origin?.node_id ?? null);
}

function matches(entry: Entry, query: FactQuery): boolean {
  return (
    (query.entity === undefined || entry.entity === query.entity) &&
    (query.relation === undefined || entry.relation === query.relation) &&
    (query.source === undefined || entry.source === query.source) &&
    (query.scope === undefined || entry.scope === query.scope) &&
    (query.gardenId === undefined || entry.garden_id === query.gardenId) &&
    (query.minConfidence === undefined || Number(entry.confidence) >= query.minConfidence) &&
    (query.after === undefined || entry.timestamp > query.after)
  );
}

function isVisible(fact: StoredFact, query: FactQuery): boolean {
  const { entry, quarantine } = fact;
  if (entry.relation === TOMBSTONE && query.relation !== TOMBSTONE && query.includeTombstones !== true) return false;
  if (quarantine !== null && quarantine.status !== 'promoted' && query.includeQuarantined !== true) return false;
  if (query.includeContradicted !== true && (fact.contradicted || fact.retracted || Number(entry.confidence) === 0))
    return false;
  return query.includeExpired === true || !isExpired(entry.valid_until, query.nowIso);
}

function isExpired(validUntil: string | null, nowIso: string): boolean {
  if (validUntil === null) return false;
  const end = parseIsoInstant(validUntil);
  const now = parseIsoInstant(nowIso);
  return end.ok && now.ok && end.value <= now.value;
}

/** Whoever comes to the end waits before what nobody is shown: if its erasure is undone, it is told of like any other fact. */
function toldUpTo(after: number, changes: readonly Change[], holes: readonly Hole[]): ChangePage {
  const position = changes.at(-1)?.seq ?? after;
  return { changes, holes: holes.filter(({ seq }) => seq < position), position, more: false, corrupt: null };
}

/** Whether a fact was asserted at this node; a row that is not what was appended does not say. */
function isOwn(row: CheckedRow): boolean {
  if (row.ok) return row.entry.origin === null;
  return row.kind === 'erased' && row.isOwn;
}

function isErasedFact(row: CheckedRow): row is ErasedFact {
  return !row.ok && row.kind === 'erased';
}
