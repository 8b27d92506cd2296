import type { ChangedKey } from '../core/peer-status.ts';
import { TransportError } from '../transport/errors.ts';

/** A signed declaration that was refused for its keys alone: origin and node are those that were pinned. */
export interface KeyChange {
  /** Those that nothing leads to from the pinned ones. */
  readonly keys: readonly ChangedKey[];
  /** The declaration, signed by the peer's node key. */
  readonly note: string;
}

export type PullErrorCode =
  | 'busy'
  | 'unavailable'
  | 'bad_request'
  | 'incomplete'
  | 'too_many_pages'
  | 'nothing_more'
  | 'gave_way'
  | 'over_quota'
  | 'malformed_end'
  | 'hello_malformed'
  | 'declaration_refused'
  | 'log_key_unconfirmed'
  | 'page_refused';

/** Why an exchange with a peer came to nothing. The peer is asked again later. */
export class PullError extends Error {
  override readonly name = 'PullError';
  readonly code: PullErrorCode;
  /** What the peer asks us to wait; null when it did not say. */
  readonly retryAfterMs: number | null;

  constructor(code: PullErrorCode, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** `log_key_unconfirmed`: the declaration is the peer's, and an operator has to say that its log key is, too. */
export class KeyUnconfirmed extends PullError {
  readonly change: KeyChange;

  constructor(change: KeyChange) {
    super('log_key_unconfirmed', 'its log key waits to be confirmed by an operator');
    this.change = change;
  }
}

/** `declaration_refused`; an operator may trust what was declared, where there is a `change`. */
export class DeclarationRefused extends PullError {
  readonly change: KeyChange | null;

  constructor(message: string, change: KeyChange | null) {
    super('declaration_refused', message);
    this.change = change;
  }
}

/** It could not be reached or broke a rule. What fails here, such as a disk that is full, says nothing about the peer. */
export function isFaultOfPeer(error: unknown): boolean {
  return error instanceof PullError || error instanceof TransportError;
}

/** It is there, and asks to come again. */
export function isPutOff(error: unknown): boolean {
  return error instanceof PullError && (error.code === 'unavailable' || error.code === 'busy');
}
