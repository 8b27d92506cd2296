import { type Db, prepare, sqlBuilder } from './database.ts';
import { JournalError } from './errors.ts';
import type { JournalIdentity } from './files.ts';

/** Whose journal this is. @throws JournalError `not_initialised` */
export function readIdentity(db: Db): JournalIdentity {
  const rows = prepare<[], { key: string; value: string }>(
    db,
    sqlBuilder.selectFrom('meta').select(['key', 'value']),
  ).all();
  const meta = new Map(rows.map(({ key, value }) => [key, value]));
  const read = (key: string): string => {
    const value = meta.get(key);
    if (value === undefined)
      throw new JournalError('not_initialised', `the journal has no ${key}: run \`stigmem-peerd init\``);
    return value;
  };
  return {
    nodeId: read('node_id'),
    journalOrigin: read('journal_origin'),
    auditOrigin: read('audit_origin'),
    createdAt: read('created_at'),
  };
}
