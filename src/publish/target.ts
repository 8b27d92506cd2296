/** Where a published log is written to: a folder or an S3-compatible store. Paths are those of C2SP tlog-tiles. */

/** A file that may change, and what its store knows the version read by. */
export interface Versioned {
  readonly bytes: Uint8Array;
  /** Null where the store has no versions. */
  readonly version: string | null;
}

export interface PublishTarget {
  /** For messages. */
  readonly name: string;
  /** Undefined if there is none. */
  read(path: string): Promise<Versioned | undefined>;
  /**
   * Writes a file that never changes, unless it is there already. Readers see the whole of it or nothing.
   *
   * @returns false if it was there
   */
  writeOnce(path: string, bytes: Uint8Array): Promise<boolean>;
  /**
   * Writes a file that may change, if it is still the version that was read.
   *
   * @param known undefined: there was none
   * @throws PublishError `target_changed`
   */
  replace(path: string, bytes: Uint8Array, known: Versioned | undefined): Promise<void>;
  /** Removes growing tiles whose full tile is there now. May leave them. */
  removeGrowing(fullPath: string): Promise<void>;
}

export type PublishErrorCode =
  | 'nothing_signed'
  | 'target_ahead'
  | 'target_other_log'
  | 'target_contradicts'
  | 'target_changed'
  | 'target_unusable'
  | 'root_mismatch';

/** An export that cannot be done; the message says what to do. */
export class PublishError extends Error {
  override readonly name = 'PublishError';
  readonly code: PublishErrorCode;

  constructor(code: PublishErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
