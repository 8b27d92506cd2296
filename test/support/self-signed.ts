import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** From when to when a certificate is good, as UTCTime: `YYMMDDhhmmssZ`. */
export interface Validity {
  readonly from: string;
  readonly to: string;
}
const THIRTY_YEARS: Validity = { from: '200101000000Z', to: '491231235959Z' };

/** A new self-signed Ed25519 certificate for `localhost`, valid for the years 2020 to 2049 unless said otherwise. PEM. */
export function selfSigned(validity: Validity = THIRTY_YEARS): { readonly cert: string; readonly key: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key = String(privateKey.export({ format: 'pem', type: 'pkcs8' }));
  return { cert: pem('CERTIFICATE', certificate(privateKey, publicKey, validity)), key };
}

const ED25519 = sequence(Buffer.from('06032b6570', 'hex'));
const COMMON_NAME = Buffer.from('0603550403', 'hex');

/** RFC 5280 §4.1, as little of it as a TLS server needs. */
function certificate(privateKey: KeyObject, publicKey: KeyObject, { from, to }: Validity): Buffer {
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from('localhost')))));
  const validity = sequence(der(0x17, Buffer.from(from)), der(0x17, Buffer.from(to)));
  const version = der(0xa0, der(0x02, Buffer.of(2)));
  const serial = der(0x02, Buffer.of(1));
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const body = sequence(version, serial, ED25519, name, validity, name, spki);
  return sequence(body, ED25519, der(0x03, Buffer.concat([Buffer.of(0), sign(null, body, privateKey)])));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 128
      ? Buffer.of(length)
      : length < 256
        ? Buffer.of(0x81, length)
        : Buffer.of(0x82, length >> 8, length & 255);
  return Buffer.concat([Buffer.of(tag), size, content]);
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
