/** The certificate that is served. A new one takes its place for new connections; a bad one never does. */
import type { Server } from 'node:https';
import { AdminError } from './errors.ts';
import { readTlsPair, type TlsFiles, type TlsPair, whyNotInForce } from './tls-files.ts';

export type TlsOutcome =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'loaded'; readonly sha256: string; readonly notAfterMs: number }
  /** What was served before is served on. */
  | { readonly kind: 'refused'; readonly why: string };

export interface TlsState {
  /** PEM of what is served. */
  readonly cert: string;
  readonly sha256: string;
  readonly notAfterMs: number;
  /** Why the files as they are now are not served; null: they are. */
  readonly refused: string | null;
}

export class ServerTls {
  readonly #files: TlsFiles;
  #served: TlsPair;
  #refused: string | null = null;

  /** @throws AdminError `tls_files_unreadable` */
  constructor(files: TlsFiles) {
    this.#files = files;
    const pair = readTlsPair(files);
    // One that ran out is served all the same: without it the operator could not even see that it did.
    if (!pair.ok) throw new AdminError('tls_files_unreadable', `cannot serve the admin API over TLS: ${pair.error}`);
    this.#served = pair.value;
  }

  options(): { cert: string; key: string; minVersion: TlsFiles['minVersion'] } {
    const { cert, key } = this.#served;
    return { cert, key, minVersion: this.#files.minVersion };
  }

  names(): readonly string[] {
    return this.#served.names;
  }

  state(): TlsState {
    const { cert, sha256, notAfterMs } = this.#served;
    return { cert, sha256, notAfterMs, refused: this.#refused };
  }

  /** Reads the files again. Connections that are open go on as they are. */
  reload(server: Server, nowMs: number): TlsOutcome {
    const pair = readTlsPair(this.#files);
    const why = pair.ok ? whyNotInForce(pair.value, nowMs) : pair.error;
    if (pair.ok && pair.value.cert === this.#served.cert && pair.value.key === this.#served.key) {
      this.#refused = null;
      return { kind: 'unchanged' };
    }
    if (!pair.ok || why !== null) {
      this.#refused = why ?? 'it cannot be read';
      return { kind: 'refused', why: this.#refused };
    }
    // One call for both: no handshake meets the new certificate with the old key.
    server.setSecureContext({ cert: pair.value.cert, key: pair.value.key, minVersion: this.#files.minVersion });
    this.#served = pair.value;
    this.#refused = null;
    return { kind: 'loaded', sha256: pair.value.sha256, notAfterMs: pair.value.notAfterMs };
  }
}
