/** How much one client of the API may ask for. */
import { MAX_BATCH_FACTS, MAX_BODY_BYTES } from '../core/limits.ts';

/**
 * `remedy`: what an operator needs to see and end trouble; a bucket of its own, so that no flood of other requests with the
 * same key empties it.
 */
export type QuotaDimension =
  | 'fact_read'
  | 'fact_write'
  | 'operator_read'
  | 'admin_action'
  | 'remedy'
  | 'witness'
  | 'failed_authentication'
  /** Of a network: sign-ins at the identity provider that begin. */
  | 'sign_in_begun'
  /** Links that sign in to the console; each is in the audit log. */
  | 'sign_in_link';

export interface ApiLimits {
  readonly maxBodyBytes: number;
  readonly maxBatchFacts: number;
  /** From the first byte of the body to its last. */
  readonly bodyMs: number;
  /** For the whole answer; streams are exempt once they flow. */
  readonly requestMs: number;
  readonly streamHeartbeatMs: number;
  /** Open streams of audit records and cases, of all keys together. */
  readonly maxStreams: number;
  readonly maxStreamsOfKey: number;
  /** Requests for changes that wait at a time, of all keys together: each holds a connection, and operators need some too. */
  readonly maxWaits: number;
  readonly maxWaitsOfKey: number;
  /** Token bucket per key: `burst` requests at once, then `perSecond`. A batch is one request. */
  readonly quotas: Readonly<Record<QuotaDimension, { readonly burst: number; readonly perSecond: number }>>;
}

/**
 * The reference allows 1,000 writes an hour, which a loader reaches in a second. These stop a client that has run
 * away, and nobody else.
 */
export const DEFAULT_API_LIMITS: ApiLimits = {
  maxBodyBytes: MAX_BODY_BYTES,
  maxBatchFacts: MAX_BATCH_FACTS,
  bodyMs: 15_000,
  requestMs: 30_000,
  streamHeartbeatMs: 15_000,
  maxStreams: 64,
  maxStreamsOfKey: 16,
  maxWaits: 256,
  maxWaitsOfKey: 64,
  quotas: {
    fact_write: { burst: 20_000, perSecond: 5_000 },
    fact_read: { burst: 20_000, perSecond: 5_000 },
    operator_read: { burst: 1_000, perSecond: 200 },
    admin_action: { burst: 60, perSecond: 1 },
    remedy: { burst: 1_000, perSecond: 200 },
    witness: { burst: 200, perSecond: 20 },
    failed_authentication: { burst: 30, perSecond: 1 },
    sign_in_begun: { burst: 60, perSecond: 1 },
    sign_in_link: { burst: 20, perSecond: 1 / 60 },
  },
};
