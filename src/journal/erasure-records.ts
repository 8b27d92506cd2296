/** The steps of erasures. They are appended; how an erasure stands is its newest one. */
import { sql } from 'kysely';
import { HOUR_MS } from '../core/time.ts';
import { type NewRow, prepareAppend } from './appended.ts';
import { type Db, ONE, PARAM, prepare, prepareLastKey, type Statement, sqlBuilder } from './database.ts';
import { SUMMED_COLUMNS } from './locator.ts';
import { Marks } from './marks.ts';
import type { ErasureStepRow } from './tables-erasures.ts';

const HOUR_US = HOUR_MS * 1000;

/**
 * Own facts: `requested`, then `undone`, or `issued`, `erased`, `scrubbed`. Facts of peers: `received`, or `stopped` when too
 * many came; `held` and `released` by an operator; `erased`, `scrubbed`, `told` once the author has our word, or the relay that
 * brought the tombstone. `absent`: no such fact is held here. `kept`: it was refused, and is kept as evidence.
 */
export type ErasureStep =
  | 'requested'
  | 'undone'
  | 'issued'
  | 'received'
  | 'stopped'
  | 'held'
  | 'released'
  | 'erased'
  | 'scrubbed'
  | 'absent'
  | 'told'
  | 'kept';

/** Steps behind which the body is gone from the table. */
export const GONE: ReadonlySet<string> = new Set(['erased', 'scrubbed', 'told']);

/** An erasure as its newest step has it. */
export type Erasure = Omit<ErasureStepRow, 'sum1' | 'sum2' | 'step'> & { readonly step: ErasureStep };

export class ErasureRecords {
  readonly #insert: (row: NewRow<'erasure_steps'>) => number;
  readonly #ofFact: Statement<[Uint8Array, string], Erasure>;
  readonly #steps: Statement<[Uint8Array, string], Erasure>;
  readonly #byDigest: Statement<[Uint8Array], Erasure>;
  readonly #ofTarget: Statement<[number], Erasure>;
  readonly #untold: Statement<[string, number, number], Erasure>;
  readonly #untoldBy: Statement<[string, number, string, number], Erasure>;
  readonly #step: Statement<[number], Erasure>;
  readonly #marks: Marks;
  readonly #since: Statement<[number], Erasure>;
  readonly #list: Statement<[number, number], Erasure>;
  readonly #counted: Statement<[string, string, number, number], number>;
  readonly #lastStep: () => number;
  /** No step before this one is the newest of an erasure that is open. */
  #mark = 1;

