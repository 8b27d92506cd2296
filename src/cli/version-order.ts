/** `24.1.0` against `22.22.2`. */
export function isAtLeast(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number));
  const at = [0, 1, 2].find((i) => a?.[i] !== b?.[i]);
  return at === undefined || (a?.[at] ?? 0) > (b?.[at] ?? 0);
}
