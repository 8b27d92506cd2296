/** Counts audit records by how severe they are: what came since the last look, read out of the log itself. */
import { severityOf } from '../core/severity.ts';
import type { AuditFilter, AuditPage } from '../journal/read-model.ts';
import type { Metrics } from '../observe/metrics.ts';

const RECORDS_PER_PAGE = 500;

export class AuditSeverities {
  readonly #auditPage: (filter: AuditFilter) => Promise<AuditPage>;
  readonly #counter: Metrics['auditRecordsTotal'];
  #after: number | null = null;

  constructor(auditPage: (filter: AuditFilter) => Promise<AuditPage>, counter: Metrics['auditRecordsTotal']) {
    this.#auditPage = auditPage;
    this.#counter = counter;
  }

  /** What was in the log before the first look is not counted. */
  async look(): Promise<void> {
    if (this.#after === null) {
      const { records } = await this.#auditPage({ order: 'desc', limit: 1 });
      this.#after = records[0]?.seq ?? 0;
      return;
    }
    for (let hasMore = true; hasMore; ) {
      const page = await this.#auditPage({ order: 'asc', cursor: this.#after, limit: RECORDS_PER_PAGE });
      for (const { event, reason } of page.records) this.#counter.inc({ severity: severityOf(event, reason), event });
      this.#after = page.records.at(-1)?.seq ?? this.#after;
      hasMore = page.hasMore;
    }
  }
}
