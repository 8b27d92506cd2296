/** True for what a tree can count: 0 to 2^53 - 1. */
export function isTreeSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0;
}

/**
 * Where RFC 9162 splits a tree: the largest power of two below its size.
 *
 * @param size leaves of the subtree, 2 to 2^53
 * @see RFC 9162 §2.1.1
 */
export function splitPoint(size: number): number {
  // bitwise operators cut to 32 bits, and Math.log2 rounds 2^53 - 1 up
  const high = Math.floor((size - 1) / 2 ** 32);
  return high > 0 ? 2 ** 32 * 2 ** (31 - Math.clz32(high)) : 2 ** (31 - Math.clz32(size - 1));
}

/** True if the number is 1, 2, 4, … up to 2^53. */
export function isPowerOfTwo(size: number): boolean {
  let odd = size;
  while (odd > 1 && odd % 2 === 0) odd /= 2;
  return odd === 1;
}
