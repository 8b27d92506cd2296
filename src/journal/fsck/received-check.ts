import { type Db, PARAM, prepare, sqlBuilder } from '../database.ts';
import type { FsckContext } from './context.ts';
import type { EntryTotals } from './entry-check.ts';
import type { PageTotals } from './page-check.ts';

/** Every fact received came in a page that is stored, or was given back after a restore and its page is still to come. */
export function checkReceived({ db, findings }: FsckContext, entries: EntryTotals, pages: PageTotals): void {
  if (findings.isDamaged('entries', 'pages')) return;
  for (const [peer, received] of entries.received) {
    const accepted = pages.accepted.get(peer) ?? 0;
    if (accepted === received) continue;
    const counts = `${received} entries are from ${peer}, ${accepted} of them are in its pages`;
    if (accepted < received && received - accepted <= putBackFrom(db, peer)) {
      const detail = `${counts}: the rest was given back after a restore, and its pages are pulled again`;
      findings.notice('restored_without_page', detail);
      continue;
    }
    const detail = counts;
    findings.problem({ table: 'entries', row: null, field: 'received_from', code: 'received_without_page', detail });
  }
}

/** Entries from a peer that restores have put back, as the audit log names their ranges. */
function putBackFrom(db: Db, peer: string): number {
  const bodies = sqlBuilder.selectFrom('audit').select('body').where('event', '=', PARAM);
  const within = sqlBuilder
    .selectFrom('entries')
    .select((q) => q.fn.countAll().as('rows'))
    .where('chain_seq', '>', PARAM)
    .where('chain_seq', '<=', PARAM)
    .where('received_from', '=', PARAM);
  const count = prepare<[number, number, string], number>(db, within).pluck();
  let found = 0;
  for (const body of prepare<[string], string>(db, bodies).pluck().all('restored')) {
    const { detail } = JSON.parse(String(body)) as { detail: { from_size?: unknown; to_size?: unknown } };
    const { from_size: from, to_size: to } = detail;
    if (typeof from === 'number' && typeof to === 'number') found += Number(count.get(from, to, peer) ?? 0);
  }
  return found;
}
