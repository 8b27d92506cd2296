/** The quarantine has to follow from the audit log: what was hidden when it was taken, and what operators decided since. */
import { type Db, prepare, sqlBuilder } from '../database.ts';
import { type QuarantineRow, type RecordedDecision, recordedDecisions, recordedQuarantines } from '../quarantine.ts';
import type { FsckContext } from './context.ts';

/** Every quarantined fact was quarantined on record, for the reason on record, and stands as was decided last on record. */
export function checkQuarantine(ctx: FsckContext): void {
  const recorded = new Recorded(ctx.db);
  try {
    for (const row of prepare<[], QuarantineRow>(ctx.db, rows).iterate()) {
      ctx.findings.checked.quarantine++;
      judge(ctx, row, recorded);
    }
    for (const seq of recorded.rest()) missing(ctx, seq);
  } finally {
    recorded.close();
  }
}

const rows = sqlBuilder.selectFrom('quarantine').selectAll().orderBy('chain_seq');

function judge(ctx: FsckContext, { chain_seq, reason, status }: QuarantineRow, recorded: Recorded): void {
  const report = (field: string, code: string, detail: string): void =>
    ctx.findings.problem({ table: 'quarantine', row: chain_seq, field, code, detail });
  for (const seq of recorded.before(chain_seq)) missing(ctx, seq);
  const expected = recorded.at(chain_seq);
  if (expected === undefined) {
    report('chain_seq', 'quarantine_unexpected', 'no audit record says that it was quarantined');
    return;
  }
  if (expected.reason !== reason) report('reason', 'column_changed', `the audit log says ${expected.reason}`);
  if (expected.status !== status) {
    const said =
      expected.status === 'pending' ? 'nobody decided so on record' : `the last decision is ${expected.status}`;
    report('status', 'column_changed', `${status}, and ${said}`);
  }
}

function missing({ findings }: FsckContext, row: number): void {
  const detail = 'quarantined on record, and not held back';
  findings.problem({ table: 'quarantine', row, field: 'chain_seq', code: 'row_missing', detail });
}

/** What the audit log says, read along in the order of the journal: there may be many, and few decisions. */
class Recorded {
  readonly #decisions: Map<number, RecordedDecision>;
  readonly #hidden: ReturnType<typeof recordedQuarantines>;
  #next: IteratorResult<{ readonly seq: number; readonly reason: string }>;

  constructor(db: Db) {
    this.#decisions = new Map(recordedDecisions(db));
    this.#hidden = recordedQuarantines(db);
    this.#next = this.#hidden.next();
  }

  /** Those that come before a row, and that no row was found for. */
  *before(seq: number): Generator<number> {
    while (this.#next.done !== true && this.#next.value.seq < seq) {
      const { seq: gone } = this.#next.value;
      this.#next = this.#hidden.next();
      this.#decisions.delete(gone);
      yield gone;
    }
  }

  at(seq: number): RecordedDecision | undefined {
    const decided = this.#decisions.get(seq);
    this.#decisions.delete(seq);
    if (this.#next.done === true || this.#next.value.seq !== seq) return decided;
    const { reason } = this.#next.value;
    this.#next = this.#hidden.next();
    return { status: decided?.status ?? 'pending', reason };
  }

  *rest(): Generator<number> {
    yield* this.before(Number.MAX_SAFE_INTEGER);
    yield* this.#decisions.keys();
  }

  close(): void {
    this.#hidden.return(undefined);
  }
}
