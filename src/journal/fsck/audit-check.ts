/** The audit log, derived again: canonical bodies, the chain of their hashes, leaves, tree, evidence. */
import { canonicalJson, type PlainJson } from '../../core/canonical-json.ts';
import { FACT_EVENT } from '../../core/verdict.ts';
import { recordHash } from '../audit-log.ts';
import { PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import { hashBytes } from '../entry-row.ts';
import type { AuditRecord } from '../read-model.ts';
import { countedIn, SUMMARY_EVENT } from '../refusal-summary.ts';
import { leafOf } from '../row-check.ts';
import type { SignedHead } from '../signed-heads.ts';
import { RESOLVED_EVENT } from '../told-refusals.ts';
import { type Fault, type FsckContext, type StoredRow, walkTable } from './context.ts';
import { judgeLeaf } from './leaf-judge.ts';
import { LogTree } from './log-tree.ts';
import { SummaryCheck, waitingRefusals } from './summary-check.ts';

export interface AuditTotals {
  readonly rows: number;
  /** Facts that were refused, by {@link feedKey}; without a feed: those of several feeds that were put together. */
  readonly refused: ReadonlyMap<string, number>;
  /** Of these, those that were judged again and taken, by {@link feedKey}. */
  readonly resolved: ReadonlyMap<string, number>;
}

export function feedKey(peer: string, feed: string): string {
  return `${peer}\n${feed}`;
}

export function checkAudit(ctx: FsckContext, head: SignedHead | null): AuditTotals {
  using check = new AuditCheck(ctx, head);
  walkTable(ctx, 'audit', {
    judge: (row, seq, changed) => check.judge(row, seq, changed),
    missing: (first, last) => check.skip(first, last),
    after: (row, _, changed) => check.accept(row, changed),
  });
  check.finish();
  return check;
}

class AuditCheck implements AuditTotals {
  readonly #ctx: FsckContext;
  readonly #tree: LogTree;
  readonly #evidence: Statement<[Uint8Array], number>;
  readonly #summaries: SummaryCheck;
  readonly refused = new Map<string, number>();
  readonly resolved = new Map<string, number>();
  rows = 0;
  /** Hash that the next record has to name; undefined: not known. */
  #head: string | null | undefined = null;
  #leaf: Uint8Array = new Uint8Array(32);

  constructor(ctx: FsckContext, head: SignedHead | null) {
    this.#ctx = ctx;
    this.#tree = new LogTree(ctx, 'audit', head);
    this.#summaries = new SummaryCheck(ctx.db);
    this.#evidence = prepare<[Uint8Array]>(
      ctx.db,
      sqlBuilder.selectFrom('evidence').select('evidence_id').where('digest', '=', PARAM),
    ).pluck() as Statement<[Uint8Array], number>;
  }

  judge(row: StoredRow<'audit'>, seq: number, changed: string | undefined): Fault | undefined {
    const record = parseRecord(row.body);
    if (record !== undefined) this.#count(record);
    const computed = leafOf(row, row.body);
    const leaf = judgeLeaf(this.#tree, { seq, stored: row.leaf_hash, computed, changed, made: 'salt and body' });
    this.#leaf = leaf.leaf;
    return this.#judgeBody(record, seq) ?? leaf.fault ?? this.#judgeEvidence(record) ?? this.#judgeSummary(record);
  }

  skip(first: number, last: number): void {
    this.#tree.skip(first, last);
    this.#head = undefined;
    this.rows = last;
  }

  accept(row: StoredRow<'audit'>, changed: string | undefined): void {
    if (changed === 'seq') return; // it stands elsewhere: its place is found empty
    this.#tree.add(this.#leaf);
    this.rows++;
    this.#head = changed === 'body' || changed === 'several' ? undefined : recordHash(row.body);
  }

  [Symbol.dispose](): void {
    this.#tree.close();
  }

  finish(): void {
    for (const { peer, feed, pending } of waitingRefusals(this.#ctx.db))
      addTo(this.refused, feedKey(peer, feed), pending);
    this.#tree.finish(this.rows);
  }

  #judgeBody(record: AuditRecord | undefined, seq: number): Fault | undefined {
    if (record === undefined) {
      return { code: 'record_malformed', field: 'body', detail: 'the body is no canonical record' };
    }
    if (record.seq !== seq) return { code: 'record_malformed', field: 'body', detail: `the body says ${record.seq}` };
    if (this.#head === undefined || record.previous_hash === this.#head) return undefined;
    const detail = `the body names ${record.previous_hash}, the record before has ${this.#head}`;
    return { code: 'previous_hash_mismatch', field: 'body', detail };
  }

  #judgeEvidence(record: AuditRecord | undefined): Fault | undefined {
    const evidence = record?.evidence ?? null;
    const isToldElsewhere = this.#ctx.findings.isDamaged('evidence');
    if (evidence === null || isToldElsewhere || this.#evidence.get(hashBytes(evidence)) !== undefined) return undefined;
    return { code: 'evidence_missing', field: 'body', detail: `evidence ${evidence} is not stored` };
  }

  #judgeSummary(record: AuditRecord | undefined): Fault | undefined {
    if (record?.event !== SUMMARY_EVENT || this.#ctx.findings.isDamaged('evidence')) return undefined;
    const detail = this.#summaries.judge(record);
    return detail === undefined ? undefined : { code: 'summary_mismatch', field: 'body', detail };
  }

  /** Refusals with a record of their own, and those that a summary counts. */
  #count(record: AuditRecord): void {
    const { event, reason, peer, feed, detail } = record;
    if (peer === null || reason === null || !(reason in FACT_EVENT)) return;
    if (event === RESOLVED_EVENT && feed !== null && typeof detail['page_id'] === 'number')
      addTo(this.resolved, feedKey(peer, feed), Number(detail['count']));
    const summarized = event === SUMMARY_EVENT ? countedIn(record) : undefined;
    if (summarized !== undefined) addTo(this.refused, feedKey(peer, feed ?? ''), summarized);
    else if (feed !== null && event !== 'quarantine_ingest' && typeof detail['feed_seq'] === 'number')
      addTo(this.refused, feedKey(peer, feed), 1);
  }
}

function addTo(totals: Map<string, number>, key: string, count: number): void {
  totals.set(key, (totals.get(key) ?? 0) + count);
}

/** A body that is written as this program writes it. */
function parseRecord(body: string): AuditRecord | undefined {
  try {
    const record: unknown = JSON.parse(body);
    const isRecord = typeof record === 'object' && record !== null && !Array.isArray(record);
    if (!isRecord || canonicalJson(record as PlainJson) !== body) return undefined;
    return isComplete(record as Readonly<Record<string, unknown>>) ? (record as AuditRecord) : undefined;
  } catch {
    return undefined;
  }
}

const NULLABLE_TEXTS = ['actor', 'cid', 'evidence', 'fact_id', 'feed', 'peer', 'previous_hash', 'reason'];

function isComplete(record: Readonly<Record<string, unknown>>): boolean {
  const { at, chain_seq, detail, event, is_drill, seq, v } = record;
  return (
    NULLABLE_TEXTS.every((name) => record[name] === null || typeof record[name] === 'string') &&
    typeof at === 'string' &&
    typeof event === 'string' &&
    typeof detail === 'object' &&
    detail !== null &&
    (chain_seq === null || typeof chain_seq === 'number') &&
    typeof is_drill === 'boolean' &&
    typeof seq === 'number' &&
    v === 1
  );
}
