import { agoMs } from '../core/time.ts';
import type { AuditInput } from '../journal/read-model.ts';
import type { Attempts } from './schedule.ts';

/** Changes of one peer's circuit are recorded this far apart at least: a peer that flaps must not fill the audit log. */
const PAUSE_MS = 600_000;

/**
 * Decides which changes of one peer's circuit become audit records: the first at once, those that follow when the pause is
 * over, as the state that holds then and the number of changes between. A trial is no change: the circuit is open until
 * the trial has gone well.
 */
export class CircuitRecords {
  #told = false;
  #last = false;
  #changes = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  /** Called after each turn. @param error of the turn that failed last @returns the record to write now, or null */
  note({ circuit, failures }: Attempts, error: string | null, nowMs: number): AuditInput | null {
    const isOpen = circuit !== 'closed';
    if (isOpen !== this.#last) this.#changes++;
    this.#last = isOpen;
    if (isOpen === this.#told || agoMs(this.#toldAtMs, nowMs) < PAUSE_MS) return null;
    const changes = this.#changes;
    this.#told = isOpen;
    this.#toldAtMs = nowMs;
    this.#changes = 0;
    return isOpen
      ? { event: 'peer_circuit_opened', detail: { changes, error, failures } }
      : { event: 'peer_circuit_closed', detail: { changes } };
  }
}
