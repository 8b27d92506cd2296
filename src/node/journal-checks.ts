/**
 * Checks of everything that is stored: by hand, by the clock, and those that the command line has run. Each leaves an audit record, and
 * with it whatever is made of records: SIEM, WORM store, cases.
 */
import { hash } from 'node:crypto';
import type { ApiChecks, CheckRefusal, RunningCheck } from '../admin/check-desk.ts';
import {
  CHECK_EVENTS,
  CHECK_FAILED,
  CHECK_STOPPED,
  CHECKED,
  type CheckCause,
  type CheckDetail,
  checkOf,
  type JournalCheck,
} from '../core/journal-check.ts';
import { agoMs, HOUR_MS, isoMicros } from '../core/time.ts';
import type { FsckProgress } from '../journal/fsck/context.ts';
import type { FsckReport } from '../journal/fsck/report.ts';
import type { AuditFilter, AuditInput, AuditPage } from '../journal/read-model.ts';
import type { LogName } from '../journal/tables.ts';
import type { Clock } from '../transport/clock.ts';
import { CHECK_REPORT, type CheckReport } from '../wire/check-report.ts';
import { openDocument } from '../wire/signed-document.ts';
import { findingsOf, type WaitingCheck } from './left-checks.ts';

const LOOK_EVERY_MS = 60_000;
/** A node that has just started has other things to do, and one that starts again and again never only checks. */
const SETTLING_MS = 600_000;
/** What did not come to its end is tried again then. */
const RETRY_MS = 3_600_000;
/** A report that is handed over is of now: an older one would speak of a journal as it was. */
const HANDED_OVER_MS = 3_600_000;
const CLOCKS_DIFFER_MS = 300_000;
/** How far back it is looked for a report that was recorded before. */
const MAX_LOOKED_AT = 200;
/** What was written right before a check began may have become durable behind the moment that the check saw. */
const DURABLE_WITHIN_MS = 10_000;

/** A log key of this node. */
export interface CheckKey {
  readonly key: Uint8Array;
  /** Up to when it signed, Unix ms; null: it is the present one. */
  readonly untilMs: number | null;
}

export interface JournalChecksDeps {
  readonly everyMs: number | null;
  readonly createdMs: number;
  readonly fsck: (run: {
    readonly onProgress: (progress: FsckProgress) => void;
    readonly signal: AbortSignal;
  }) => Promise<FsckReport>;
  readonly audit: (input: AuditInput) => Promise<number>;
  readonly auditPage: (filter: AuditFilter) => Promise<AuditPage>;
  /** Over the first `size` records, base64; null: there are fewer. */
  readonly rootAt: (log: LogName, size: number) => string | null;
  /** How many records a log had at a time at least, Unix ms. */
  readonly sizeAt: (log: LogName, ms: number) => number;
  readonly origin: string;
  readonly logKeys: readonly CheckKey[];
  readonly waiting: () => readonly WaitingCheck[];
  readonly remove: (check: WaitingCheck) => void;
  /** The node may write. */
  readonly isReady: () => boolean;
  readonly onEnded: (check: Pick<JournalCheck, 'clean' | 'problems' | 'rows' | 'duration_ms'>) => void;
  readonly onError: (error: unknown) => void;
  readonly onRefused: (file: string, why: CheckRefusal) => void;
  readonly clock: Clock;
}

/** What is on record. */
interface Known {
  /** Of the newest check. */
  readonly problems: number;
  /** When the newest clean one ended, Unix ms; null: there was none. */
  readonly cleanMs: number | null;
}

export class JournalChecks implements ApiChecks {
  readonly #deps: JournalChecksDeps;
  readonly #startedMs: number;
  #known: Known | null = null;
  #running: { readonly view: RunningCheck; readonly stop: AbortController } | null = null;
  #lastError: string | null = null;
  #notBeforeMs = 0;
  #work: Promise<void> = Promise.resolve();
  #check: Promise<void> = Promise.resolve();
  #cancel: () => void = () => {};
  #isStopped = false;
  /** Files of reports that could not be taken: each is told once, and tried at every look. */
  readonly #untaken = new Set<string>();

  constructor(deps: JournalChecksDeps) {
    this.#deps = deps;
    this.#startedMs = deps.clock.nowMs();
  }

  get everyHours(): number | null {
    const { everyMs } = this.#deps;
    return everyMs === null ? null : everyMs / HOUR_MS;
  }

