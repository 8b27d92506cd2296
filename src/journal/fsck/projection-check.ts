/** Tables that are derived: what they hold has to follow from entries and audit log, over the range that they cover. */
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import { type LookupFields, LookupKeys } from '../lookup-key.ts';
import type { FsckContext } from './context.ts';
import type { EntryTotals } from './entry-check.ts';
import { checkQuarantine } from './quarantine-check.ts';
import { checkRecallIndex } from './recall-check.ts';

type Projected = LookupFields & { readonly chain_seq: number };

export function checkProjections(ctx: FsckContext, entries: EntryTotals): void {
  const state = new Map(
    prepare<[], { name: string; value: number }>(ctx.db, sqlBuilder.selectFrom('state').selectAll())
      .all()
      .map(({ name, value }) => [name, value]),
  );
  checkState(ctx, state, entries);
  checkLookup(ctx, Math.min(state.get('projected') ?? 0, entries.rows));
  checkQuarantine(ctx);
  checkRecallIndex(ctx, state.get('recalled') ?? 0, entries);
}

function checkState(ctx: FsckContext, state: ReadonlyMap<string, number>, entries: EntryTotals): void {
  const hlc = state.get('hlc');
  const report = (row: string, code: string, detail: string): void =>
    ctx.findings.problem({ table: 'state', row, field: 'value', code, detail });
  if (hlc === undefined && entries.rows > 0) {
    ctx.findings.notice('clock_not_stored', 'the clock is read from the entries at the next start');
  } else if (hlc !== undefined && hlc < entries.maxHlc) {
    report(
      'hlc',
      'clock_behind',
      `${hlc} is before the newest entry's ${entries.maxHlc}: new facts would sort before it`,
    );
  }
  const projected = state.get('projected') ?? 0;
  if (projected > entries.rows) {
    report(
      'projected',
      'projection_ahead',
      `${projected} entries were looked through, the journal has ${entries.rows}`,
    );
  } else if (projected < entries.rows) {
    const detail = `look-ups know ${projected} of ${entries.rows} entries: the daemon adds the rest`;
    ctx.findings.notice('projection_behind', detail);
  }
}

/** Compares counts and checksums of both sets of pairs; only if they differ is the first pair searched for. */
function checkLookup(ctx: FsckContext, projected: number): void {
  const derived = new PairSum();
  const keys = new LookupKeys();
  for (const row of projectedRows(ctx.db, projected)) {
    ctx.step('lookup', row.chain_seq, projected);
    for (const key of keysOf(keys, row)) derived.add(key, row.chain_seq);
  }
  const stored = new PairSum();
  const rows = prepare<[], { key: number; seq: number }>(ctx.db, sqlBuilder.selectFrom('lookup').selectAll());
  for (const { key, seq } of rows.iterate()) {
    if (stored.count % 4096 === 0) ctx.step('lookup', stored.count, derived.count);
    stored.add(key, seq);
  }
  ctx.findings.checked.lookup = stored.count;
  // Keys of entries that were changed differ for that reason.
  if (!stored.equals(derived) && !ctx.findings.isDamaged('entries')) reportLookup(ctx, projected, stored.count);
}

function reportLookup(ctx: FsckContext, projected: number, stored: number): void {
  const missing = firstMissing(ctx.db, projected);
  const stray = missing ?? firstStray(ctx.db, projected);
  ctx.findings.problem({
    table: 'lookup',
    row: stray ?? null,
    field: missing === undefined ? 'seq' : 'key',
    code: missing === undefined ? 'lookup_unexpected' : 'lookup_missing',
    detail: `the ${stored} look-ups do not follow from the first ${projected} entries: rebuild them`,
  });
}

function firstMissing(db: Db, projected: number): number | undefined {
  const find = prepare<[number, number]>(
    db,
    sqlBuilder.selectFrom('lookup').select('seq').where('key', '=', PARAM).where('seq', '=', PARAM),
  );
  const keys = new LookupKeys();
  for (const row of projectedRows(db, projected)) {
    if (keysOf(keys, row).some((key) => find.get(key, row.chain_seq) === undefined)) return row.chain_seq;
  }
  return undefined;
}

function firstStray(db: Db, projected: number): number | undefined {
  const find: Statement<[number], Projected> = prepare(db, lookupFields.where('chain_seq', '=', PARAM));
  const keys = new LookupKeys();
  const rows = prepare<[], { key: number; seq: number }>(db, sqlBuilder.selectFrom('lookup').selectAll());
  for (const { key, seq } of rows.iterate()) {
    const row = find.get(seq);
    if (row === undefined || seq > projected || !keysOf(keys, row).includes(key)) return seq;
  }
  return undefined;
}

const lookupFields = sqlBuilder
  .selectFrom('entries')
  .select(['chain_seq', 'entity', 'relation', 'scope', 'source', 'cid']);

function projectedRows(db: Db, projected: number): IterableIterator<Projected> {
  const rows = prepare<[number], Projected>(db, lookupFields.where('chain_seq', '<=', PARAM).orderBy('chain_seq'));
  return rows.iterate(projected);
}

/** Equal keys of one fact share a row. */
function keysOf(keys: LookupKeys, row: Projected): number[] {
  return row.cid.length < 6 ? [] : [...new Set(keys.of(row))];
}

/** Count and two 32-bit sums over a set of pairs, whatever their order. Finds damage, not an adversary: it is derived. */
class PairSum {
  count = 0;
  #a = 0;
  #b = 0;

  add(key: number, seq: number): void {
    const high = Math.floor(key / 2 ** 32);
    const mixed = mix(mix(mix(key) ^ high) ^ seq) >>> 0;
    this.count++;
    this.#a = (this.#a + mixed) >>> 0;
    this.#b = (this.#b + mix(mixed ^ 0x9e3779b9)) >>> 0;
  }

  equals(other: PairSum): boolean {
    return this.count === other.count && this.#a === other.#a && this.#b === other.#b;
  }
}

/** The finalizer of MurmurHash3. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
