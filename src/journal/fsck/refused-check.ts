import type { AuditTotals } from './audit-check.ts';
import type { FsckContext } from './context.ts';
import type { PageTotals } from './page-check.ts';

/** What one peer's refusals come to. */
interface Balance {
  /** Recorded for several feeds together. */
  shared: number;
  /** Counted by pages and recorded for no feed of their own. */
  lacking: number;
  readonly details: string[];
}

/**
 * Every refusal that a page counts is in the audit log, and the other way round: in a record of its own, in a summary, or
 * waiting for one. Where feeds of a peer were put together, that has to hold for these in sum.
 */
export function checkRefused({ findings }: FsckContext, audit: AuditTotals, pages: PageTotals): void {
  if (findings.isDamaged('audit', 'pages')) return;
  const report = (detail: string): void =>
    findings.problem({ table: 'pages', row: null, field: 'refused', code: 'refused_mismatch', detail });
  const balances = new Map<string, Balance>();
  for (const key of new Set([...audit.refused.keys(), ...pages.refused.keys()])) {
    const [peer = '', feed = ''] = key.split('\n');
    const balance = balances.get(peer) ?? { shared: 0, lacking: 0, details: [] };
    balances.set(peer, balance);
    const recorded = audit.refused.get(key) ?? 0;
    if (feed === '') balance.shared = recorded;
    else compare(balance, peer, feed, recorded, pages.refused.get(key) ?? 0, report);
  }
  for (const [peer, { shared, lacking, details }] of balances) {
    if (shared === lacking) continue;
    if (details.length === 0) report(`the audit log has ${shared} refused facts of ${peer} that no page counts`);
    for (const detail of details) report(detail);
  }
}

function compare(
  balance: Balance,
  peer: string,
  feed: string,
  recorded: number,
  counted: number,
  report: (detail: string) => void,
): void {
  if (recorded === counted) return;
  const detail = `pages of feed ${feed} of ${peer} count ${counted} refused facts, the audit log has ${recorded}`;
  if (recorded > counted) report(detail);
  else {
    balance.lacking += counted - recorded;
    balance.details.push(detail);
  }
}
