import { plural } from '../core/plural.ts';
import type { RetryReport } from '../core/retry-report.ts';
import { type ActOptions, actedOutcome } from './acting.ts';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import type { Context, Outcome } from './cli.ts';
import { requirePeer } from './peer-manage.ts';

/** `peer retry`: refused facts are judged again, until all of them were. */
export async function runRetry(
  context: Context,
  [name = '']: readonly string[],
  { reason }: ActOptions,
): Promise<Outcome> {
  requirePeer(context.dir(), name);
  const path = `/v1/federation/peers/${name}/retry`;
  const total = { pages: 0, judged: 0, unreadable: 0 };
  const resolved = new Map<string, number>();
  const standing = new Map<string, number>();
  let proposed: Outcome | null = null;
  await withApi(context, async (api) => {
    for (let after: number | null = 0; after !== null; ) {
      const answer = await api.post(path, JSON.stringify({ reason, after }));
      if (answer.status === 202) {
        proposed = actedOutcome(answer, '');
        return;
      }
      const report: RetryReport = JSON.parse(expectOk(answer));
      total.pages += report.pages;
      total.judged += report.judged;
      total.unreadable += report.unreadable;
      add(resolved, report.resolved);
      add(standing, report.standing);
      after = report.next;
      if (after !== null) context.note(`${total.judged} refused facts judged again …`);
    }
  });
  if (proposed !== null) return proposed;
  const counts = { resolved: Object.fromEntries(resolved), standing: Object.fromEntries(standing) };
  return { json: JSON.stringify({ ...total, ...counts }), human: human(name, total, resolved, standing) };
}

function add(counts: Map<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [reason, count] of Object.entries(more)) counts.set(reason, (counts.get(reason) ?? 0) + count);
}

type Counts = ReadonlyMap<string, number>;

function human(
  name: string,
  { judged, unreadable }: { readonly judged: number; readonly unreadable: number },
  resolved: Counts,
  standing: Counts,
): string {
  if (judged === 0) return `Nothing of ${name} stands refused.`;
  const lines = [`${plural(judged, 'fact')} of ${name} stood refused.`];
  lines.push(resolved.size === 0 ? 'None passes now.' : `Taken now: ${listed(resolved)}.`);
  if (standing.size > 0) lines.push(`Refused still: ${listed(standing)}.`);
  if (unreadable > 0)
    lines.push(`${plural(unreadable, 'page')} could not be judged: their signatures cannot be checked any more.`);
  return lines.join('\n');
}

function listed(counts: Counts): string {
  return [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
}
