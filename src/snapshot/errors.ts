export type SnapshotErrorCode =
  /** The folder cannot be written to, or is not what it should be. */
  | 'unusable'
  /** What was copied does not fit together. */
  | 'inconsistent'
  /** A signing key was changed meanwhile. */
  | 'keys_changed'
  /** It has more files than its manifest can name. */
  | 'too_many_files'
  /** The folder to restore into holds something. */
  | 'occupied'
  /** It was restored and checked, and does not verify. */
  | 'not_verified'
  /** Nobody could say whether the copy is the newest history. */
  | 'unconfirmed';

/** A snapshot that cannot be made, checked or put back; the message says what to do. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly code: SnapshotErrorCode;

  constructor(code: SnapshotErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
