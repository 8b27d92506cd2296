/**
 * Detection Finding of OCSF: a case from its opening over each step to its end, and what a summary adds to it. Pure.
 * `finding_info.uid` is the same in all of them.
 */
import { CASE_OPENED } from '../core/case-finding.ts';
import type { CaseState, CaseVerdict } from '../core/case-state.ts';
import { SEVERITIES } from '../core/severity.ts';
import { authorityOf } from './ecs.ts';
import { type CaseStep, eventId, type OwnFields, type SiemEvent } from './siem-event.ts';

type Fields = Readonly<Record<string, unknown>>;

const CLASS = 2004;
const CATEGORY = 2;
const ACTIVITY = { create: [1, 'Create'], update: [2, 'Update'], close: [3, 'Close'] } as const;

const STATUS: Readonly<Record<CaseState, readonly [number, string]>> = {
  new: [1, 'New'],
  reopened: [1, 'New'],
  acknowledged: [2, 'In Progress'],
  investigating: [2, 'In Progress'],
  waiting: [2, 'In Progress'],
  suppressed: [3, 'Suppressed'],
  resolved: [4, 'Resolved'],
};

/** What was refused was refused rightly, and nobody meant harm: benign. Our own fault makes it a false alarm. */
const VERDICT: Readonly<Record<CaseVerdict, readonly [number, string]>> = {
  peer_bug: [5, 'Benign'],
  our_bug: [1, 'False Positive'],
  key_rotation: [5, 'Benign'],
  clock: [5, 'Benign'],
  operator_error: [5, 'Benign'],
  malicious: [2, 'True Positive'],
  drill: [6, 'Test'],
  duplicate: [10, 'Duplicate'],
  insufficient_data: [7, 'Insufficient Data'],
};
const TEST = VERDICT.drill;
const PRIORITIES = ['Low', 'Medium', 'High', 'Critical'] as const;

/** A step with a case, or the machine opening one. */
export function caseFinding(event: SiemEvent, own: OwnFields, step: CaseStep): Fields {
  const { record } = event;
  const isNew = record.event === CASE_OPENED && step.state === 'new';
  const [status_id, status] = STATUS[step.state];
  return {
    ...activity(isNew ? 'create' : step.state === 'resolved' && record.reason === 'resolved' ? 'close' : 'update'),
    is_alert: record.event === CASE_OPENED && !record.is_drill,
    status_id,
    status,
    ...verdictOf(step, record.is_drill),
    ...priorityOf(event),
    ...(step.assignee === null ? {} : { assignee: { name: step.assignee } }),
    ...(step.ticket === null ? {} : { tickets: [ticketOf(step.ticket)] }),
    ...(step.why === null ? {} : { comment: step.why }),
    finding_info: {
      ...infoOf(event, own, step.about),
      uid_alt: step.uid,
      ...times(step.first_at, step.last_at, event.atMs),
      ...(isNew ? { created_time: event.atMs } : { modified_time: event.atMs }),
      ...relatedTo(event),
      related_events_count: step.seen,
    },
    resources: resources(event),
  };
}

/** What a summary says of many refusals of one kind. */
export function summaryFinding(event: SiemEvent, own: OwnFields): Fields {
  const { atMs, record } = event;
  const { count, first_at, last_at } = record.detail;
  return {
    ...activity('update'),
    is_alert: false,
    status_id: 1,
    status: 'New',
    ...(record.is_drill ? { verdict_id: TEST[0], verdict: TEST[1] } : {}),
    finding_info: {
      ...infoOf(event, own, record.reason ?? record.event),
      ...times(first_at, last_at, atMs),
      ...(typeof count === 'number' ? { related_events_count: count } : {}),
    },
    resources: resources(event),
  };
}

function activity(name: keyof typeof ACTIVITY): Fields {
  const [activity_id, activity_name] = ACTIVITY[name];
  return {
    category_uid: CATEGORY,
    class_uid: CLASS,
    activity_id,
    activity_name,
    type_uid: CLASS * 100 + activity_id,
  };
}

function verdictOf({ verdict }: CaseStep, isDrill: boolean): Fields {
  const known = isDrill ? TEST : verdict === null ? undefined : VERDICT[verdict];
  return known === undefined ? {} : { verdict_id: known[0], verdict: known[1] };
}

function priorityOf({ severity }: SiemEvent): Fields {
  const priority_id = SEVERITIES.indexOf(severity);
  const priority = PRIORITIES[priority_id - 1];
  return priority === undefined ? {} : { priority_id, priority };
}

function ticketOf(ticket: string): Fields {
  return /^https?:\/\//.test(ticket) ? { src_url: ticket } : { uid: ticket };
}

function infoOf({ node, record }: SiemEvent, { finding }: OwnFields, about: string): Fields {
  const of = record.peer === null ? node.authority : authorityOf(record.peer);
  return {
    uid: finding ?? `group:${about}`,
    title: `${about} of ${of}`,
    types: ['federation_integrity'],
    analytic: { name: about, uid: about, type_id: 1, type: 'Rule', version: node.version },
  };
}

/** The record that the machine opened a case for stands right before, and its hash is named. */
function relatedTo({ record, node, seq }: SiemEvent): Fields {
  const { event, previous_hash } = record;
  if (event !== CASE_OPENED || previous_hash === null) return {};
  return { related_events: [{ uid: eventId(node, seq - 1, previous_hash.replace('sha256:', '')) }] };
}

function times(first: unknown, last: unknown, atMs: number): Fields {
  return { first_seen_time: msOf(first) ?? atMs, last_seen_time: msOf(last) ?? atMs };
}

function resources({ node }: SiemEvent): readonly Fields[] {
  return [{ uid: node.nodeId, name: node.authority, type: 'Stigmem journal' }];
}

function msOf(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