  constructor(db: Db) {
    this.#insert = prepareAppend(db, 'erasure_steps');
    this.#ofFact = prepare(
      db,
      steps.where('fact', '=', PARAM).where('node_id', '=', PARAM).orderBy('step_id', 'desc').limit(ONE),
    );
    this.#steps = prepare(db, steps.where('fact', '=', PARAM).where('node_id', '=', PARAM).orderBy('step_id'));
    this.#byDigest = prepare(db, newest.where('fact', '=', PARAM).orderBy('step_id', 'desc'));
    this.#ofTarget = prepare(db, steps.where('target_seq', '=', PARAM).orderBy('step_id', 'desc').limit(ONE));
    const over = steps.where('node_id', '=', PARAM).where(isOver).where('step_id', '>', PARAM).orderBy('step_id');
    this.#untold = prepare(db, over.limit(PARAM));
    this.#untoldBy = prepare(db, over.where(wasBroughtBy).limit(PARAM));
    this.#step = prepare(db, steps.where('step_id', '=', PARAM));
    this.#marks = new Marks(db);
    this.#since = prepare(db, newest.where('step_id', '>=', PARAM).where(isOpen).orderBy('step_id'));
    this.#list = prepare(db, newest.where('step_id', '<', PARAM).orderBy('step_id', 'desc').limit(PARAM));
    this.#lastStep = prepareLastKey(db, 'erasure_steps', 'step_id');
    const counted = sqlBuilder
      .selectFrom('erasure_steps')
      .select((q) => q.fn.countAll().as('rows'))
      .where('node_id', '=', PARAM)
      .where('step', '=', PARAM)
      .where('at_us', '>', PARAM)
      .where('at_us', '<=', PARAM);
    this.#counted = prepare<[string, string, number, number]>(db, counted).pluck() as Statement<
      [string, string, number, number],
      number
    >;
  }

  /** The caller holds the transaction. */
  add(step: Omit<Erasure, 'step_id'>): void {
    this.#insert({ ...step });
  }

  /** The next step of an erasure. */
  next(before: Erasure, step: ErasureStep, nowUs: number, change: Partial<Erasure> = {}): void {
    const { step_id: _, ...row } = before;
    this.add({ ...row, actor: null, reason: null, due_us: null, ...change, step, at_us: nowUs });
  }

  /** By the digest of a fact's id and its author. */
  of(fact: Uint8Array, nodeId: string): Erasure | undefined {
    return this.#ofFact.get(fact, nodeId);
  }

  /** All steps of an erasure, oldest first. */
  steps({ fact, node_id }: Erasure): readonly Erasure[] {
    return this.#steps.all(fact, node_id);
  }

  /** Whoever the author is: an id says nothing of that. */
  byDigest(fact: Uint8Array): readonly Erasure[] {
    return this.#byDigest.all(fact);
  }

  /** @param seq `chain_seq` of the fact */
  ofTarget(seq: number): Erasure | undefined {
    return this.#ofTarget.get(seq);
  }

  /**
   * Erasures behind a step whose bodies are gone, or never were here; oldest first.
   *
   * @param to who is to be told: the author of any, a relay of those whose tombstone it has brought
   */
  over(author: string, to: string, after: number, limit: number): readonly Erasure[] {
    if (to === author) return this.#untold.all(author, after, limit);
    return this.#untoldBy.all(author, after, to, limit);
  }

  step(stepId: number): Erasure | undefined {
    return this.#step.get(stepId);
  }

  /** The last step that the author has our word of, or a relay for it. Derived: without it all are told again, which changes nothing. */
  toldUpTo(author: string, to: string): number {
    return this.#marks.get(toldName(author, to)) ?? 0;
  }

  /** The caller holds the transaction. The first of them to be told is what the erasure itself shows. */
  told(before: Erasure, to: string, nowUs: number): void {
    const { fact, node_id: author, step_id } = before;
    const now = this.of(fact, author);
    if (now !== undefined && (now.step === 'scrubbed' || now.step === 'absent')) this.next(now, 'told', nowUs);
    if (this.toldUpTo(author, to) < step_id) this.#marks.put(toldName(author, to), step_id);
  }

  /** Newest first. */
  list(before: number, limit: number): readonly Erasure[] {
    return this.#list.all(before, limit);
  }

  /** Those that wait for a time, an operator or the file. To be called outside of a transaction. */
  open(): readonly Erasure[] {
    const found = this.#since.all(this.#mark);
    this.#mark = found[0]?.step_id ?? this.#lastStep() + 1;
    return found;
  }

  /** How often a step was taken for facts of one author in the last hour; what a wrong clock has dated ahead is of none. */
  countInHour(nodeId: string, step: ErasureStep, nowUs: number): number {
    return this.#counted.get(nodeId, step, nowUs - HOUR_US, nowUs + HOUR_US) ?? 0;
  }
}

const steps = sqlBuilder.selectFrom('erasure_steps').select(SUMMED_COLUMNS.erasure_steps).$castTo<Erasure>();

const newest = steps.where(
  sql<boolean>`NOT EXISTS (SELECT 1 FROM erasure_steps n WHERE n.fact = erasure_steps.fact
    AND n.node_id = erasure_steps.node_id AND n.step_id > erasure_steps.step_id)`,
);

const isOpen = sql<boolean>`step IN ('requested', 'issued', 'received', 'stopped', 'held', 'released', 'erased')`;

const isOver = sql<boolean>`step IN ('scrubbed', 'absent')`;

const wasBroughtBy = sql<boolean>`EXISTS (SELECT 1 FROM entries t
  WHERE t.chain_seq = erasure_steps.tombstone_seq AND t.received_from = ${PARAM})`;

function toldName(author: string, to: string): string {
  return `erasures told ${author} ${to}`;
}
