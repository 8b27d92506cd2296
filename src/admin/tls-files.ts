/** Certificate and key of the API, read and checked as one: what is wrong with either is found before it is served. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureVersion } from 'node:tls';
import { readPrivateFile } from '../config/secret-file.ts';
import { err, ok, type Result } from '../core/result.ts';

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly minVersion: SecureVersion;
}

export interface TlsPair {
  /** PEM, the leaf first. */
  readonly cert: string;
  readonly key: string;
  /** SHA-256 of the leaf. */
  readonly sha256: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** DNS names that it is for, lower case. */
  readonly names: readonly string[];
}

const MAX_KEY_BYTES = 65_536;
const MAX_CERT_BYTES = 1_048_576;

/** Reads both files. What stands in them is never part of an error. @returns what is wrong, and what to do, in a sentence */
export function readTlsPair({ certFile, keyFile, minVersion }: TlsFiles): Result<TlsPair, string> {
  const key = readPrivateFile(keyFile, 'the TLS key of the API', MAX_KEY_BYTES);
  if (!key.ok) return err(`${key.error.where}: ${key.error.message}. ${key.error.fix}`);
  try {
    const cert = readFileSync(certFile, 'utf8');
    if (cert.length > MAX_CERT_BYTES) return err(`${certFile}: a certificate chain is at most ${MAX_CERT_BYTES} bytes`);
    const leaf = new X509Certificate(cert);
    if (!leaf.checkPrivateKey(createPrivateKey(key.value)))
      return err(`${keyFile} is not the key of the certificate in ${certFile}`);
    // What OpenSSL will not serve, such as a key that is too small, shows here.
    createSecureContext({ cert, key: key.value, minVersion });
    return ok({
      cert,
      key: key.value,
      sha256: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
      notBeforeMs: leaf.validFromDate.getTime(),
      notAfterMs: leaf.validToDate.getTime(),
      names: namesOf(leaf),
    });
  } catch (error) {
    return err(`${certFile} and ${keyFile} cannot be served: ${(error as Error).message}`);
  }
}

/** Tells whether a certificate is good at a moment, and if not, why. */
export function whyNotInForce({ notBeforeMs, notAfterMs }: TlsPair, nowMs: number): string | null {
  if (nowMs < notBeforeMs) return `it is good only from ${new Date(notBeforeMs).toISOString()} on`;
  return nowMs < notAfterMs ? null : `it ended at ${new Date(notAfterMs).toISOString()}`;
}

function namesOf({ subjectAltName }: X509Certificate): readonly string[] {
  return (subjectAltName ?? '')
    .split(', ')
    .flatMap((name) => /^DNS:([a-z0-9.*-]+)$/i.exec(name)?.[1]?.toLowerCase() ?? []);
}
