/** Notices of peers about facts of ours: each opens, is for this node, and says what its row says. Nothing guards the table. */

import { parseNote } from '../../merkle/note.ts';
import { openNotice, parseNotice, type RefusalNotice } from '../../wire/refusal-notice.ts';
import { prepare, sqlBuilder } from '../database.ts';
import type { Tables } from '../tables.ts';
import type { FsckContext } from './context.ts';
import { openWith, originOf } from './notes.ts';
import type { PeerLogs } from './peer-logs.ts';

type Row = Tables['refusal_notices'];
const COLUMNS = ['feed', 'reason', 'number', 'refused', 'resolved'] as const;
/** The migration that made the table; an older file has none. */
const SINCE_SCHEMA = 5;

export function checkRefusalNotices({ db, findings }: FsckContext, logs: PeerLogs): void {
  if (Number(db.pragma('user_version', { simple: true })) < SINCE_SCHEMA) return;
  const rows = prepare<[], Row>(db, sqlBuilder.selectFrom('refusal_notices').selectAll()).all();
  for (const row of rows) {
    const fault = judge(row, logs);
    if (fault === undefined) continue;
    const { peer, feed, reason } = row;
    findings.problem({ table: 'refusal_notices', row: `${peer} ${feed} ${reason}`, ...fault });
  }
}

function judge(row: Row, logs: PeerLogs): { code: string; field: string; detail: string } | undefined {
  const log = logs.logOf(row.peer, originOf(row.note, 1));
  if (log === undefined)
    return { code: 'notice_origin_mismatch', field: 'note', detail: `it is none of a log of ${row.peer}` };
  const parsed = parseNote(row.note);
  const unsigned = parsed.ok ? parseNotice(parsed.value.text) : parsed;
  const read = openWith<RefusalNotice, string>(log.keys, (key) => openNotice(row.note, { origin: log.origin, key }));
  const notice = read ?? unsigned;
  if (!notice.ok) return { code: notice.error, field: 'note', detail: 'the note does not verify' };
  const field = COLUMNS.find((column) => notice.value[column] !== row[column]);
  if (field === undefined) return undefined;
  return { code: 'notice_mismatch', field, detail: `the note says ${notice.value[field]}` };
}
