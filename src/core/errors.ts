export type CoreErrorCode =
  /** Text with a lone surrogate has no UTF-8 form, hence no hash. */
  | 'not_encodable_as_utf8'
  /** A clock value, size or id was outside the range that its text form can hold. */
  | 'out_of_range';

/** A caller's mistake: the value should have been refused before it came here. */
export class CoreError extends Error {
  readonly code: CoreErrorCode;

  constructor(code: CoreErrorCode, message: string) {
    super(message);
    this.name = 'CoreError';
    this.code = code;
  }
}
