/** Stands in for the part of `node:zlib` that decodes zstd, in browsers. */
import { decompress } from 'fzstd';
import { Buffer } from './buffer.ts';

const DESCRIPTOR_AT = 4;
const CHECKSUM_FLAG = 0x04;

export const constants = { Z_MIN_CHUNK: 64, ZSTD_c_compressionLevel: 100, ZSTD_d_windowLogMax: 100 } as const;

/**
 * Decodes one frame into no more memory than `maxOutputLength`. A frame with a checksum, which this decoder would not look
 * at, is refused: ours have none.
 *
 * @throws Error for anything that is no such frame
 */
export function zstdDecompressSync(bytes: Uint8Array, options: { readonly maxOutputLength: number }): Uint8Array {
  if (((bytes[DESCRIPTOR_AT] ?? 0) & CHECKSUM_FLAG) !== 0) throw new RangeError('a frame with a checksum');
  const content = decompress(bytes, new Uint8Array(options.maxOutputLength));
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
}

export function zstdCompressSync(): never {
  throw new Error('browsers read pages, they do not write them');
}
