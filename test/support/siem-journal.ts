/** An audit log with places of sinks in it, in memory. It outlives whoever sends it on. */
import type { SinkMove, SinkState } from '../../src/journal/sink-records.ts';
import { createAuditBell, type RingableAuditBell } from '../../src/observe/audit-bell.ts';
import type { ExportJournal } from '../../src/siem/exporting.ts';
import type { AuditLine } from '../../src/siem/siem-event.ts';

export class MemorySinkJournal implements ExportJournal {
  readonly bell: RingableAuditBell = createAuditBell();
  readonly #lines: AuditLine[];
  readonly #states = new Map<string, SinkState>();
  /** What was passed over. */
  readonly passed: { readonly sink: string; readonly move: SinkMove }[] = [];

  constructor(lines: readonly AuditLine[]) {
    this.#lines = [...lines];
  }

  append(line: AuditLine): void {
    this.#lines.push(line);
    this.bell.ring(line.seq);
  }

  async auditLines(after: number, limit: number): Promise<readonly AuditLine[]> {
    return this.#lines.filter(({ seq }) => seq > after).slice(0, limit);
  }

  async sinkState(name: string): Promise<SinkState> {
    return this.stateOf(name);
  }

  async ackSink(name: string, from: number, to: number): Promise<boolean> {
    const state = this.stateOf(name);
    if (state.acked !== from) return false;
    this.#states.set(name, { ...state, acked: to, attempts: 0, lastError: null, failingSinceUs: null });
    return true;
  }

  async failSink(name: string, at: number, error: string): Promise<void> {
    const state = this.stateOf(name);
    if (state.acked === at) this.#states.set(name, { ...state, attempts: state.attempts + 1, lastError: error });
  }

  async moveSink(name: string, move: SinkMove): Promise<number | null> {
    const to = move.kind === 'replay' ? move.from - 1 : move.kind === 'skip' ? move.to : move.seq;
    if (move.kind === 'pass') this.passed.push({ sink: name, move });
    this.#states.set(name, { ...this.stateOf(name), acked: to, placed: to, attempts: 0 });
    return 1;
  }

  stateOf(name: string): SinkState {
    const fresh = { name, since: 0, acked: 0, placed: 0, attempts: 0 };
    return this.#states.get(name) ?? { ...fresh, failingSinceUs: null, lastError: null, ackedUs: null };
  }
}
