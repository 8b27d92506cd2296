/**
 * Which checkpoints that a log did not take become an audit record. What a log will never take needs a person at once. A log that is
 * down is waited for: it is on the dashboard, and in the audit log only when a checkpoint has waited too long. Once for each, until
 * the log takes something: each record makes the audit log due for a checkpoint, which would wait, too.
 */
import type { AnchorCheckpoint } from '../journal/anchor-records.ts';
import type { AuditInput } from '../journal/read-model.ts';
import type { AnchorError } from './errors.ts';

/** The same as in the alert rule `StigmemAnchorsWait`. */
export const ANCHOR_WAITS_MS = 900_000;

export interface AnchorAlarmDeps {
  readonly afterMs: number;
  readonly nowMs: () => number;
  readonly record: (input: AuditInput) => void;
}

export class AnchorAlarm {
  readonly #deps: AnchorAlarmDeps;
  readonly #told = new Set<string>();

  constructor(deps: AnchorAlarmDeps) {
    this.#deps = deps;
  }

  taken(backend: string): void {
    for (const event of ['anchor_refused', 'anchor_waits']) this.#told.delete(`${event} ${backend}`);
  }

  failed(backend: string, { log, treeSize, createdUs }: AnchorCheckpoint, { code, message }: AnchorError): void {
    const waitedMs = this.#deps.nowMs() - createdUs / 1_000;
    if (code !== 'refused' && waitedMs < this.#deps.afterMs) return;
    const event = code === 'refused' ? 'anchor_refused' : 'anchor_waits';
    if (this.#told.has(`${event} ${backend}`)) return;
    this.#told.add(`${event} ${backend}`);
    const detail = { backend, log, tree_size: treeSize, error: message };
    this.#deps.record({ event, reason: code, detail });
  }
}
