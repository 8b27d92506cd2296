/**
 * One drill after the other: a peer is named and let in, the attack is made, what came of it is timed by the node's own records
 * and written down. A drill that ends otherwise than it has to is an alarm.
 */
import {
  DRILLS,
  type DrillFault,
  type DrillKind,
  type DrillOrder,
  type DrillOutcome,
  type DrillRun,
  type DrillSink,
  type StartedDrill,
} from '../core/drill.ts';
import { isoMicros } from '../core/time.ts';
import { type AnchorDrillDeps, drillAnchor } from './anchor-drill.ts';
import { awaitSinks, SINK_MS, type SinksDeps } from './await-sinks.ts';
import { type DrillAttempt, drillWithPeer, type PeerDrillDeps, VERDICT_MS } from './peer-drill.ts';

export interface RunnerDeps extends PeerDrillDeps, AnchorDrillDeps, SinksDeps {
  readonly journal: {
    startDrill(order: DrillOrder): Promise<StartedDrill>;
    endDrill(drill: StartedDrill, outcome: DrillOutcome): Promise<number>;
  };
  /** While the restore guard holds the journal no page is taken. */
  readonly isReady: () => boolean;
  /** Whether the evidence of a record convinces whoever has nothing else. */
  readonly convicts: (auditSeq: number) => Promise<boolean>;
  readonly onEnded: (kind: DrillKind, fault: DrillFault | null) => void;
  readonly onError: (error: unknown) => void;
}

export type StartOutcome =
  | { readonly kind: 'started'; readonly run: DrillRun }
  | { readonly kind: 'busy'; readonly running: DrillKind }
  | { readonly kind: 'held' }
  | { readonly kind: 'stopping' };

export class DrillRunner {
  readonly #deps: RunnerDeps;
  readonly #stopping = new AbortController();
  #running: DrillRun | null = null;
  #isStarting: DrillKind | null = null;
  #done: Promise<void> = Promise.resolve();

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
  }

  get running(): DrillRun | null {
    return this.#running;
  }

  /** One runs, or is about to. */
  get isBusy(): boolean {
    return this.#isStarting !== null || this.#running !== null;
  }

  /** Resolves when the drill that runs has ended. */
  get done(): Promise<void> {
    return this.#done;
  }

  async start(kind: DrillKind, actor: string, why: string): Promise<StartOutcome> {
    const busy = this.#isStarting ?? this.#running?.kind ?? null;
    if (busy !== null) return { kind: 'busy', running: busy };
    if (this.#stopping.signal.aborted) return { kind: 'stopping' };
    if (!this.#deps.isReady()) return { kind: 'held' };
    this.#isStarting = kind;
    try {
      const { journal, clock } = this.#deps;
      const startedAt = isoMicros(clock.nowMs() * 1_000);
      const started = await journal.startDrill({ kind, actor, why, admittedMs: VERDICT_MS });
      const run = newRun(started, { startedAt, actor, why });
      this.#running = run;
      this.#done = this.#perform(started).catch(this.#deps.onError);
      return { kind: 'started', run };
    } finally {
      this.#isStarting = null;
    }
  }

  /** What is under way is given up: its peer is gone before this resolves. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the node is stopping'));
    await this.#done;
  }

  async #perform(started: StartedDrill): Promise<void> {
    const { journal, onEnded } = this.#deps;
    try {
      const outcome = await this.#outcomeOf(started);
      await journal.endDrill(started, outcome);
      onEnded(started.kind, outcome.failure);
    } finally {
      this.#running = null;
    }
  }

  async #outcomeOf(started: StartedDrill): Promise<DrillOutcome> {
    const { signal } = this.#stopping;
    let attempt: DrillAttempt = { seen: null, fault: null, sentMs: null, recordedMs: null };
    let sinks: readonly DrillSink[] = [];
    let convicts: boolean | null = null;
    try {
      attempt = await this.#attempt(started, signal);
      const { seen, fault } = attempt;
      if (seen === null || fault !== null) return outcome(attempt, fault, sinks, convicts);
      if (DRILLS[started.kind].convicts) convicts = await this.#deps.convicts(seen.audit_seq);
      sinks = await awaitSinks(seen.audit_seq, this.#deps, signal);
      return outcome(attempt, faultOf(sinks, convicts), sinks, convicts);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const code = signal.aborted ? 'interrupted' : 'no_verdict';
      return outcome(attempt, { code, message }, sinks, convicts);
    }
  }

  #attempt({ kind, ...drill }: StartedDrill, signal: AbortSignal): Promise<DrillAttempt> {
    return kind === 'anchor-down'
      ? drillAnchor(drill, this.#deps, signal)
      : drillWithPeer({ ...drill, kind }, this.#deps, signal);
  }
}

function faultOf(sinks: readonly DrillSink[], convicts: boolean | null): DrillFault | null {
  if (convicts === false)
    return { code: 'not_convicted', message: 'the evidence shows a third party no contradiction' };
  const silent = sinks.filter(({ state }) => state === 'silent').map(({ name }) => name);
  if (silent.length === 0) return null;
  const message = `${silent.join(', ')} has not taken the record in ${SINK_MS / 1_000} s: see \`stigmem-peerd sink show\``;
  return { code: 'sink_silent', message };
}

function outcome(
  { seen, sentMs, recordedMs }: DrillAttempt,
  failure: DrillFault | null,
  sinks: readonly DrillSink[],
  convicts: boolean | null,
): DrillOutcome {
  return { failure, seen, sent_at: iso(sentMs), recorded_at: iso(recordedMs), sinks, convicts };
}

function iso(ms: number | null): string | null {
  return ms === null ? null : isoMicros(ms * 1_000);
}

function newRun(
  { id, kind, nodeId }: StartedDrill,
  { startedAt, actor, why }: { readonly startedAt: string; readonly actor: string; readonly why: string },
): DrillRun {
  const { event, reason } = DRILLS[kind];
  return {
    id,
    kind,
    state: 'running',
    node_id: nodeId,
    started_at: startedAt,
    started_by: actor,
    why,
    ended_at: null,
    failure: null,
    expected: { event, reason },
    seen: null,
    sent_at: null,
    refused_at: null,
    recorded_at: null,
    sinks: [],
    convicts: null,
    acknowledged_at: null,
    acknowledged_by: null,
    case_id: null,
  };
}
