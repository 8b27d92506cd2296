import { err, ok, type Result } from '../result.ts';

const ALPHABET = /^[A-Za-z0-9+/_-]$/;

/**
 * Decodes base64 as the reference does (`urlsafe_b64decode` after padding to a multiple of four): both alphabets,
 * other ASCII characters dropped, unused bits ignored, nothing read behind full padding. Our own formats are strict;
 * this is for reading what its nodes sign.
 */
export function decodeLenientBase64(text: string): Result<Buffer, 'base64_malformed'> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Python refuses characters outside of ASCII
  if (!/^[\x00-\x7f]*$/.test(text)) return err('base64_malformed');
  const padded = text + '='.repeat((4 - (text.length % 4)) % 4);
  let digits = '';
  let pads = 0;
  for (const char of padded) {
    const place = digits.length % 4;
    if (char === '=') {
      if (place >= 2 && place + ++pads >= 4) return ok(Buffer.from(digits, 'base64'));
    } else if (ALPHABET.test(char)) {
      pads = 0;
      digits += char;
    }
  }
  return digits.length % 4 === 0 ? ok(Buffer.from(digits, 'base64')) : err('base64_malformed');
}

/** Base64url without padding. */
export function encodeBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
