export type JournalErrorCode =
  | 'not_initialised'
  | 'already_initialised'
  | 'locked'
  /** Nobody has the lock, and it cannot be taken all the same: the disk or the file is at fault. */
  | 'lock_failed'
  | 'busy'
  | 'schema_unknown'
  | 'foreign_write'
  | 'history_rewritten'
  | 'broken'
  /** Nothing is written or signed until it is known that this is the newest history: see the restore guard. */
  | 'guarded'
  | 'closed';

/** Why the journal cannot go on. The message says what was found and what to do. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
  readonly code: JournalErrorCode;

  constructor(code: JournalErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
