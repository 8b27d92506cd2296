import { CoreError } from './errors.ts';
import { err, ok, type Result } from './result.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
const YEAR_10000_MS = 253_402_300_800_000;
const MICROS_PER_SECOND = 1_000_000n;

/**
 * How long ago something was done. A moment that is still to come was told by a clock that was wrong, and says nothing: what was done
 * then does not keep anything from being done now.
 */
export function agoMs(atMs: number, nowMs: number): number {
  const ago = nowMs - atMs;
  // Clocks are put right by a little all the time.
  return ago < -HOUR_MS ? Number.POSITIVE_INFINITY : Math.max(0, ago);
}

/**
 * A moment as our entries write it, `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`: always six digits, so that text order is
 * time order.
 * @param us microseconds since 1970, up to 2^53 (the year 2255)
 * @throws CoreError `out_of_range`
 */
export function isoMicros(us: number): string {
  if (!Number.isSafeInteger(us) || us < 0) throw new CoreError('out_of_range', `no date for ${us} µs`);
  return withMicros(Math.floor(us / 1000), us % 1000);
}

/**
 * As {@link isoMicros}, for any moment from 1970 to the year 9999.
 * @throws CoreError `out_of_range`
 */
export function isoOfInstant(us: bigint): string {
  if (us < 0n || us >= BigInt(YEAR_10000_MS) * 1000n) throw new CoreError('out_of_range', `no date for ${us} µs`);
  return withMicros(Number(us / 1000n), Number(us % 1000n));
}

/**
 * A moment as Python's `isoformat()` writes it in UTC: like {@link isoMicros}, but no fraction where it is zero.
 * @throws CoreError `out_of_range`
 */
export function pythonIsoFormat(us: number): string {
  return withoutZeroFraction(isoMicros(us));
}

/** As {@link pythonIsoFormat}, from milliseconds and up to the year 9999. */
export function pythonIsoFormatOfMs(ms: number): string {
  if (!Number.isSafeInteger(ms) || ms < 0 || ms >= YEAR_10000_MS)
    throw new CoreError('out_of_range', `no date for ${ms} ms`);
  return withoutZeroFraction(withMicros(ms, 0));
}