  /** Looks now, and every minute from now on. */
  begin(): void {
    this.#work = this.#work.then(() => this.#look()).catch(this.#deps.onError);
    if (!this.#isStopped) this.#cancel = this.#deps.clock.after(LOOK_EVERY_MS, () => this.begin());
  }

  /** Ends what goes on. */
  async close(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    this.#running?.stop.abort(new Error('the node stops'));
    await this.#work;
    await this.#check;
  }

  running(): RunningCheck | null {
    return this.#running?.view ?? null;
  }

  lastError(): string | null {
    return this.#lastError;
  }

  start(actor: string): 'started' | 'runs_already' {
    return this.#begin('by_hand', actor) ? 'started' : 'runs_already';
  }

  async stop(actor: string): Promise<boolean> {
    if (this.#running === null || this.#running.stop.signal.aborted) return false;
    const { stop, view } = this.#running;
    this.#lastError = `stopped by ${actor}`;
    stop.abort(new Error(this.#lastError));
    await this.#deps.audit({ event: CHECK_STOPPED, actor, detail: { ...view } });
    return true;
  }

  async record(note: string, actor: string): Promise<number | CheckRefusal> {
    // A key that was given up may be anybody's by now.
    const present = this.#deps.logKeys.filter(({ untilMs }) => untilMs === null);
    const report = this.#opened(note, present);
    const nowMs = this.#deps.clock.nowMs();
    if (report !== null && Date.parse(report.ended_at) < nowMs - HANDED_OVER_MS) return 'stale';
    return report === null ? 'not_signed' : this.#take(note, report, actor);
  }

  /** Age of the newest clean check, of the journal where there was none; and what the newest check found. */
  async state(): Promise<{ readonly ageMs: number; readonly problems: number }> {
    const { problems } = await this.#read();
    return { ageMs: this.#ageMs(), problems };
  }

  #ageMs(): number {
    const { clock, createdMs } = this.#deps;
    return agoMs(this.#known?.cleanMs ?? createdMs, clock.nowMs());
  }

  async #look(): Promise<void> {
    const { clock, everyMs, isReady } = this.#deps;
    if (this.#isStopped || !isReady()) return;
    await this.#takeWaiting();
    await this.#read();
    // Asked behind the last wait: a check may have ended meanwhile.
    const nowMs = clock.nowMs();
    const isSettled = agoMs(this.#startedMs, nowMs) >= SETTLING_MS && nowMs >= this.#notBeforeMs;
    if (everyMs !== null && isSettled && this.#ageMs() >= everyMs) this.#begin('by_clock', null);
  }

  #begin(cause: CheckCause, by: string | null): boolean {
    if (this.#running !== null || this.#isStopped) return false;
    const startedMs = this.#deps.clock.nowMs();
    const view = { cause, by, started_at: isoMicros(startedMs * 1_000), phase: 'beginning', done: 0, total: 0 };
    this.#running = { view, stop: new AbortController() };
    this.#check = this.#run(cause, by, startedMs, this.#running.stop.signal);
    return true;
  }

  async #run(cause: CheckCause, by: string | null, startedMs: number, signal: AbortSignal): Promise<void> {
    const { clock, fsck, onError } = this.#deps;
    try {
      const report = await fsck({
        signal,
        onProgress: (progress) => {
          if (this.#running !== null)
            this.#running = { ...this.#running, view: { ...this.#running.view, ...progress } };
        },
      });
      const findings = findingsOf(report, { startedMs, endedMs: clock.nowMs() });
      await this.#save({ ...findings, cause, by, report: null }, by);
      this.#lastError = null;
      // What is damaged stays so until somebody looks: once in a while is enough.
      if (findings.problems > 0) this.#notBeforeMs = clock.nowMs() + (this.#deps.everyMs ?? 0);
    } catch (error) {
      this.#notBeforeMs = clock.nowMs() + RETRY_MS;
      if (signal.aborted) return;
      this.#lastError = error instanceof Error ? error.message : String(error);
      onError(error);
    } finally {
      this.#running = null;
    }
  }

  async #takeWaiting(): Promise<void> {
    const { onError, waiting } = this.#deps;
    for (const one of waiting())
      try {
        await this.#takeOne(one);
        this.#untaken.delete(one.file);
      } catch (error) {
        // The others, and the clock, are not held up by one of them.
        if (!this.#untaken.has(one.file)) onError(error);
        this.#untaken.add(one.file);
      }
  }

  async #takeOne(one: WaitingCheck): Promise<void> {
    const { logKeys, onRefused, remove } = this.#deps;
    const report = one.note === null ? null : this.#opened(one.note, logKeys);
    const taken = report === null || one.note === null ? 'not_signed' : await this.#take(one.note, report, null);
    if (typeof taken === 'string') onRefused(one.file, taken);
    remove(one);
  }

  #opened(note: string, keys: readonly CheckKey[]): CheckReport | null {
    const { origin } = this.#deps;
    for (const { key, untilMs } of keys) {
      const opened = openDocument(CHECK_REPORT, Buffer.from(note), [key], origin);
      if (!opened.ok) continue;
      const report = opened.value.value;
      return untilMs === null || Date.parse(report.ended_at) <= untilMs ? report : null;
    }
    return null;
  }

  async #take(note: string, report: CheckReport, actor: string | null): Promise<number | CheckRefusal> {
    const { clock } = this.#deps;
    const { v: _, ...findings } = report;
    const endedMs = Date.parse(report.ended_at);
    if (Number.isNaN(endedMs) || endedMs > clock.nowMs() + CLOCKS_DIFFER_MS) return 'stale';
    if (report.problems === 0 && this.#isOfAnother(report)) return 'other_history';
    const digest = `sha256:${hash('sha256', note, 'hex')}`;
    if (await this.#isRecorded(digest)) return 'recorded_before';
    return this.#save({ ...findings, cause: 'command_line', report: digest }, actor);
  }

  /**
   * A clean report of another journal, of one that was put back since, or of a part of this one says nothing about this one. One of
   * damage is not asked: the file that it speaks of may be beyond reading.
   */
  #isOfAnother(report: CheckReport): boolean {
    const { rootAt, sizeAt } = this.#deps;
    const beganMs = Date.parse(report.started_at) - DURABLE_WITHIN_MS;
    if (Number.isNaN(beganMs)) return true;
    return (['journal', 'audit'] as const).some((log) => {
      const tree = report[log];
      return tree === null || tree.size < sizeAt(log, beganMs) || rootAt(log, tree.size) !== tree.root;
    });
  }

  async #save(detail: CheckDetail, actor: string | null): Promise<number> {
    const { audit, onEnded } = this.#deps;
    await this.#read();
    const event = detail.problems === 0 ? CHECKED : CHECK_FAILED;
    const seq = await audit({ event, actor, detail: { ...detail } });
    const check = checkOf({ seq, event, actor, at: detail.ended_at, detail: { ...detail } });
    if (check !== null) {
      this.#known = withNewer(this.#known, check, this.#deps.clock.nowMs());
      onEnded(check);
    }
    return seq;
  }

  async #isRecorded(digest: string): Promise<boolean> {
    for (const event of CHECK_EVENTS) {
      const { records } = await this.#deps.auditPage({ event, order: 'desc', limit: MAX_LOOKED_AT });
      if (records.some(({ detail }) => detail['report'] === digest)) return true;
    }
    return false;
  }

  async #read(): Promise<Known> {
    if (this.#known !== null) return this.#known;
    const found: JournalCheck[] = [];
    for (const event of CHECK_EVENTS) {
      const { records } = await this.#deps.auditPage({ event, order: 'desc', limit: 1 });
      found.push(...records.flatMap((record) => checkOf(record) ?? []));
    }
    const inOrder = found.toSorted((a, b) => a.audit_seq - b.audit_seq);
    const nowMs = this.#deps.clock.nowMs();
    const known = inOrder.reduce<Known>((newest, check) => withNewer(newest, check, nowMs), NONE_KNOWN);
    this.#known ??= known;
    return this.#known;
  }
}

const NONE_KNOWN: Known = { problems: 0, cleanMs: null };

/** A report that waited may be of before the newest clean check. One of a time to come is not the newest. */
function withNewer(known: Known | null, check: JournalCheck, nowMs: number): Known {
  const ends = [known?.cleanMs ?? null, check.clean ? Date.parse(check.ended_at) : null];
  const past = ends.filter((ms) => ms !== null && Number.isFinite(agoMs(ms, nowMs)));
  return { problems: check.problems, cleanMs: past.length === 0 ? null : Math.max(...past.map(Number)) };
}
