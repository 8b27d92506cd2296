import { HLC_ZERO, type Hlc, parseStrictHlc } from '../core/hlc.ts';
import { type Db, PARAM, prepare, sqlBuilder } from './database.ts';
import { hlcText } from './entry-row.ts';

/** The state row, or, if projections were dropped, the largest clock that the entries carry. */
export function loadClock(db: Db): Hlc {
  const largest = sqlBuilder.selectFrom('entries').select((q) => q.fn.max('hlc').as('hlc'));
  return clockOf(storedClock(db) ?? prepare<[], number | null>(db, largest).pluck().get());
}

/** Unix ms of the state row alone; 0 without one. Cheap: it is asked by who only wants to know whether the node is well. */
export function storedClockMs(db: Db): number {
  return clockOf(storedClock(db)).wall;
}

function storedClock(db: Db): number | undefined {
  const stored = sqlBuilder.selectFrom('state').select('value').where('name', '=', PARAM);
  return prepare<[string], number>(db, stored).pluck().get('hlc');
}

function clockOf(value: number | null | undefined): Hlc {
  if (value === null || value === undefined) return HLC_ZERO;
  const clock = parseStrictHlc(hlcText(Number(value)));
  return clock.ok ? clock.value : HLC_ZERO;
}
