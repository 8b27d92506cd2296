import { CoreError } from './errors.ts';

const MAX_MS = 2 ** 48 - 1;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * A version 7 UUID: sorts by time, 74 random bits.
 * @param nowMs  milliseconds since 1970, below 2^48
 * @param random at least 10 bytes from a cryptographic source; the first ten are used
 * @throws CoreError `out_of_range`
 * @see RFC 9562 §5.7
 */
export function uuidV7(nowMs: number, random: Uint8Array): string {
  if (!Number.isSafeInteger(nowMs) || nowMs < 0 || nowMs > MAX_MS || random.length < 10) {
    throw new CoreError('out_of_range', 'a UUID needs a 48 bit time and 10 random bytes');
  }
  const tail = Buffer.from(random.subarray(0, 10));
  tail[0] = ((tail[0] ?? 0) & 0x0f) | 0x70;
  tail[2] = ((tail[2] ?? 0) & 0x3f) | 0x80;
  const time = nowMs.toString(16).padStart(12, '0');
  const hex = tail.toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-${hex.slice(0, 4)}-${hex.slice(4, 8)}-${hex.slice(8)}`;
}

/** Tells whether a text is a UUID of any version in lower case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
