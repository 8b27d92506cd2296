/** What the server said does not verify. Nothing of the answer was returned. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError';
  /** For programs, e.g. `cid_mismatch`, `inclusion_proof_invalid`, `history_rewritten`, `proof_missing`. */
  readonly code: string;
  /** Signed checkpoints that contradict each other, where the code says so: keep them, they are evidence. */
  readonly checkpoints: readonly string[];

  constructor(code: string, message: string, checkpoints: readonly string[] = []) {
    super(message);
    this.code = code;
    this.checkpoints = checkpoints;
  }
}

/** The server refused a request, or did not answer as this API answers. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** `code` of the answer's detail; null where it has none. */
  readonly code: string | null;
  /** JSON text of the answer's detail; null where it has none. Nothing of it is verified. */
  readonly detail: string | null;

  constructor(status: number, code: string | null, message: string, options: ErrorOptions & { detail?: string } = {}) {
    super(message, options);
    this.status = status;
    this.code = code;
    this.detail = options.detail ?? null;
  }
}
