/** Places of sinks: none lies beyond the audit log, or before it begins. Nothing guards the table. */
import { lastKey, prepare, sqlBuilder } from '../database.ts';
import type { Tables } from '../tables.ts';
import type { FsckContext } from './context.ts';

/** The migration that made the table; an older file has none. */
const SINCE_SCHEMA = 12;

export function checkSinks({ db, findings }: FsckContext): void {
  if (Number(db.pragma('user_version', { simple: true })) < SINCE_SCHEMA) return;
  const size = lastKey(db, 'audit', 'seq');
  for (const { name, since, acked } of prepare<[], Tables['sinks']>(
    db,
    sqlBuilder.selectFrom('sinks').selectAll(),
  ).all()) {
    const field = since < 0 || since > size ? 'since' : acked < 0 || acked > size ? 'acked' : null;
    if (field === null) continue;
    const detail = `the audit log has ${size} records: replay the sink from the last one that it has`;
    findings.problem({ table: 'sinks', row: name, code: 'sink_place', field, detail });
  }
}
