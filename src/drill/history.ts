/** Drills as the audit log tells them, with what people did about their cases. */
import type { Case } from '../core/case-fold.ts';
import type { CasePage, CaseQuery } from '../core/case-report.ts';
import {
  DRILL_FAILED,
  DRILL_FINISHED,
  DRILL_KINDS,
  DRILL_STARTED,
  DRILLS,
  type DrillKind,
  type DrillKindStatus,
  type DrillRun,
  type DrillSink,
  drillAuthority,
  isDrillKind,
} from '../core/drill.ts';
import type { CaseEventPage, CaseEventQuery } from '../journal/case-reader.ts';
import type { AuditFilter, AuditPage, AuditRecord } from '../journal/read-model.ts';

export interface HistoryDeps {
  auditPage(filter: AuditFilter): Promise<AuditPage>;
  cases(query: CaseQuery): Promise<CasePage>;
  caseEvents(query: CaseEventQuery): Promise<CaseEventPage>;
  /** The drill that runs now. */
  readonly running: () => DrillRun | null;
}

export interface RunPage {
  readonly runs: readonly DrillRun[];
  readonly cursor: number | null;
  readonly more: boolean;
}

/** What a person may have done with a case before it is asked who was the first. */
const FIRST_CHANGES = 16;
/** Where one without an end is looked for: a report takes it as interrupted wherever it is. */
const NEWEST_RUNS = 16;
/** Records of each kind that a status looks at: newer ones are found first. */
const STATUS_RECORDS = 500;
/** Drills run one at a time: the failure of one is among the first behind its beginning. */
const NEXT_FAILURES = 16;
const ID = /^[0-9a-f]{32}$/;

export class DrillHistory {
  readonly #deps: HistoryDeps;

  constructor(deps: HistoryDeps) {
    this.#deps = deps;
  }

