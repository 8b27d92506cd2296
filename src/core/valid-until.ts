import { err, ok, type Result } from './result.ts';
import { parseIsoInstant } from './time.ts';

/**
 * Tells whether a second copy of a known fact would make it live longer, which no sender may do. The stored value
 * never changes, so a shorter life is no extension but has no effect either. A stored null never ends.
 * Error: one of the two is no time that Python 3.11 reads.
 */
export function isValidUntilExtension(
  stored: string | null,
  incoming: string | null,
): Result<boolean, 'time_malformed'> {
  if (stored === null) return ok(false);
  if (incoming === null) return ok(true);
  const [from, to] = [instantOf(stored), instantOf(incoming)];
  if (!from.ok || !to.ok) return err('time_malformed');
  return ok(to.value > from.value);
}

function instantOf(text: string): Result<bigint, 'time_malformed'> {
  // The reference rewrites every Z first, so that one inside of the text counts too.
  return parseIsoInstant(text.replaceAll('Z', '+00:00'));
}
