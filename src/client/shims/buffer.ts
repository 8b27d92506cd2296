/** Stands in for `node:buffer` in browsers. */
import { Buffer as BrowserBuffer } from 'buffer/index.js';

/** With the types of Node's: it is what the verifiers are written against. */
export const Buffer: BufferConstructor = BrowserBuffer as unknown as BufferConstructor;

export function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 0x80);
}

export function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
