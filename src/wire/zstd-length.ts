const MAGIC = 0xfd2fb528;
const HEADER_BYTES = 5;
const BLOCK_HEADER_BYTES = 3;
const BLOCK_TYPE_RLE = 1;
const BLOCK_TYPE_RESERVED = 3;
const CHECKSUM_BYTES = 4;

/** Length of the zstd frame at the start of `bytes`, or -1 when there is none or it is cut. @see RFC 8878 §3.1.1 */
export function zstdFrameBytes(bytes: Uint8Array): number {
  if (bytes.length < HEADER_BYTES) return -1;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) return -1;

  const descriptor = view.getUint8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const hasDictionary = (descriptor & 0x03) !== 0;
  const hasReservedBit = (descriptor & 0x08) !== 0;
  if (hasDictionary || hasReservedBit) return -1;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;

  let at = HEADER_BYTES + (isSingleSegment ? 0 : 1) + contentSizeBytes;
  for (let last = false; !last; ) {
    if (at + BLOCK_HEADER_BYTES > bytes.length) return -1;
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const type = (header >> 1) & 0x03;
    if (type === BLOCK_TYPE_RESERVED) return -1;
    last = (header & 1) !== 0;
    at += BLOCK_HEADER_BYTES + (type === BLOCK_TYPE_RLE ? 1 : header >> 3);
  }
  return at + ((descriptor & 0x04) !== 0 ? CHECKSUM_BYTES : 0);
}