  /** Newest first. @param cursor the `cursor` of the page before; null: from the newest */
  async page(cursor: number | null, limit: number): Promise<RunPage> {
    const at = cursor === null ? {} : { cursor };
    const page = await this.#deps.auditPage({ event: DRILL_STARTED, order: 'desc', limit, ...at });
    return { runs: await this.#runs(page.records), cursor: page.cursor, more: page.hasMore };
  }

  async find(id: string): Promise<DrillRun | null> {
    if (!ID.test(id)) return null;
    const peer = `stigmem://${drillAuthority(id)}`;
    const { records } = await this.#deps.auditPage({ event: DRILL_STARTED, peer, order: 'asc', limit: 1 });
    return (await this.#runs(records))[0] ?? null;
  }

  /** Those that began between two times of the audit log, the oldest first. */
  async between(since: string, until: string): Promise<readonly DrillRun[]> {
    const runs: DrillRun[] = [];
    for (let cursor: number | null = null; ; ) {
      const at = cursor === null ? {} : { cursor };
      const filter = { event: DRILL_STARTED, since, until, order: 'asc', limit: STATUS_RECORDS, ...at } as const;
      const page = await this.#deps.auditPage(filter);
      // Both ends of the filter are inclusive.
      runs.push(...(await this.#runs(page.records.filter(({ at }) => at < until))));
      if (!page.hasMore) return runs;
      cursor = page.cursor;
    }
  }

  /** Those that began before a time, when none ran, and have no end: the node was killed, or could not write it down. */
  async cutOff(before: string): Promise<readonly DrillRun[]> {
    const { runs } = await this.page(null, NEWEST_RUNS);
    return runs.filter(({ state, started_at }) => state === 'running' && started_at < before);
  }

  async kinds(): Promise<readonly DrillKindStatus[]> {
    const newest = (event: string): Promise<AuditPage> =>
      this.#deps.auditPage({ event, order: 'desc', limit: STATUS_RECORDS });
    const [started, finished, failed] = await Promise.all([DRILL_STARTED, DRILL_FINISHED, DRILL_FAILED].map(newest));
    const last = (page: AuditPage | undefined, kind: DrillKind): AuditRecord | null =>
      page?.records.find(({ detail }) => detail['kind'] === kind) ?? null;
    return DRILL_KINDS.map((kind) => {
      const [run, pass, fail] = [last(started, kind), last(finished, kind), last(failed, kind)];
      return {
        kind,
        ...DRILLS[kind],
        last_run_at: run?.at ?? null,
        last_state: run === null ? null : stateOf(run, pass, fail),
        last_passed_at: pass?.at ?? null,
      };
    });
  }

  async #runs(records: readonly AuditRecord[]): Promise<readonly DrillRun[]> {
    const runs = await Promise.all(records.map((record) => this.#run(record)));
    return runs.filter((run) => run !== null);
  }

  async #run(started: AuditRecord): Promise<DrillRun | null> {
    const { peer } = started;
    const { drill } = started.detail;
    const running = this.#deps.running();
    if (peer === null || typeof drill !== 'string') return null;
    const [ended, held] = await Promise.all([
      running?.id === drill ? null : this.#ended(started, drill),
      this.#deps.cases({ peer, order: 'oldest', cursor: null, limit: 1 }),
    ]);
    const [found = null] = held.cases;
    return runOf(started, ended, found, found === null ? null : await this.#firstPerson(found));
  }

  async #ended({ at, peer, seq }: AuditRecord, drill: string): Promise<AuditRecord | null> {
    const own = { peer: peer ?? '', event: DRILL_FINISHED, order: 'asc', limit: 1 } as const;
    const [finished] = (await this.#deps.auditPage(own)).records;
    if (finished !== undefined) return finished;
    // A failure is no record of its peer. It follows soon, or at the next start of the node.
    const failed = { event: DRILL_FAILED, since: at, cursor: seq, order: 'asc', limit: NEXT_FAILURES } as const;
    const { records } = await this.#deps.auditPage(failed);
    return records.find(({ detail }) => detail['drill'] === drill) ?? null;
  }

  async #firstPerson({ id }: Case): Promise<AuditRecord | null> {
    const query = { id, order: 'oldest', cursor: null, changesOnly: true, limit: FIRST_CHANGES } as const;
    const { events } = await this.#deps.caseEvents(query);
    return events.map(({ record }) => record).find(({ actor }) => actor !== 'system') ?? null;
  }
}

function stateOf(run: AuditRecord, pass: AuditRecord | null, fail: AuditRecord | null): DrillRun['state'] {
  const ended = Math.max(pass?.seq ?? 0, fail?.seq ?? 0);
  if (ended < run.seq) return 'running';
  return (fail?.seq ?? 0) > (pass?.seq ?? 0) ? 'failed' : 'passed';
}

/** Total: what a record does not say is not known. */
export function runOf(
  started: AuditRecord,
  ended: AuditRecord | null,
  held: Pick<Case, 'id'> | null,
  person: Pick<AuditRecord, 'at' | 'actor'> | null,
): DrillRun | null {
  const { drill, kind, why } = started.detail;
  if (typeof drill !== 'string' || typeof kind !== 'string' || !isDrillKind(kind)) return null;
  const told = ended?.detail ?? {};
  const { event, reason } = DRILLS[kind];
  return {
    id: drill,
    kind,
    state: ended === null ? 'running' : ended.event === DRILL_FINISHED ? 'passed' : 'failed',
    node_id: started.peer ?? '',
    started_at: started.at,
    started_by: started.actor ?? 'system',
    why: textIn(why) ?? '',
    ended_at: ended?.at ?? null,
    failure:
      ended?.event === DRILL_FAILED ? { code: ended.reason ?? '', message: textIn(told['message']) ?? '' } : null,
    expected: { event, reason },
    seen: seenIn(told['seen']),
    sent_at: textIn(told['sent_at']),
    refused_at: textIn(told['refused_at']),
    recorded_at: textIn(told['recorded_at']),
    sinks: sinksIn(told['sinks']),
    convicts: typeof told['convicts'] === 'boolean' ? told['convicts'] : null,
    acknowledged_at: person?.at ?? null,
    acknowledged_by: person?.actor ?? null,
    case_id: held?.id ?? null,
  };
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function seenIn(value: unknown): DrillRun['seen'] {
  if (typeof value !== 'object' || value === null) return null;
  const { event, reason, audit_seq } = value as Record<string, unknown>;
  const isSeen = typeof event === 'string' && typeof reason === 'string' && typeof audit_seq === 'number';
  return isSeen ? { event, reason, audit_seq } : null;
}

function sinksIn(value: unknown): readonly DrillSink[] {
  return Array.isArray(value) ? (value as readonly DrillSink[]) : [];
}
