/**
 * The audit log on its way to each sink, beside the append path. The log itself is the queue: of each sink only its place in it
 * is kept, and moves when the receiver has taken what came before. One sink never waits for another.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ActBy } from '../core/approval.ts';
import type { SinkFormat } from '../core/sink.ts';
import type { SinkMove, SinkState } from '../journal/sink-records.ts';
import type { AuditBell } from '../observe/audit-bell.ts';
import { isWanted, type SinkFilter } from './filter.ts';
import { type FormattedEvent, formatEvent } from './format.ts';
import { type AuditLine, type SiemEvent, type SiemNode, siemEventOf } from './siem-event.ts';
import { type Sink, SinkError } from './sink.ts';
import { testEvent } from './test-event.ts';

/** What the journal's threads do for it. */
export interface ExportJournal {
  /** They follow `after` without a hole, and are what was recorded. @throws an error with code `leaf_mismatch` or `broken` */
  auditLines(after: number, limit: number, maxBytes: number): Promise<readonly AuditLine[]>;
  sinkState(name: string): Promise<SinkState>;
  ackSink(name: string, from: number, to: number): Promise<boolean>;
  failSink(name: string, at: number, error: string): Promise<void>;
  moveSink(name: string, move: SinkMove, by: Pick<ActBy, 'actor' | 'reason'>): Promise<number | null>;
}

export interface ExportTarget extends SinkFilter {
  readonly name: string;
  readonly format: SinkFormat;
  readonly withRecord: boolean;
  /** Events of one delivery at most. */
  readonly batch: number;
  readonly sink: Sink;
}

export interface ExportingDeps {
  readonly journal: ExportJournal;
  readonly node: SiemNode;
  readonly audits: AuditBell;
  readonly nowMs: () => number;
  /** First pause after a failure; it doubles, up to {@link MAX_PAUSE_MS}. */
  readonly retryMs: number;
  readonly onDelivered: (sink: string, events: number) => void;
  readonly onFailed: (sink: string, error: SinkError, attempts: number) => void;
  readonly onGap: (sink: string, seq: number) => void;
  /** The journal itself could not be asked. */
  readonly onError: (error: unknown) => void;
}

export type TestOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: string; readonly message: string };

const MAX_PAUSE_MS = 300_000;
const JOURNAL_PAUSE_MS = 1_000;
/** Of the records of one batch. */
const MAX_BATCH_BYTES = 1_048_576;
/** An event that the receiver refuses so often, while it takes others, is passed over, and that is recorded. */
const REFUSALS_TO_PASS = 5;
const MAX_ERROR_CHARS = 300;
/** Of a receiver that confirms nothing: one that it had read and not written, and one whose connection it closed as it ended. */
const UNSURE_DELIVERIES = 2;
const SYSTEM = { actor: 'system', reason: 'the receiver refuses this event and takes others' };

export class Exporting {
  readonly #deps: ExportingDeps;
  readonly #workers: ReadonlyMap<string, SinkWorker>;
  readonly #stopping = new AbortController();
  #done: Promise<unknown> = Promise.resolve();

  constructor(deps: ExportingDeps, targets: readonly ExportTarget[]) {
    this.#deps = deps;
    this.#workers = new Map(targets.map((target) => [target.name, new SinkWorker(target, deps)]));
  }

  start(): void {
    this.#done = Promise.all([...this.#workers.values()].map((worker) => worker.run(this.#stopping.signal)));
  }

  /** What is under way is given up: it is sent again at the next start, with the same ids. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the node is stopping'));
    await this.#done;
    for (const worker of this.#workers.values()) await worker.close();
  }

  /** An event that stands in no log, sent at once, past everything that waits. */
  async test(name: string): Promise<TestOutcome | undefined> {
    return this.#workers.get(name)?.test(this.#stopping.signal);
  }

