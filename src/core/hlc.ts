import { CoreError } from './errors.ts';
import { err, ok, type Result } from './result.ts';

/**
 * A hybrid logical clock value. Its text form is fixed width, `{wall, 13 digits}.{counter, 3 digits}`, so that text
 * order is causal order.
 */
export interface Hlc {
  /** Milliseconds since 1970, 0 to 9999999999999. */
  readonly wall: number;
  /** 0 to 999. */
  readonly counter: number;
}

export interface SkewLimits {
  /** Furthest ahead of the local clock that is accepted; 0 or less: no limit. */
  readonly maxFutureMs: number;
  /** Furthest behind; 0 or less: no limit. */
  readonly maxPastMs: number;
}

export interface SkewRejection {
  readonly direction: 'future' | 'past';
  /** Remote minus local, milliseconds. */
  readonly skewMs: number;
}

export const HLC_ZERO: Hlc = { wall: 0, counter: 0 };
/** Bounds of the Stigmem reference: 5 minutes ahead, 30 days behind. */
export const DEFAULT_SKEW_LIMITS: SkewLimits = { maxFutureMs: 300_000, maxPastMs: 2_592_000_000 };

const MAX_WALL = 9_999_999_999_999;
/** In the year 2255. */
const MAX_REMOTE_WALL = 9_000_000_000_000;
const MAX_COUNTER = 999;
const STRICT = /^[0-9]{13}\.[0-9]{3}$/;

/**
 * Text form of a clock value.
 * @throws CoreError `out_of_range` if wall or counter do not fit their digits
 */
export function formatHlc(hlc: Hlc): string {
  if (!fits(hlc.wall, MAX_WALL) || !fits(hlc.counter, MAX_COUNTER)) {
    throw new CoreError('out_of_range', `no HLC text for wall ${hlc.wall}, counter ${hlc.counter}`);
  }
  return `${String(hlc.wall).padStart(13, '0')}.${String(hlc.counter).padStart(3, '0')}`;
}

function fits(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= max;
}

/** Tells whether a text has the one form that our entries may carry. */
export function isStrictHlc(text: string): boolean {
  return STRICT.test(text);
}

/** Reads the one form that our entries may carry. What the reference's nodes send: `reference/lenient-hlc.ts`. */
export function parseStrictHlc(text: string): Result<Hlc, 'hlc_malformed'> {
  if (!isStrictHlc(text)) return err('hlc_malformed');
  return ok({ wall: Number(text.slice(0, 13)), counter: Number(text.slice(14)) });
}

/** Causal order: negative if `a` is earlier, 0 if equal, positive if later. */
export function compareHlc(a: Hlc, b: Hlc): number {
  return a.wall - b.wall || a.counter - b.counter;
}

/** The clock after a local event at physical time `nowMs`; always later than `clock`, even if time stands still. */
export function tick(clock: Hlc, nowMs: number): Hlc {
  if (nowMs > clock.wall) return { wall: nowMs, counter: 0 };
  return carry(clock.wall, clock.counter + 1);
}

/**
 * The clock after a remote value was seen at physical time `nowMs`; later than both. Check the remote value with
 * {@link checkSkew} first: a clock that has run ahead never comes back.
 */
export function receive(clock: Hlc, remote: Hlc, nowMs: number): Hlc {
  const wall = Math.max(nowMs, clock.wall, remote.wall);
  const local = wall === clock.wall ? clock.counter + 1 : 0;
  const seen = wall === remote.wall ? remote.counter + 1 : 0;
  return carry(wall, Math.max(local, seen));
}

/** Three digits hold 1000 events per millisecond; the next one borrows from the future. */
function carry(wall: number, counter: number): Hlc {
  return counter > MAX_COUNTER ? { wall: wall + 1, counter: 0 } : { wall, counter };
}

/** Compares a remote wall time with the physical clock; equal to a limit passes. Null: acceptable. Without limits, too, a
 * time is refused that {@link receive} could not go on from: a clock at the end of its digits never ticks again. */
export function checkSkew(remoteWallMs: number, nowMs: number, limits: SkewLimits): SkewRejection | null {
  const skewMs = remoteWallMs - nowMs;
  if (remoteWallMs > MAX_REMOTE_WALL) return { direction: 'future', skewMs };
  if (limits.maxFutureMs > 0 && skewMs > limits.maxFutureMs) return { direction: 'future', skewMs };
  if (limits.maxPastMs > 0 && -skewMs > limits.maxPastMs) return { direction: 'past', skewMs };
  return null;
}
