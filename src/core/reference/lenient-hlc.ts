import { ok, type Result } from '../result.ts';
import { parsePythonInt } from './python-number.ts';

/** A clock value as the reference's nodes keep it: any integers, the counter unbounded. */
export interface ReferenceHlc {
  readonly wall: bigint;
  readonly counter: bigint;
}

export interface ReferenceSkew {
  readonly direction: 'future' | 'past';
  readonly skewMs: bigint;
}

/** Reads `<wall>.<counter>` as the reference does; a missing counter is 0, integers are as lenient as Python's. */
export function parseReferenceHlc(text: string): Result<ReferenceHlc, 'not_a_number'> {
  const dot = text.indexOf('.');
  const wall = parsePythonInt(dot === -1 ? text : text.slice(0, dot));
  if (!wall.ok) return wall;
  const counter = dot === -1 ? ok(0n) : parsePythonInt(text.slice(dot + 1));
  return counter.ok ? ok({ wall: wall.value, counter: counter.value }) : counter;
}

/** The reference's text form: nothing padded, so that text order is not causal order. */
export function formatReferenceHlc(hlc: ReferenceHlc): string {
  return `${hlc.wall}.${hlc.counter}`;
}

/** Causal order: -1, 0 or 1. */
export function compareReferenceHlc(a: ReferenceHlc, b: ReferenceHlc): -1 | 0 | 1 {
  if (a.wall !== b.wall) return a.wall < b.wall ? -1 : 1;
  if (a.counter === b.counter) return 0;
  return a.counter < b.counter ? -1 : 1;
}

/** The order in which SQLite sorts text, by UTF-8 bytes: the order in which the reference serves its pages. */
export function compareAsSqliteText(a: string, b: string): -1 | 0 | 1 {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The reference's clock after a local event. */
export function tickReference(clock: ReferenceHlc, nowMs: bigint): ReferenceHlc {
  return nowMs > clock.wall ? { wall: nowMs, counter: 0n } : { wall: clock.wall, counter: clock.counter + 1n };
}

/** The reference's clock after a remote value. */
export function receiveReference(clock: ReferenceHlc, remote: ReferenceHlc, nowMs: bigint): ReferenceHlc {
  const wall = [nowMs, clock.wall, remote.wall].reduce((a, b) => (a > b ? a : b));
  if (wall === clock.wall && wall === remote.wall) {
    const larger = clock.counter > remote.counter ? clock.counter : remote.counter;
    return { wall, counter: larger + 1n };
  }
  if (wall === clock.wall) return { wall, counter: clock.counter + 1n };
  return { wall, counter: wall === remote.wall ? remote.counter + 1n : 0n };
}

/** The reference's bounds against the physical clock; a limit of 0 or less disables that side. Null: acceptable. */
export function checkReferenceSkew(
  remoteWall: bigint,
  nowMs: bigint,
  limits: { readonly maxFutureMs: bigint; readonly maxPastMs: bigint },
): ReferenceSkew | null {
  const skewMs = remoteWall - nowMs;
  if (limits.maxFutureMs > 0n && skewMs > limits.maxFutureMs) return { direction: 'future', skewMs };
  if (limits.maxPastMs > 0n && -skewMs > limits.maxPastMs) return { direction: 'past', skewMs };
  return null;
}
