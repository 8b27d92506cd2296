/** Where two texts part, in characters; the length of the shorter one when it begins the other. Pure. */
export function firstDifference(left: readonly string[], right: readonly string[]): number {
  let at = 0;
  while (at < left.length && at < right.length && left[at] === right[at]) at++;
  return at;
}
