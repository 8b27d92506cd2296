/** A sender of an audit log in memory, to one sink. */
import { Exporting, type ExportTarget } from '../../src/siem/exporting.ts';
import type { SinkError } from '../../src/siem/sink.ts';
import { NODE } from './siem-events.ts';
import type { MemorySinkJournal } from './siem-journal.ts';

const RETRY_MS = 5;

/** @param failures takes the code and message of each delivery that failed */
export function startExporting(
  journal: MemorySinkJournal,
  target: Pick<ExportTarget, 'name' | 'format' | 'sink'> & Partial<ExportTarget>,
  failures: string[],
): Exporting {
  const exporting = new Exporting(
    {
      journal,
      node: NODE,
      audits: journal.bell,
      nowMs: () => Date.parse('2026-11-30T06:00:00Z'),
      retryMs: RETRY_MS,
      onDelivered: () => undefined,
      onFailed: (_sink: string, { code, message }: SinkError) => void failures.push(`${code}: ${message}`),
      onGap: () => undefined,
      onError: (error) => void failures.push(String(error)),
    },
    [{ withRecord: false, batch: 50, minSeverity: 'info', events: [], ...target }],
  );
  exporting.start();
  return exporting;
}
