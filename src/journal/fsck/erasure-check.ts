/** Erasures: what was erased has a tombstone of its author in the journal, behind steps in the order that the guards ask for. */
import { sql } from 'kysely';
import { encodeEntry } from '../../core/entry.ts';
import { decodeTombstone, TOMBSTONE, tombstoneEntity } from '../../core/tombstone.ts';
import { HASH_BYTES, sameHash } from '../../merkle/hash.ts';
import { parseErasureAck } from '../../wire/erasure-ack.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import { entryOf, hashText } from '../entry-row.ts';
import { erasedLeafData, isErased, isWhollyErased } from '../erased-row.ts';
import type { ErasureStep } from '../erasure-records.ts';
import { leafOf } from '../row-check.ts';
import type { ErasureStepRow } from '../tables-erasures.ts';
import type { EntryRow } from '../tables-logs.ts';
import { type Fault, type FsckContext, type StoredRow, walkTable } from './context.ts';
import { checkCopies } from './copy-check.ts';

/** The migration that made the tables; an older file has none. */
const SINCE_SCHEMA = 9;

/** Which steps may come before each; null: it may be the first. */
const BEFORE: Readonly<Record<ErasureStep, readonly (ErasureStep | null)[]>> = {
  requested: [null, 'undone'],
  undone: ['requested'],
  // Behind the last two where a restore has brought back the tombstone, and not the order.
  issued: ['requested', 'undone', null],
  received: [null, 'kept'],
  stopped: [null, 'kept'],
  absent: [null],
  kept: [null],
  held: ['received', 'stopped', 'released'],
  released: ['held', 'stopped'],
  erased: ['issued', 'received', 'released'],
  scrubbed: ['erased'],
  told: ['scrubbed', 'absent'],
};

export function hasErasures(db: Db): boolean {
  return Number(db.pragma('user_version', { simple: true })) >= SINCE_SCHEMA;
}

export function checkErasures(ctx: FsckContext): void {
  if (!hasErasures(ctx.db)) return;
  const steps = new StepCheck(ctx);
  walkTable(ctx, 'erasure_steps', { judge: (row) => steps.judge(row) });
  walkTable(ctx, 'erasure_acks', { judge: (row) => steps.judgeAck(row) });
  checkCopies(ctx);
}

/** What an entry without a body has to be; used while entries are read. */
export class ErasedCheck {
  readonly #step: Statement<[number], Pick<ErasureStepRow, 'tombstone_seq'>> | null;
  readonly #row: Statement<[number], EntryRow>;

  constructor(db: Db) {
    const step = sqlBuilder
      .selectFrom('erasure_steps')
      .select('tombstone_seq')
      .where('target_seq', '=', PARAM)
      .where(sql<boolean>`step = 'erased'`);
    this.#step = hasErasures(db) ? prepare(db, step) : null;
    this.#row = prepare(db, sqlBuilder.selectFrom('entries').selectAll().where('chain_seq', '=', PARAM));
  }

  judge(row: EntryRow): Fault | undefined {
    if (!isWhollyErased(row))
      return { code: 'erasure_partial', field: null, detail: 'something else than an erasure emptied it' };
    if (erasedLeafData(row) === undefined)
      return {
        code: 'leaf_mismatch',
        field: 'leaf_hash',
        detail: 'the commitment that was left does not give the leaf',
      };
    const seq = this.#step?.get(row.chain_seq)?.tombstone_seq ?? null;
    const tombstone = seq === null ? undefined : this.#row.get(seq);
    if (tombstone !== undefined && names(tombstone, row)) return undefined;
    // A tombstone that was changed is told of by itself.
    if (tombstone !== undefined && !isWhole(tombstone)) return undefined;
    const detail = 'its body is gone, and no tombstone of its author in this journal names it';
    return { code: 'erased_without_tombstone', field: 'event_hash', detail };
  }
}

function isWhole(row: EntryRow): boolean {
  return sameHash(leafOf(row, encodeEntry(entryOf(row))) ?? NO_HASH, row.leaf_hash);
}

const NO_HASH = new Uint8Array(0);

