/** Stands in the place of `wire/zstd-frame.ts` where Node has no zstd (before 22.15): the same frames, read by a library. */
import { Decompress } from 'fzstd';
import { zstdFrameBytes } from '../wire/zstd-length.ts';

/** @throws TypeError: what is verified is only read */
export function compressZstd(): never {
  throw new TypeError('this program reads pages and makes none');
}

/** As in `wire/zstd-frame.ts`. */
export function decompressZstd(bytes: Uint8Array, exactBytes: number): Buffer | null {
  if (exactBytes === 0 || zstdFrameBytes(bytes) !== bytes.length) return null;
  const chunks: Buffer[] = [];
  let length = 0;
  const stream = new Decompress((chunk) => {
    length += chunk.length;
    if (length > exactBytes) throw new RangeError('longer than it was said to be');
    chunks.push(Buffer.from(chunk));
  });
  try {
    // Block by block: given a buffer of its own, the library returns all of it, however little it has written there.
    stream.push(bytes, true);
  } catch {
    return null;
  }
  return length === exactBytes ? Buffer.concat(chunks) : null;
}
