export type AnchorErrorCode = 'unreachable' | 'refused' | 'unverified' | 'file_damaged';

/**
 * A checkpoint that a log did not take. `refused`: it never will, as it is; `unverified`: what came back does not verify;
 * the others may be over later.
 */
export class AnchorError extends Error {
  override readonly name = 'AnchorError';
  readonly code: AnchorErrorCode;

  constructor(code: AnchorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
