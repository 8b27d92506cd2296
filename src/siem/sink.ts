/** What every sink can do. */
import type { FormattedEvent } from './format.ts';

export interface Sink {
  /** Whether its receiver says of what it has taken that it keeps it. Of one that cannot, the newest may be lost when it ends. */
  readonly confirms: boolean;
  /**
   * Sends events in their order. When it resolves the receiver has all of them; when it throws it may have some, and is sent
   * them again.
   *
   * @throws SinkError; the signal's reason
   */
  deliver(events: readonly FormattedEvent[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * `unreachable`: nobody there, or it broke off; `busy`: not now; `misconfigured`: address, certificate, key or path are not
 * what the receiver expects; `refused`: it says that it will never take these events as they are; `row_damaged`: the next
 * record here is gone or not what was recorded, and is not sent.
 */
export type SinkErrorCode = 'unreachable' | 'busy' | 'misconfigured' | 'refused' | 'row_damaged';

export class SinkError extends Error {
  override readonly name = 'SinkError';
  readonly code: SinkErrorCode;
  /** When the receiver wants to be asked again; null: it did not say. */
  readonly retryAfterMs: number | null;

  constructor(code: SinkErrorCode, message: string, options: ErrorOptions & { retryAfterMs?: number | null } = {}) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** Codes of Node for certificates that are not trusted, here or there: waiting does not mend them. */
const TRUST = /^(CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|ERR_SSL)/;

export function isTrustFault(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && TRUST.test(String(cause.code));
}
