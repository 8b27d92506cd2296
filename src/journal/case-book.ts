/**
 * Cases as the audit log tells them: every record that is appended is taken in, in the same transaction, so that refusals are
 * counted once and a kill loses nothing. A summary of many refusals changes its row once. The table is only where they are read.
 */
import { type Case, changed, opened, seenAgain } from '../core/case-fold.ts';
import { CASE_CHANGED, type CaseGroup, type Sighting, sightingOf } from '../core/case-sighting.ts';
import { SEVERITIES } from '../core/severity.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { AuditRecord } from './read-model.ts';
import type { Tables } from './tables.ts';

export type CaseRow = Tables['cases'];
/** What a record has to say to be taken in. */
export type TakenRecord = Pick<AuditRecord, 'seq' | 'at' | 'event' | 'reason' | 'peer' | 'feed' | 'detail'>;

type GroupCells = [string, string, string, string];

export class CaseBook {
  readonly #byId: Statement<[number], CaseRow>;
  readonly #byKey: Statement<[...GroupCells, string], CaseRow>;
  readonly #newest: Statement<GroupCells, CaseRow>;
  readonly #put: Statement<unknown[]>;
  readonly #record: Statement<unknown[]>;

  constructor(db: Db) {
    this.#byId = prepare(db, sqlBuilder.selectFrom('cases').selectAll().where('id', '=', PARAM));
    this.#byKey = prepare(db, ofGroup.where('key_id', '=', PARAM));
    this.#newest = prepare(db, ofGroup.orderBy('id', 'desc').limit(ONE));
    this.#put = prepare(db, sqlBuilder.replaceInto('cases').values(CELLS));
    // A row that somebody has put there before must not keep the audit log from going on.
    this.#record = prepare(
      db,
      sqlBuilder.replaceInto('case_records').values({ seq: PARAM, case_id: PARAM, is_change: PARAM }),
    );
  }

  find(id: number): Case | null {
    const row = this.#byId.get(id);
    return row === undefined ? null : caseOf(row);
  }

  /**
   * The caller holds the transaction that appends the record.
   *
   * @param hash `sha256:…` of the record
   * @returns the case that it opened, for the first time or again; else null
   */
  take(record: TakenRecord, hash: () => string): Case | null {
    const { seq, at, event, detail } = record;
    if (event === CASE_CHANGED) {
      const held = this.find(Number(detail['case']));
      if (held !== null) this.#save(changed(held, detail, { seq, at, hash: '' }), 1);
      return null;
    }
    const sighting = sightingOf(record);
    if (sighting === null) return null;
    const told = { seq, at, hash: hash() };
    const held = this.#of(sighting);
    const now = held === undefined ? opened(sighting, told) : seenAgain(held, sighting, told);
    this.#save(now, 0);
    return now.version === seq ? now : null;
  }

  /**
   * Records of older versions do not name the key: they belong to the newest case that they may belong to, and a case that only
   * they have made gets its key from the first record that has one.
   */
  #of(sighting: Sighting): Case | undefined {
    const { keyId, ...group } = sighting;
    const cells = cellsOf(group);
    const row =
      this.#byKey.get(...cells, keyId) ?? (keyId === '' ? this.#newest.get(...cells) : this.#byKey.get(...cells, ''));
    return row === undefined ? undefined : caseOf(row);
  }

  #save(one: Case, isChange: 0 | 1): void {
    this.#put.run(Object.values(rowOf(one)));
    this.#record.run(one.last_seq, one.id, isChange);
  }
}

function cellsOf({ topic, peer, reason, feed }: Omit<CaseGroup, 'keyId'>): GroupCells {
  return [topic, peer, reason, feed];
}

/** @param row as it is stored; a row that somebody else has written may say anything, and is told by fsck */
export function caseOf(row: CaseRow): Case {
  return {
    ...row,
    ...Object.fromEntries(NUMBERS.map((name) => [name, Number.isSafeInteger(row[name]) ? row[name] : 0])),
    state: row.state as Case['state'],
    verdict: row.verdict as Case['verdict'],
    severity: SEVERITIES[row.severity] ?? 'info',
    samples: samplesOf(row.samples),
  };
}

const NUMBERS = ['id', 'seen', 'absorbed', 'last_seen_seq', 'version', 'last_seq'] as const;

function samplesOf(text: string): Case['samples'] {
  try {
    const samples: unknown = JSON.parse(text);
    return Array.isArray(samples) ? samples.filter(isSample) : [];
  } catch {
    return [];
  }
}

function isSample(one: unknown): one is Case['samples'][number] {
  return Array.isArray(one) && one.length === 2 && typeof one[0] === 'string' && Number.isSafeInteger(one[1]);
}

/** In the order of {@link CELLS}. */
function rowOf(one: Case): CaseRow {
  const values = { ...one, severity: SEVERITIES.indexOf(one.severity), samples: JSON.stringify(one.samples) };
  return Object.fromEntries(COLUMNS.map((name) => [name, values[name]])) as unknown as CaseRow;
}

const COLUMNS = [
  'id',
  'uid',
  'topic',
  'peer',
  'reason',
  'feed',
  'key_id',
  'state',
  'state_at',
  'severity',
  'seen',
  'absorbed',
  'first_at',
  'last_at',
  'last_seen_seq',
  'samples',
  'verdict',
  'assignee',
  'ticket',
  'owner',
  'suppressed_for',
  'until',
  'version',
  'last_seq',
] as const satisfies readonly (keyof CaseRow)[];
const CELLS = Object.fromEntries(COLUMNS.map((name) => [name, PARAM])) as Readonly<Record<keyof CaseRow, never>>;

const ofGroup = sqlBuilder
  .selectFrom('cases')
  .selectAll()
  .where('topic', '=', PARAM)
  .where('peer', '=', PARAM)
  .where('reason', '=', PARAM)
  .where('feed', '=', PARAM);
