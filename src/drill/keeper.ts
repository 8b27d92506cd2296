/**
 * What goes on without anybody: drills by the clock, cases of drills that somebody has acknowledged or that have waited long enough,
 * the report of a month that is over.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Case } from '../core/case-fold.ts';
import type { CasePage, CaseQuery } from '../core/case-report.ts';
import { OPEN_STATES, UNSEEN_STATES } from '../core/case-state.ts';
import type { DrillKind, DrillKindStatus } from '../core/drill.ts';
import { plural } from '../core/plural.ts';
import { agoMs, HOUR_MS, isoMicros } from '../core/time.ts';
import type { AuditBell } from '../observe/audit-bell.ts';
import { monthBefore, monthOf } from './month.ts';
import type { DrillRunner } from './runner.ts';

export interface KeeperDeps {
  readonly runner: Pick<DrillRunner, 'running' | 'isBusy' | 'start' | 'done'>;
  readonly kinds: () => Promise<readonly DrillKindStatus[]>;
  cases(query: CaseQuery): Promise<CasePage>;
  resolveDrillCases(peer: string, why: string): Promise<readonly number[]>;
  /** Drills that were cut off are told as failed. */
  readonly endCutOff: (before: string) => Promise<void>;
  readonly report: {
    /** When the audit log began; null: it has no record. */
    readonly begunAt: () => Promise<string | null>;
    readonly isMade: (month: string) => boolean;
    readonly make: (month: string) => Promise<void>;
  };
  /** Null: no drills are made by themselves. */
  readonly schedule: { readonly everyMs: number; readonly kinds: readonly DrillKind[] } | null;
  /** How long a drill's case waits for somebody. */
  readonly acknowledgeMs: number;
  readonly isReady: () => boolean;
  readonly audits: AuditBell;
  readonly nowMs: () => number;
  readonly onError: (error: unknown) => void;
}

const LOOK_EVERY_MS = 30_000;
/** Between two looks that the audit log's growth has woken. */
const SETTLE_MS = 200;
const MAX_CASES = 200;
export const SCHEDULE_ACTOR = 'system';

export class DrillKeeper {
  readonly #deps: KeeperDeps;
  readonly #stopping = new AbortController();
  #done: Promise<void> = Promise.resolve();
  #openCases = 0;
  /** When it was looked for drills without an end. */
  #endedMs = Number.NEGATIVE_INFINITY;
  #wake: () => void = () => undefined;
  #isRung = false;

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#done = this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  /** Everything that is due. What fails holds up nothing else. */
  async look(): Promise<void> {
    await this.#attempt(() => this.sweepCases());
    if (!this.#deps.isReady()) return;
    await this.#attempt(() => this.endCutOff());
    await this.#attempt(() => this.makeReport());
    await this.#attempt(() => this.runDue());
  }

  /** Asked before anything that could begin a drill: none that is found is one that has just begun. */
  async endCutOff(): Promise<void> {
    const { nowMs, runner } = this.#deps;
    const beganMs = nowMs();
    if (runner.isBusy || Math.abs(beganMs - this.#endedMs) < LOOK_EVERY_MS) return;
    await this.#deps.endCutOff(isoMicros(beganMs * 1_000));
    this.#endedMs = beganMs;
  }

  /** Resolves cases of drills: nobody has to find out what they were. */
  async sweepCases(): Promise<void> {
    const { runner, nowMs, acknowledgeMs, resolveDrillCases } = this.#deps;
    const query = { drill: true, states: OPEN_STATES, order: 'oldest', cursor: null, limit: MAX_CASES } as const;
    const { cases } = await this.#deps.cases(query);
    let open = 0;
    for (const held of cases) {
      const why = held.peer === runner.running?.node_id ? null : whyResolved(held, nowMs(), acknowledgeMs);
      if (why === null) open++;
      else await resolveDrillCases(held.peer, why);
    }
    this.#openCases = open;
  }

  /** Of the month before this one, once: when it is over, and no case of its drills waits for anybody. */
  async makeReport(): Promise<void> {
    const { nowMs, report, runner } = this.#deps;
    const month = monthOf(monthBefore(nowMs()));
    if (month === null || report.isMade(month.month) || runner.running !== null) return;
    const begun = await report.begunAt();
    if (begun === null || begun >= month.until) return;
    const query = { drill: true, states: OPEN_STATES, order: 'oldest', cursor: null, limit: 1 } as const;
    const [oldest] = (await this.#deps.cases(query)).cases;
    if (oldest === undefined || oldest.first_at >= month.until) await report.make(month.month);
  }

  /** Those whose last run is older than it may be, one after the other. */
  async runDue(): Promise<void> {
    const { schedule, runner, kinds, nowMs } = this.#deps;
    if (schedule === null) return;
    const known = await kinds();
    for (const kind of schedule.kinds) {
      const last = known.find((one) => one.kind === kind)?.last_run_at ?? null;
      if (last !== null && agoMs(Date.parse(last), nowMs()) < schedule.everyMs) continue;
      if (this.#stopping.signal.aborted) return;
      const outcome = await runner.start(kind, SCHEDULE_ACTOR, 'by the clock');
      if (outcome.kind !== 'started') return;
      await runner.done;
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.#deps.audits.onAudit(() => {
      if (this.#openCases === 0 && this.#deps.runner.running === null) return;
      this.#isRung = true;
      this.#wake();
    });
    const stop = (): void => this.#wake();
    signal.addEventListener('abort', stop);
    while (!signal.aborted) {
      this.#isRung = false;
      await this.look();
      await sleep(SETTLE_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted && !this.#isRung) await this.#rest();
    }
    signal.removeEventListener('abort', stop);
    unsubscribe();
  }

  async #attempt(step: () => Promise<void>): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    try {
      await step();
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#deps.onError(error);
    }
  }

  async #rest(): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await sleep(LOOK_EVERY_MS, undefined, { signal: woken.signal, ref: false }).catch(() => undefined);
    this.#wake = () => undefined;
  }
}

/** @returns null: it waits for somebody */
function whyResolved({ state, first_at }: Case, nowMs: number, acknowledgeMs: number): string | null {
  if (!UNSEEN_STATES.includes(state)) return 'a drill, which somebody has acknowledged';
  if (nowMs - Date.parse(first_at) < acknowledgeMs) return null;
  const hours = Math.round(acknowledgeMs / HOUR_MS);
  return `a drill, which nobody has acknowledged in ${plural(hours, 'hour')}`;
}
