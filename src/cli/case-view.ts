/** Cases for people. What comes from peers is escaped by the screen: nothing of it steers a terminal. */

import type { AuditEntry } from '../admin/api/audit-entry.ts';
import type { ShownCase } from '../admin/api/case-schemas.ts';
import type { Proposal } from '../core/approval.ts';
import type { Severity } from '../core/severity.ts';
import type { Cell, Screen, Style } from './screen.ts';

export interface ShownCases {
  readonly cases: readonly ShownCase[];
  readonly cursor: number | null;
  readonly has_more: boolean;
}

export interface ShownCaseFile {
  readonly case: ShownCase;
  readonly timeline: { readonly events: readonly ShownEvent[]; readonly has_more: boolean };
  readonly proposals: readonly Proposal[];
}

interface ShownEvent {
  readonly kind: 'seen' | 'change';
  readonly record: AuditEntry;
}

const STYLES: Readonly<Record<Severity, Style>> = {
  critical: 'red',
  high: 'red',
  medium: 'yellow',
  low: 'dim',
  info: 'dim',
};

export function casesTable(cases: readonly ShownCase[], screen: Screen): string {
  const rows = cases.map((one): Cell[] => [
    one.id,
    { text: one.severity, style: STYLES[one.severity] },
    one.state,
    one.reason ?? one.topic,
    one.peer ?? one.peer_id,
    one.feed,
    one.seen,
    one.last_at,
    one.assignee,
  ]);
  return screen.table(['ID', 'SEVERITY', 'STATE', 'WHAT', 'PEER', 'FEED', 'SEEN', 'LAST', 'ASSIGNEE'], rows);
}

export function caseText({ case: one, timeline, proposals }: ShownCaseFile, screen: Screen): string {
  const parts = [screen.pairs(pairsOf(one))];
  const open = proposals.filter(({ state }) => state === 'open');
  const proposed = open.map(({ id, action, proposed_by }): Cell[] => [id, action, proposed_by]);
  if (open.length > 0) parts.push(screen.table(['PROPOSAL', 'ACTION', 'PROPOSED BY'], proposed));
  parts.push(screen.table(['RECORD', 'TIME', 'WHAT', 'BY', 'TEXT', 'EVIDENCE'], timeline.events.map(eventRow)));
  if (timeline.has_more) parts.push('There are older records: --limit');
  return parts.join('\n\n');
}

function pairsOf(one: ShownCase): [string, Cell][] {
  const { owner, until, reason } = one.suppression ?? { owner: null, until: null, reason: null };
  return [
    ['case', `${one.id} (${one.uid})`],
    ['severity', { text: one.severity, style: STYLES[one.severity] }],
    ['state', `${one.state} since ${one.state_at}`],
    ['verdict', one.verdict],
    ['what', one.reason === null ? one.topic : `${one.topic}: ${one.reason}`],
    ['peer', one.peer_id],
    ['feed', one.feed],
    ['key', one.key_id],
    ['seen', `${one.seen}, from ${one.first_at} to ${one.last_at}`],
    ['look at', `records ${one.exemplars.join(', ')}`],
    ['assignee', one.assignee],
    ['ticket', one.ticket],
    ...(owner === null ? [] : [['suppressed', `by ${owner} until ${until}: ${reason}`] as [string, Cell]]),
    ['version', one.version],
  ];
}

function eventRow({ kind, record }: ShownEvent): Cell[] {
  const { seq, ts, event_type, reason, actor, detail, evidence } = record;
  const what = kind === 'change' ? reason : event_type;
  return [seq, ts, what, kind === 'change' ? actor : null, textOf(detail ?? {}), evidence === null ? null : 'yes'];
}

function textOf(detail: Readonly<Record<string, unknown>>): Cell {
  const { why, verdict, assignee, ticket, until, count } = detail;
  const words = [verdict, assignee, ticket, until, typeof count === 'number' ? `${count} more` : null, why];
  const said = words.filter((word) => typeof word === 'string');
  return said.length === 0 ? null : said.join(' – ');
}