function withMicros(ms: number, micros: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}${String(micros).padStart(3, '0')}+00:00`;
}

function withoutZeroFraction(text: string): string {
  return text.replace('.000000+', '+');
}

/**
 * Reads a date and time as Python 3.11's `datetime.fromisoformat` does; without an offset it is taken as UTC.
 * @returns microseconds since 1970; may be negative
 */
export function parseIsoInstant(text: string): Result<bigint, 'time_malformed'> {
  const split = separatorOf(text);
  const day = split === null ? null : parseDate(text.slice(0, split));
  if (split === null || day === null) return err('time_malformed');
  if (split === text.length) return ok(BigInt(day) * DAY_MICROS);
  const separator = String.fromCodePoint(text.codePointAt(split) ?? 0);
  const time = parseTime(text.slice(split + separator.length));
  return time === null ? err('time_malformed') : ok(BigInt(day) * DAY_MICROS + time.micros - time.offset);
}

interface TimeOfDay {
  readonly micros: bigint;
  readonly offset: bigint;
}
const DAY_MICROS = 86_400n * MICROS_PER_SECOND;

/** Where the date ends. Python allows any one character between date and time, so the date's own form decides. */
function separatorOf(text: string): number | null {
  if (text.length < 7) return null;
  if (text.length === 7) return 7;
  if (text[4] !== '-') return text[4] === 'W' ? basicWeekLength(text) : 8;
  if (text[5] !== 'W') return 10;
  if (text[8] !== '-') return 8;
  if (text.length === 9) return null;
  return isDigit(text[10]) ? 8 : 10;
}

function basicWeekLength(text: string): number {
  let end = 7;
  while (isDigit(text[end])) end += 1;
  if (end < 9) return end;
  return end % 2 === 0 ? 7 : 8;
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9';
}

const DATE = /^([0-9]{4})(?:-([0-9]{2})-([0-9]{2})|([0-9]{2})([0-9]{2}))$/;
const WEEK_DATE = /^([0-9]{4})(?:-W([0-9]{2})(?:-([0-9]))?|W([0-9]{2})([0-9])?)$/;

/** Days since 1970. */
function parseDate(text: string): number | null {
  const date = DATE.exec(text);
  if (date !== null) return dayNumber(Number(date[1]), Number(date[2] ?? date[4]), Number(date[3] ?? date[5]));
  const week = WEEK_DATE.exec(text);
  if (week === null) return null;
  return weekDayNumber(Number(week[1]), Number(week[2] ?? week[4]), Number(week[3] ?? week[5] ?? 1));
}

function dayNumber(year: number, month: number, day: number): number | null {
  if (year < 1) return null;
  const date = utcDate(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return date.getTime() / DAY_MS;
}

function weekDayNumber(year: number, week: number, day: number): number | null {
  if (year < 1 || week < 1 || week > 53 || day < 1 || day > 7) return null;
  const firstDay = utcDate(year, 0, 1);
  const weekday = (firstDay.getUTCDay() + 6) % 7;
  // A year has 53 weeks if it starts on a Thursday, or on a Wednesday and is a leap year (ISO 8601).
  const isLong = weekday === 3 || (weekday === 2 && utcDate(year, 1, 29).getUTCMonth() === 1);
  if (week === 53 && !isLong) return null;
  const firstMonday = firstDay.getTime() / DAY_MS - weekday + (weekday > 3 ? 7 : 0);
  const result = firstMonday + (week - 1) * 7 + day - 1;
  return new Date(result * DAY_MS).getUTCFullYear() > 9999 ? null : result;
}

/** `Date.UTC` takes the years 0 to 99 for 1900 to 1999. */
function utcDate(year: number, monthIndex: number, day: number): Date {
  const date = new Date(0);
  date.setUTCFullYear(year, monthIndex, day);
  return date;
}

/**
 * CPython's own C code decides here, and it is laxer than ISO 8601: one character of ASCII may follow a time that
 * has an offset, and a fraction may follow the seconds after `:` or after nothing.
 */
function parseTime(text: string): TimeOfDay | null {
  const sign = /[-+Z]/.exec(text);
  const clock = parseClock(sign === null ? text : text.slice(0, sign.index));
  if (clock === null || clock.hours > 23 || clock.minutes > 59 || clock.seconds > 59) return null;
  const micros = wholeSeconds(clock) * MICROS_PER_SECOND + BigInt(clock.micros);
  if (sign === null) return clock.leftover ? null : { micros, offset: 0n };

  const zone = text.slice(sign.index + 1);
  if (sign[0] === 'Z') return zone === '' ? { micros, offset: 0n } : null;
  const shift = parseClock(zone);
  if (shift === null || shift.leftover) return null;
  const seconds = wholeSeconds(shift);
  // Python refuses offsets of a day and more, and drops a fraction of a second that stands alone.
  if (seconds >= 86_400n) return null;
  const offset = seconds === 0n ? 0n : seconds * MICROS_PER_SECOND + BigInt(shift.micros);
  return { micros, offset: sign[0] === '-' ? -offset : offset };
}

interface Clock {
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly micros: number;
  /** Something stands behind what was read. */
  readonly leftover: boolean;
}

function wholeSeconds(clock: Clock): bigint {
  return BigInt((clock.hours * 60 + clock.minutes) * 60 + clock.seconds);
}

function parseClock(text: string): Clock | null {
  const parts = [0, 0, 0];
  let at = 0;
  let separated = false;
  for (let part = 0; part < 3; part += 1) {
    const digits = text.slice(at, at + 2);
    if (!TWO_DIGITS.test(digits)) return null;
    parts[part] = Number(digits);
    at += 2;
    const next = text[at];
    if (part === 0) separated = next === ':';
    if (at + 1 >= text.length) return isOneByte(next) ? clockOf(parts, 0, next !== undefined) : null;
    if (next === '.' || next === ',') {
      at += 1;
      break;
    }
    if (separated && next !== ':') return null;
    if (separated) at += 1;
  }
  return withFraction(parts, text.slice(at));
}

const TWO_DIGITS = /^[0-9]{2}$/;

/** CPython looks at bytes: it finds the rest of a longer character behind the first of them. */
function isOneByte(char: string | undefined): boolean {
  return char === undefined || char < '\u0080';
}

function withFraction(parts: readonly number[], text: string): Clock | null {
  const head = text.slice(0, 6);
  if (!/^[0-9]+$/.test(head)) return null;
  return clockOf(parts, Number(head.padEnd(6, '0')), !/^[0-9]*$/.test(text));
}

function clockOf(parts: readonly number[], micros: number, leftover: boolean): Clock {
  return { hours: parts[0] ?? 0, minutes: parts[1] ?? 0, seconds: parts[2] ?? 0, micros, leftover };
}
