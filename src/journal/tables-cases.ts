/** Cases, as the audit log makes them. */

export interface CaseTables {
  /** Members as `core/case-fold.ts` has them; `severity` as its rank, `samples` as JSON. */
  cases: {
    id: number;
    uid: string;
    topic: string;
    peer: string;
    reason: string;
    feed: string;
    key_id: string;
    state: string;
    state_at: string;
    severity: number;
    seen: number;
    absorbed: number;
    first_at: string;
    last_at: string;
    last_seen_seq: number;
    samples: string;
    verdict: string | null;
    assignee: string | null;
    ticket: string | null;
    owner: string | null;
    suppressed_for: string | null;
    until: string | null;
    version: number;
    last_seq: number;
    is_drill: number;
  };
  /** Audit records of each case. */
  case_records: { seq: number; case_id: number; is_change: number };
}