/** The row of the tombstone is checked as every entry is: what it says was hashed into the tree. */
function names(tombstone: EntryRow, erased: EntryRow): boolean {
  const said = tombstone.relation === TOMBSTONE ? decodeTombstone(tombstone.value_v) : null;
  if (said === null || tombstone.origin_node_id !== erased.origin_node_id) return false;
  const author = tombstone.source;
  if (tombstone.entity !== tombstoneEntity(author, said.leaf_index)) return false;
  if (erased.origin_node_id !== null && erased.origin_node_id !== author) return false;
  const leaf = erased.origin_leaf_hash ?? erased.leaf_hash;
  return said.leaf_hash === hashText(leaf) && said.leaf_index === (erased.origin_chain_seq ?? erased.chain_seq) - 1;
}

class StepCheck {
  readonly #ctx: FsckContext;
  readonly #row: Statement<[number], Pick<EntryRow, 'event_hash' | 'relation'>>;
  readonly #newest = new Map<string, StoredRow<'erasure_steps'>>();
  readonly #self: string | null;

  constructor(ctx: FsckContext) {
    this.#ctx = ctx;
    const meta = sqlBuilder.selectFrom('meta').select('value').where('key', '=', PARAM);
    // What is wrong with meta is said where it is read.
    const self = prepare<[string], string>(ctx.db, meta).pluck().get('node_id');
    this.#self = self === undefined || ctx.findings.isDamaged('meta') ? null : String(self);
    const row = sqlBuilder.selectFrom('entries').select(['event_hash', 'relation']).where('chain_seq', '=', PARAM);
    this.#row = prepare(ctx.db, row);
  }

  judge(row: StoredRow<'erasure_steps'>): Fault | undefined {
    const key = `${Buffer.from(row.fact).toString('hex')} ${row.node_id}`;
    const before = this.#newest.get(key);
    this.#newest.set(key, row);
    const allowed = Object.hasOwn(BEFORE, row.step) ? BEFORE[row.step as ErasureStep] : undefined;
    if (allowed === undefined || row.fact.length !== HASH_BYTES)
      return { code: 'step_unknown', field: 'step', detail: `no erasure has a step ${row.step}` };
    if (!allowed.includes((before?.step ?? null) as ErasureStep | null))
      return { code: 'step_order', field: 'step', detail: `${row.step} behind ${before?.step ?? 'nothing'}` };
    if (row.step === 'erased' && (before?.due_us ?? Number.POSITIVE_INFINITY) > row.at_us)
      return { code: 'erased_too_early', field: 'at_us', detail: 'the window before it was not over' };
    // What is wrong with entries is said where they are read.
    return this.#ctx.findings.isDamaged('entries') ? undefined : this.#judgeRows(row);
  }

  #judgeRows({ step, target_seq, tombstone_seq }: StoredRow<'erasure_steps'>): Fault | undefined {
    const tombstone = tombstone_seq === null ? undefined : this.#row.get(tombstone_seq);
    if (tombstone_seq !== null && tombstone?.relation !== TOMBSTONE)
      return { code: 'step_without_tombstone', field: 'tombstone_seq', detail: `entry ${tombstone_seq} is none` };
    const target = target_seq === null ? undefined : this.#row.get(target_seq);
    if (target_seq !== null && target === undefined)
      return { code: 'step_without_entry', field: 'target_seq', detail: `there is no entry ${target_seq}` };
    if ((step === 'erased' || step === 'scrubbed') && target !== undefined && !isErased(target))
      return { code: 'not_erased', field: 'step', detail: `entry ${target_seq} is said to be erased and has its body` };
    return undefined;
  }

  judgeAck({ note, tombstone_seq }: StoredRow<'erasure_acks'>): Fault | undefined {
    const ack = parseErasureAck(note.slice(0, note.lastIndexOf('\n\n') + 1));
    if (!ack.ok || (this.#self !== null && ack.value.author !== this.#self))
      return { code: 'ack_malformed', field: 'note', detail: 'no acknowledgement of an erasure of ours' };
    if (this.#ctx.findings.isDamaged('entries') || this.#row.get(tombstone_seq)?.relation === TOMBSTONE)
      return undefined;
    return { code: 'step_without_tombstone', field: 'tombstone_seq', detail: `entry ${tombstone_seq} is none` };
  }
}
