/**
 * The audit log: a second log of the same make as the journal. A record is one canonical JSON text that names the hash of
 * the record before it; its leaf goes into a tree of its own. Cases follow it record by record. The caller holds the
 * transaction.
 */
import { hash, randomFillSync } from 'node:crypto';
import { canonicalJson, type PlainJson } from '../core/canonical-json.ts';
import { CASE_OPENED, findingOf } from '../core/case-finding.ts';
import type { Case } from '../core/case-fold.ts';
import { isoMicros } from '../core/time.ts';
import { entryLeafHash, SALT_BYTES } from '../merkle/commitment.ts';
import { TreeBuilder, type TreeSnapshot } from '../merkle/tree-builder.ts';
import { CaseBook } from './case-book.ts';
import { type Db, prepare, prepareSummedInsert, sqlBuilder } from './database.ts';
import type { Summed } from './locator.ts';
import type { AuditInput, AuditRecord } from './read-model.ts';
import { StoredTiles, TileWriter } from './stored-tiles.ts';

/** Longest text in a record: what a peer sent is quoted, not copied. The whole of it is in the evidence. */
const MAX_TEXT_CHARS = 512;
/** Salt, leaf, sums and the five indexes of a row, roughly. */
const ROW_BYTES = 512;

interface Saved {
  readonly head: string | null;
  readonly tree: TreeSnapshot;
}

export class AuditLog {
  readonly #tiles: TileWriter;
  readonly #insert: (row: Summed<'audit'>) => void;
  readonly #tree: TreeBuilder;
  readonly #cases: CaseBook;
  #head: string | null;
  readonly #traceId: () => string | null;
  #written = 0;

  /** @param traceId of what is being done now */
  constructor(db: Db, traceId: () => string | null = () => null) {
    this.#traceId = traceId;
    this.#tiles = new TileWriter(db, 'audit');
    this.#insert = prepareSummedInsert(db, 'audit');
    this.#cases = new CaseBook(db);
    const newest = sqlBuilder.selectFrom('audit').select((q) => q.fn.max('seq').as('seq'));
    const last = prepare<[], { seq: number; body: string }>(
      db,
      sqlBuilder.selectFrom('audit').select(['seq', 'body']).where('seq', '=', newest),
    ).get();
    this.#tree = TreeBuilder.open(last?.seq ?? 0, new StoredTiles(db, 'audit'));
    this.#tiles.restore(this.#tree.partialTiles());
    this.#head = last === undefined ? null : recordHash(last.body);
  }

  get size(): number {
    return this.#tree.size;
  }

  /** Hash of the last record; null when there is none. */
  get head(): string | null {
    return this.#head;
  }

  /** Bytes of all records appended since it was opened, with what a row costs beside its body. */
  get written(): number {
    return this.#written;
  }

  root(): Buffer {
    return this.#tree.root();
  }

  save(): Saved {
    return { head: this.#head, tree: this.#tree.snapshot() };
  }

  restore(saved: Saved): void {
    this.#tree.restore(saved.tree);
    this.#head = saved.head;
  }

  /** Appends one record and returns its sequence. `evidence` is the text form of its digest. */
  append(input: AuditInput, evidence: string | null, nowUs: number): number {
    const seq = this.size + 1;
    const record = recordOf(seq, traced(input, this.#traceId()), evidence, nowUs, this.#head);
    const body = canonicalJson(record as unknown as PlainJson);
    const salt = randomFillSync(Buffer.allocUnsafe(SALT_BYTES));
    const leaf = entryLeafHash(salt, body);
    this.#insert({ seq, body, salt, leaf_hash: leaf });
    this.#tiles.write(this.#tree.append(leaf), () => this.#tree.partialTiles());
    const head = recordHash(body);
    this.#head = head;
    this.#written += Buffer.byteLength(body) + ROW_BYTES;
    const opened = this.#cases.take(record, () => head);
    if (opened !== null) this.append(openingOf(opened, input), null, nowUs);
    return seq;
  }
}

/** `sha256:…` over the UTF-8 body of a record. */
export function recordHash(body: string): string {
  return `sha256:${hash('sha256', body, 'hex')}`;
}

/** Right behind the record that did it, whose hash it names: what follows the log knows when a case begins. */
function openingOf(opened: Case, { peer, feed }: AuditInput): AuditInput {
  const detail = { case: opened.id, finding: findingOf(opened) };
  return { event: CASE_OPENED, reason: opened.state, peer: peer ?? null, feed: feed ?? null, actor: 'system', detail };
}

/** What joins a record with log lines and traces: a member of its detail, so that records have the members they always had. */
function traced(input: AuditInput, traceId: string | null): AuditInput {
  return traceId === null ? input : { ...input, detail: { ...input.detail, trace_id: traceId } };
}

function recordOf(
  seq: number,
  input: AuditInput,
  evidence: string | null,
  nowUs: number,
  previous: string | null,
): AuditRecord {
  return {
    actor: bounded(input.actor),
    at: isoMicros(nowUs),
    chain_seq: input.chainSeq ?? null,
    cid: bounded(input.cid),
    detail: boundedDetail(input.detail ?? {}),
    event: input.event,
    evidence,
    fact_id: bounded(input.factId),
    feed: bounded(input.feed),
    is_drill: false,
    peer: bounded(input.peer),
    previous_hash: previous,
    reason: input.reason ?? null,
    seq,
    v: 1,
  };
}

function bounded(text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null;
  const whole = text.toWellFormed();
  return whole.length <= MAX_TEXT_CHARS ? whole : `${whole.slice(0, MAX_TEXT_CHARS).toWellFormed()}…`;
}

/** Numbers that are no safe integers become texts, so that the body has one spelling everywhere. */
function boundedDetail(detail: Readonly<Record<string, unknown>>): Readonly<Record<string, PlainJson>> {
  return Object.fromEntries(Object.entries(detail).map(([name, value]) => [name, plain(value)]));
}

function plain(value: unknown): PlainJson {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value);
  if (typeof value === 'string') return bounded(value);
  if (Array.isArray(value)) return value.slice(0, 64).map(plain);
  if (typeof value === 'object') return boundedDetail(value as Record<string, unknown>);
  return null;
}