  /** Moves a sink, and lets it go on at once. @returns sequence of the record; null: the place is not one to move to */
  async move(name: string, move: SinkMove, by: Pick<ActBy, 'actor' | 'reason'>): Promise<number | null> {
    const seq = await this.#deps.journal.moveSink(name, move, by);
    this.#workers.get(name)?.wake();
    return seq;
  }
}

/** One sink, in order. */
class SinkWorker {
  readonly #target: ExportTarget;
  readonly #deps: ExportingDeps;
  #attempts = 0;
  /** Of these, how often the receiver has refused the event behind {@link #refusedAfter}. */
  #refusals = 0;
  #refusedAfter = 0;
  /** Of a receiver that confirms nothing: whether it may have ended, and lost its newest, since it was last known to be there. */
  #isUnsure: boolean;
  /** How many events go at a time: one, while a receiver refuses some and does not say which. */
  #batch: number;
  #rung = false;
  #urged = false;
  #wake: () => void = () => undefined;

  constructor(target: ExportTarget, deps: ExportingDeps) {
    this.#target = target;
    this.#deps = deps;
    this.#batch = target.batch;
    this.#isUnsure = !target.sink.confirms;
  }

  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.#deps.audits.onAudit(() => this.#ring());
    const stop = (): void => this.wake();
    signal.addEventListener('abort', stop);
    while (!signal.aborted) {
      const pauseMs = await this.#turn(signal).catch((error: unknown) => {
        if (!signal.aborted) this.#deps.onError(error);
        return JOURNAL_PAUSE_MS;
      });
      if (pauseMs !== 0 && !signal.aborted) await this.#rest(pauseMs);
    }
    signal.removeEventListener('abort', stop);
    unsubscribe();
  }

  close(): Promise<void> {
    return this.#target.sink.close();
  }

  /** Ends a pause, also one after a failure. */
  wake(): void {
    this.#urged = true;
    this.#wake();
  }

  async test(signal: AbortSignal): Promise<TestOutcome> {
    try {
      await this.#target.sink.deliver([this.#formatted(testEvent(this.#deps.node, this.#deps.nowMs()))], signal);
      return { ok: true };
    } catch (thrown) {
      const { code, message } = asSinkError(thrown);
      return { ok: false, code, message };
    }
  }

  /** @returns for how long there is nothing to do; 0: there may be more, null: until the log grows */
  async #turn(signal: AbortSignal): Promise<number | null> {
    const { journal } = this.#deps;
    const { name } = this.#target;
    this.#rung = false;
    const { acked, placed } = await journal.sinkState(name);
    const unsent = this.#isUnsure
      ? await this.#sendAgain(Math.max(placed, acked - UNSURE_DELIVERIES * this.#target.batch), acked, signal)
      : null;
    if (signal.aborted) return 0;
    if (unsent !== null) return this.#failed(unsent, acked, acked, signal);
    const lines = await journal.auditLines(acked, this.#batch, MAX_BATCH_BYTES).catch(damageOf);
    // It stops here: what comes behind would say that all before it was sent.
    if (lines instanceof SinkError) return this.#failed(lines, acked, acked + 1, signal);
    const last = lines.at(-1);
    if (last === undefined) return null;
    const wanted = this.#wantedOf(lines);
    if (wanted.length > 0) {
      const failure = await this.#deliver(wanted, signal);
      if (signal.aborted) return 0;
      if (failure !== null) return this.#failed(failure, acked, last.seq, signal);
    }
    // Killed here, the receiver has them and the journal does not know: they go out again, with the same ids.
    await journal.ackSink(name, acked, last.seq);
    if (wanted.length > 0) this.#deps.onDelivered(name, wanted.length);
    this.#attempts = 0;
    this.#refusals = 0;
    this.#batch = Math.min(this.#target.batch, this.#batch * 2);
    return 0;
  }

  /**
   * What went out before a break may be lost with a receiver that had read it and not kept it: as much as two deliveries hold
   * goes out again, with the same ids.
   */
  async #sendAgain(from: number, to: number, signal: AbortSignal): Promise<SinkError | null> {
    for (let at = from; at < to; ) {
      const limit = Math.min(this.#target.batch, to - at);
      const lines = await this.#deps.journal.auditLines(at, limit, MAX_BATCH_BYTES).catch(damageOf);
      // One that was damaged since it was sent keeps nothing back that is still to be sent.
      const last = lines instanceof SinkError ? undefined : lines.at(-1);
      if (lines instanceof SinkError || last === undefined) break;
      const wanted = this.#wantedOf(lines);
      const failure = wanted.length > 0 ? await this.#deliver(wanted, signal) : null;
      if (failure !== null || signal.aborted) return failure;
      at = last.seq;
    }
    this.#isUnsure = false;
    return null;
  }

  #wantedOf(lines: readonly AuditLine[]): readonly SiemEvent[] {
    const events = lines.map((line) => siemEventOf(line, this.#deps.node));
    return events.filter((event) => isWanted(event, this.#target));
  }

  async #deliver(events: readonly SiemEvent[], signal: AbortSignal): Promise<SinkError | null> {
    try {
      await this.#target.sink.deliver(
        events.map((event) => this.#formatted(event)),
        signal,
      );
      return null;
    } catch (thrown) {
      return asSinkError(thrown);
    }
  }

  async #failed(error: SinkError, acked: number, last: number, signal: AbortSignal): Promise<number> {
    const { journal, retryMs, onFailed } = this.#deps;
    const { name } = this.#target;
    // One of several is refused: alone each shows whether it is the one.
    if (error.code === 'refused' && last > acked + 1) {
      this.#batch = 1;
      return 0;
    }
    this.#attempts += 1;
    this.#isUnsure = !this.#target.sink.confirms;
    if (error.code === 'refused') this.#countRefusal(acked);
    await journal.failSink(name, acked, `${error.code}: ${error.message}`.slice(0, MAX_ERROR_CHARS));
    onFailed(name, error, this.#attempts);
    if (error.code === 'refused' && this.#refusals >= REFUSALS_TO_PASS && (await this.test(signal)).ok) {
      await journal.moveSink(name, { kind: 'pass', seq: last, error: error.message.slice(0, MAX_ERROR_CHARS) }, SYSTEM);
      this.#deps.onGap(name, last);
      this.#attempts = 0;
      this.#refusals = 0;
      return 0;
    }
    const backOff = Math.min(MAX_PAUSE_MS, retryMs * 2 ** Math.min(this.#attempts - 1, 20));
    return Math.max(error.retryAfterMs ?? 0, backOff);
  }

  #countRefusal(acked: number): void {
    // Operators may have moved it.
    this.#refusals = this.#refusedAfter === acked ? this.#refusals + 1 : 1;
    this.#refusedAfter = acked;
  }

  #formatted(event: SiemEvent): FormattedEvent {
    return formatEvent(event, this.#target.format, this.#target.withRecord);
  }

  /** News end the wait for news, and no pause after a failure. */
  #ring(): void {
    this.#rung = true;
    if (this.#attempts === 0) this.#wake();
  }

  async #rest(pauseMs: number | null): Promise<void> {
    // What was heard while the log was looked at is not slept over.
    const isHeard = this.#urged || (pauseMs === null && this.#rung);
    this.#urged = false;
    if (isHeard) return;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await sleep(pauseMs ?? MAX_PAUSE_MS, undefined, { signal: woken.signal, ref: false }).catch(() => undefined);
    this.#wake = () => undefined;
    // What ended the pause is not a reason to leave out the next.
    this.#urged = false;
  }
}

/** @throws what is no fault of a record */
function damageOf(thrown: unknown): SinkError {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code !== 'leaf_mismatch' && code !== 'broken') throw thrown;
  return new SinkError('row_damaged', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}

function asSinkError(thrown: unknown): SinkError {
  if (thrown instanceof SinkError) return thrown;
  return new SinkError('unreachable', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}
