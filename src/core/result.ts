/** Outcome of a check on somebody else's data: a refusal is a value, never an exception. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

/** Wraps an accepted value. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** Wraps the reason of a refusal. */
export function err<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}

/** What the first candidate that succeeds gives; else what the first one of all failed with. */
export function firstOk<C, T, E>(
  [first, ...others]: readonly [C, ...C[]],
  attempt: (candidate: C) => Result<T, E>,
): Result<T, E> {
  const result = attempt(first);
  if (result.ok) return result;
  for (const other of others) {
    const next = attempt(other);
    if (next.ok) return next;
  }
  return result;
}
