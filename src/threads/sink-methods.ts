/** The journal's part in sending the audit log on: places of sinks, and signed digests. */
import type { ActBy } from '../core/approval.ts';
import type { Journal } from '../journal/journal.ts';
import type { AuditInput } from '../journal/read-model.ts';
import { type SinkMove, SinkRecords, type SinkState } from '../journal/sink-records.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { type ExportDigest, signExportDigest } from '../wire/export-digest.ts';

export interface SinkMethods {
  /** Gives a sink that is new here its place, and records that. */
  openSink(name: string, start: 'beginning' | 'now', nowMs: number): SinkState;
  /** Null: it was never opened here. */
  sinkState(name: string): SinkState | null;
  /** @returns false if the place is another one by now: an operator has moved it */
  ackSink(name: string, from: number, to: number, nowMs: number): boolean;
  failSink(name: string, at: number, error: string, nowMs: number): void;
  /** @returns the sequence of the record; null: there is no such place to move to */
  moveSink(name: string, move: SinkMove, by: Pick<ActBy, 'actor' | 'reason'>, nowMs: number): number | null;
  /** Signs and records a digest over records that stand in the log. @returns its sequence */
  recordDigest(digest: ExportDigest, nowMs: number): number;
}

export function sinkMethods(journal: Journal, signer: LogSigner): SinkMethods {
  const records = new SinkRecords(journal.db);
  const known = (name: string): SinkState => {
    const state = records.find(name);
    if (state === null) throw new Error(`there is no sink ${name}`);
    return state;
  };
  return {
    openSink(name, start, nowMs) {
      if (records.find(name) !== null) return known(name);
      const after = start === 'now' ? journal.auditSize : 0;
      const detail = { sink: name, after };
      journal.audit({ event: 'export_started', actor: 'system', detail }, nowMs, () => records.add(name, after));
      return known(name);
    },
    sinkState: (name) => records.find(name),
    ackSink: (name, from, to, nowMs) => records.ack(name, from, to, nowMs * 1_000),
    failSink: (name, at, error, nowMs) => records.fail(name, at, error, nowMs * 1_000),
    moveSink(name, move, { actor, reason }, nowMs) {
      const { acked } = known(name);
      const to = placeOf(move, acked, journal.auditSize);
      if (to === null) return null;
      const input = moveRecord(name, move, acked, to, reason);
      return journal.audit({ ...input, actor }, nowMs, () => records.move(name, acked, to));
    },
    recordDigest(digest, nowMs) {
      const note = signExportDigest(digest, signer).trimEnd().split('\n');
      const { first, last, head } = digest;
      return journal.audit({ event: 'export_digest', actor: 'system', detail: { first, last, head, note } }, nowMs);
    },
  };
}

/** Behind which record it goes on; null: that would be no such move. */
function placeOf(move: SinkMove, acked: number, size: number): number | null {
  if (move.kind === 'replay') return move.from >= 1 && move.from <= acked + 1 ? move.from - 1 : null;
  if (move.kind === 'skip') return move.to > acked && move.to <= size ? move.to : null;
  return move.seq === acked + 1 ? move.seq : null;
}

function moveRecord(sink: string, move: SinkMove, acked: number, to: number, why: string): AuditInput {
  if (move.kind === 'replay') return { event: 'export_replayed', detail: { sink, from: to + 1, acked, why } };
  const gap = { sink, first: acked + 1, last: to, why };
  return move.kind === 'skip'
    ? { event: 'export_gap', reason: 'skipped', detail: gap }
    : { event: 'export_gap', reason: 'refused', detail: { ...gap, error: move.error } };
}
