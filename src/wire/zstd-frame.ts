import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { zstdFrameBytes } from './zstd-length.ts';

/** Largest window a decoder must keep; a page is at most 4 MiB, so no honest frame needs more. */
const MAX_WINDOW_LOG = 23;
/** Level 1: the proof beside it does not compress, and higher levels cost more time than the bytes they save. */
const LEVEL = 1;

export function compressZstd(bytes: Uint8Array): Buffer {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
}

/**
 * Decompresses one zstd frame that fills `bytes` exactly. Total: null for anything else, such as a skippable or second
 * frame, bytes behind the frame, a dictionary, or content that is not `exactBytes` long. Never allocates more than that.
 */
export function decompressZstd(bytes: Uint8Array, exactBytes: number): Buffer | null {
  // Node ignores what stands behind the first frame, so the frame's own length has to be known.
  if (exactBytes === 0 || zstdFrameBytes(bytes) !== bytes.length) return null;
  try {
    const content = zstdDecompressSync(bytes, {
      maxOutputLength: exactBytes,
      chunkSize: Math.max(exactBytes, constants.Z_MIN_CHUNK),
      params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
    });
    return content.length === exactBytes ? content : null;
  } catch {
    return null;
  }
}
