/** Stands in the place of `wire/zstd-frame.ts` where Node has no zstd (before 22.15): the same frames, read by a library. */
import { decompress } from 'fzstd';
import { zstdFrameBytes } from '../wire/zstd-length.ts';

/** @throws TypeError: what is verified is only read */
export function compressZstd(): never {
  throw new TypeError('this program reads pages and makes none');
}

/** As in `wire/zstd-frame.ts`. */
export function decompressZstd(bytes: Uint8Array, exactBytes: number): Buffer | null {
  if (exactBytes === 0 || zstdFrameBytes(bytes) !== bytes.length) return null;
  try {
    // The library writes into what it is given and stops at its end: one byte more shows content that is too long.
    const content = decompress(bytes, new Uint8Array(exactBytes + 1));
    return content.length === exactBytes ? Buffer.from(content) : null;
  } catch {
    return null;
  }
}
