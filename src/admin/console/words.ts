/** Numbers and moments in few characters. Pure. */

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** `12 s ago`; what lies ahead by a clock that differs is `now`. */
export function agoText(at: string, nowMs: number): string {
  const seconds = Math.round((nowMs - Date.parse(at)) / 1_000);
  if (Number.isNaN(seconds)) return at;
  return seconds < 2 ? 'now' : `${spanText(seconds)} ago`;
}

export function untilText(at: string, nowMs: number): string {
  const seconds = Math.round((Date.parse(at) - nowMs) / 1_000);
  if (Number.isNaN(seconds)) return at;
  return seconds <= 0 ? `ended ${spanText(-seconds)} ago` : `in ${spanText(seconds)}`;
}

/** Of what the node does by itself: what is due is done with its next turn. */
export function dueText(at: string, nowMs: number): string {
  return Date.parse(at) <= nowMs ? 'now' : untilText(at, nowMs);
}

/** One unit, rounded down: `59 s`, `3 min`, `5 h`, `12 d`. */
export function spanText(seconds: number): string {
  if (seconds < MINUTE) return `${Math.floor(seconds)} s`;
  if (seconds < 2 * HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)} h`;
  return `${Math.floor(seconds / DAY)} d`;
}

/** How far ahead a clock is. */
export function skewText(ms: number | null): string {
  if (ms === null) return '–';
  return Math.abs(ms) < 1_000 ? `${Math.round(ms)} ms` : `${ms < 0 ? '−' : ''}${spanText(Math.abs(ms) / 1_000)}`;
}

/** To the second, in UTC: what is compared between organisations has one form. */
export function instantText(at: string): string {
  const ms = Date.parse(at);
  return Number.isNaN(ms) ? at : `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A sentence of the node with its moments as people read them. */
export function readable(sentence: string): string {
  return sentence.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)/g, (at) => instantText(at));
}

const GROUPED = new Intl.NumberFormat('en-GB');

export function count(value: number): string {
  return GROUPED.format(value);
}

/** The name without what all names of the kind begin with. */
export function nodeName(nodeId: string): string {
  return nodeId.replace(/^stigmem:\/\//, '');
}
