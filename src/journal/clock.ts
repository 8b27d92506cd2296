import type { Entry } from '../core/entry.ts';
import { formatHlc, HLC_ZERO, type Hlc, parseStrictHlc, receive, tick } from '../core/hlc.ts';
import { type Db, prepare, sqlBuilder } from './database.ts';
import { hlcNumber, hlcText } from './entry-row.ts';
import { Marks } from './marks.ts';

const CLOCK = 'hlc';

/** The journal's clock. It outlives a restart: facts written after it never sort before facts written earlier. */
export class JournalClock {
  readonly #marks: Marks;
  #now: Hlc;

  constructor(db: Db) {
    this.#marks = new Marks(db);
    this.#now = loadClock(db);
  }

  /** The time of the next fact that is asserted here. Not stored yet: see {@link store}. */
  tick(nowMs: number): string {
    this.#now = tick(this.#now, nowMs);
    return formatHlc(this.#now);
  }

  /** Never behind what came, and stored. */
  receive(entries: readonly Entry[], nowMs: number): void {
    const latest = entries.reduce((max, { hlc }) => (hlc > max ? hlc : max), '');
    const remote = parseStrictHlc(latest);
    if (!remote.ok) return;
    this.#now = receive(this.#now, remote.value, nowMs);
    this.store();
  }

  store(): void {
    this.#marks.put(CLOCK, hlcNumber(formatHlc(this.#now)));
  }

  save(): Hlc {
    return this.#now;
  }

  restore(saved: Hlc): void {
    this.#now = saved;
  }
}

/** The state row, or, if projections were dropped, the largest clock that the entries carry. */
function loadClock(db: Db): Hlc {
  const largest = sqlBuilder.selectFrom('entries').select((q) => q.fn.max('hlc').as('hlc'));
  return clockOf(new Marks(db).get(CLOCK) ?? prepare<[], number | null>(db, largest).pluck().get());
}

/** Unix ms of the state row alone; 0 without one. Cheap: it is asked by who only wants to know whether the node is well. */
export function storedClockMs(db: Db): number {
  return clockOf(new Marks(db).get(CLOCK)).wall;
}

function clockOf(value: number | null | undefined): Hlc {
  if (value === null || value === undefined) return HLC_ZERO;
  const clock = parseStrictHlc(hlcText(Number(value)));
  return clock.ok ? clock.value : HLC_ZERO;
}
