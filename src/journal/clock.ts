import { HLC_ZERO, type Hlc, parseStrictHlc } from '../core/hlc.ts';
import { type Db, PARAM, prepare, sqlBuilder } from './database.ts';
import { hlcText } from './entry-row.ts';

/** The state row, or, if projections were dropped, the largest clock that the entries carry. */
export function loadClock(db: Db): Hlc {
  const stored = prepare<[string], number>(db, sqlBuilder.selectFrom('state').select('value').where('name', '=', PARAM))
    .pluck()
    .get('hlc');
  const largest = sqlBuilder.selectFrom('entries').select((q) => q.fn.max('hlc').as('hlc'));
  const value = stored ?? prepare<[], number | null>(db, largest).pluck().get();
  if (value === null || value === undefined) return HLC_ZERO;
  const clock = parseStrictHlc(hlcText(Number(value)));
  return clock.ok ? clock.value : HLC_ZERO;
}
