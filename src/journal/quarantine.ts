import { type Db, PARAM, prepare, prepareInsert, sqlBuilder } from './database.ts';

/** The quarantine as the audit log tells it: filled again if it was dropped. Costs two counts when it is whole. */
export function restoreQuarantine(db: Db): void {
  const recorded = sqlBuilder.selectFrom('audit').where('event', '=', PARAM);
  const count = (query: { compile(): { sql: string } }, ...params: unknown[]): number =>
    Number(
      db
        .prepare<unknown[], number>(query.compile().sql)
        .pluck()
        .get(...params),
    );
  const held = count(sqlBuilder.selectFrom('quarantine').select((q) => q.fn.countAll().as('n')));
  if (
    held >=
    count(
      recorded.select((q) => q.fn.countAll().as('n')),
      'quarantine_ingest',
    )
  )
    return;

  const known = prepare<[number]>(
    db,
    sqlBuilder.selectFrom('quarantine').select('chain_seq').where('chain_seq', '=', PARAM),
  );
  const insert = prepareInsert(db, 'quarantine', ['chain_seq', 'reason', 'status']);
  const bodies = prepare<[string], string>(db, recorded.select('body')).pluck();
  db.transaction(() => {
    for (const body of bodies.all('quarantine_ingest')) {
      const { reason, detail } = JSON.parse(String(body)) as { reason: string; detail: { journal_seq: number } };
      if (known.get(detail.journal_seq) === undefined) insert.run(detail.journal_seq, reason, 'pending');
    }
  })();
}
