export type AdminErrorCode =
  /** The key file cannot be read, or does not hold what this program writes. */
  | 'key_file_unreadable'
  | 'key_file_malformed'
  /** Another process is changing the key file, or died while it did. */
  | 'key_file_locked'
  | 'key_name_taken'
  | 'key_invalid'
  /** The server would have listened where anybody on the network can read the keys that pass. */
  | 'insecure_listen'
  | 'tls_files_unreadable'
  | 'listen_failed';

/** A failure of the admin part. The message says what to do. */
export class AdminError extends Error {
  readonly code: AdminErrorCode;

  constructor(code: AdminErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AdminError';
    this.code = code;
  }
}
