/**
 * Decodes standard, padded base64; only the one text that the encoder makes of the bytes is taken.
 *
 * @returns undefined for anything else: other alphabets, missing padding, white space, set bits behind the end
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Standard, padded base64. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
