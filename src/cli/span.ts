/** Spans of time on the command line: `30m`, `2d`. */
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds; undefined: it is none. */
export function readSpan(text: string): number | undefined {
  const [, count = '', unit = ''] = /^([1-9][0-9]{0,5})([smhd])$/.exec(text) ?? [];
  const factor = SECONDS[unit];
  return factor === undefined ? undefined : Number(count) * factor;
}
