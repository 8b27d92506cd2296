/** A case as the API shows it, and the conditions by which cases are found. */
import { z } from '@hono/zod-openapi';
import type { Case } from '../../core/case-fold.ts';
import type { CaseFilter } from '../../core/case-report.ts';
import { CASE_STATES, CASE_VERDICTS, type CaseState, OPEN_STATES } from '../../core/case-state.ts';
import { SEVERITIES, type Severity } from '../../core/severity.ts';
import type { ApiDeps } from '../deps.ts';
import { VALUE_ERROR } from './field-errors.ts';
import { choiceParam, instantParam, listed, textParam } from './params.ts';

const TEXT = z.string();
const NULLABLE = TEXT.nullable();
const NUMBER = z.number().int();

/** Members of a case. Texts of peers are texts: nothing in them is markup. */
export interface ShownCase {
  readonly id: number;
  readonly uid: string;
  readonly topic: string;
  readonly peer_id: string | null;
  readonly peer: string | null;
  readonly reason: string | null;
  readonly feed: string | null;
  readonly key_id: string | null;
  readonly state: CaseState;
  readonly state_at: string;
  readonly severity: Severity;
  readonly seen: number;
  readonly first_at: string;
  readonly last_at: string;
  readonly exemplars: readonly number[];
  readonly verdict: string | null;
  readonly assignee: string | null;
  readonly ticket: string | null;
  readonly suppression: {
    readonly owner: string;
    readonly reason: string;
    readonly until: string;
    readonly absorbed: number;
    readonly expired: boolean;
  } | null;
  readonly version: number;
  readonly last_seq: number;
  readonly is_drill: boolean;
}

export const CASE: z.ZodType<ShownCase> = z
  .object({
    id: NUMBER.openapi({ description: 'Sequence of the audit record that opened it.' }),
    uid: TEXT.openapi({ description: '32 hex digits; the same in every copy and export.' }),
    topic: TEXT.openapi({ description: '`refusal`, or the event that wants review.' }),
    peer_id: NULLABLE.openapi({ description: 'Node id of the peer concerned.' }),
    peer: NULLABLE.openapi({ description: 'Name of its file; null when it has none now.' }),
    reason: NULLABLE,
    feed: NULLABLE.openapi({ description: 'Null also where refusals of many feeds are put together.' }),
    key_id: NULLABLE.openapi({ description: 'Of the peer’s log key, 8 hex digits.' }),
    state: z.enum(CASE_STATES),
    state_at: TEXT.openapi({ description: 'Since when it is in this state.' }),
    severity: z.enum(SEVERITIES),
    seen: NUMBER.openapi({ description: 'Refusals or events that it stands for, each counted once.' }),
    first_at: TEXT,
    last_at: TEXT,
    exemplars: z.array(NUMBER).openapi({ description: 'Audit records of the first, the last, and some between.' }),
    verdict: z.enum(CASE_VERDICTS).nullable(),
    assignee: NULLABLE,
    ticket: NULLABLE,
    suppression: z
      .object({
        owner: TEXT,
        reason: TEXT,
        until: TEXT,
        absorbed: NUMBER.openapi({ description: 'Of `seen`, those since it was suppressed.' }),
        expired: z.boolean().openapi({ description: 'The next one opens it again.' }),
      })
      .nullable(),
    version: NUMBER.openapi({
      description: 'Sequence of the newest record that changed its state or what people say of it.',
    }),
    last_seq: NUMBER.openapi({ description: 'Sequence of its newest record.' }),
    is_drill: z.boolean().openapi({ description: 'All that it stands for was a drill of this node.' }),
  })
  .openapi('Case') as unknown as z.ZodType<ShownCase>;

export function shownCase({ peers, nowMs }: Pick<ApiDeps, 'peers' | 'nowMs'>, held: Case): ShownCase {
  const { id, uid, topic, state, state_at, severity, seen, first_at, last_at, verdict, assignee, ticket } = held;
  const seqs = [id, ...held.samples.map(([, seq]) => seq), held.last_seen_seq];
  return {
    id,
    uid,
    topic,
    peer_id: orNull(held.peer),
    peer: peers.get(held.peer)?.name ?? null,
    reason: orNull(held.reason),
    feed: orNull(held.feed),
    key_id: orNull(held.key_id),
    state,
    state_at,
    severity,
    seen,
    first_at,
    last_at,
    exemplars: [...new Set(seqs)].sort((a, b) => a - b),
    verdict,
    assignee,
    ticket,
    suppression: suppressionOf(held, nowMs()),
    version: held.version,
    last_seq: held.last_seq,
    is_drill: held.is_drill,
  };
}

function suppressionOf({ owner, suppressed_for, until, absorbed }: Case, nowMs: number): ShownCase['suppression'] {
  if (owner === null || until === null) return null;
  return { owner, reason: suppressed_for ?? '', until, absorbed, expired: Date.parse(until) <= nowMs };
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}

type Text = z.ZodType<string | undefined>;
type Words = z.ZodType<readonly string[] | undefined>;
// A type of its own: an interface has no index signature, which a shape has to have.
type Filters = {
  readonly state: Words;
  readonly severity: Words;
  readonly topic: Text;
  readonly peer_id: Text;
  readonly reason: Text;
  readonly feed: Text;
  readonly assignee: Text;
  readonly since: Text;
  readonly text: Text;
  readonly drills: z.ZodType<DrillWord>;
};

const DRILL_WORDS = ['any', 'only', 'none'] as const;
type DrillWord = (typeof DRILL_WORDS)[number];

/** `open` stands for all states that somebody has still to do something about. */
export const FILTERS: Filters = {
  state: wordsParam(
    [...CASE_STATES, 'open'],
    'States, with commas between them; `open` is all but resolved and suppressed.',
  ),
  severity: wordsParam(SEVERITIES, 'Severities, with commas between them.'),
  topic: textParam('`refusal`, or an event.'),
  peer_id: textParam('Peer file name, node id or peer id.'),
  reason: textParam('Exact reason code.'),
  feed: textParam('Exact feed.'),
  assignee: textParam('Exact name; `none` for those that are nobody’s.'),
  since: instantParam('Seen again, or in its state, since this moment.'),
  text: textParam('Part of a note, a reason that somebody gave, or a ticket.', 200),
  drills: choiceParam(DRILL_WORDS, 'any', 'Only those of drills, or none of them.'),
};
export type GivenFilter = { readonly [K in keyof Filters]?: z.output<Filters[K]> };

export function filterOf({ peers }: Pick<ApiDeps, 'peers'>, given: GivenFilter): CaseFilter {
  const { state, severity, topic, peer_id, reason, feed, assignee, since, text, drills = 'any' } = given;
  return {
    ...(state === undefined ? {} : { states: statesOf(state) }),
    ...(severity === undefined ? {} : { severities: severity as Severity[] }),
    ...(topic === undefined ? {} : { topic }),
    ...(peer_id === undefined ? {} : { peer: peers.get(peer_id)?.node_id ?? peer_id }),
    ...(reason === undefined ? {} : { reason }),
    ...(feed === undefined ? {} : { feed }),
    ...(assignee === undefined ? {} : { assignee: assignee === 'none' ? null : assignee }),
    ...(since === undefined ? {} : { since }),
    ...(text === undefined ? {} : { text }),
    ...(drills === 'any' ? {} : { drill: drills === 'only' }),
  };
}

function statesOf(words: readonly string[]): CaseState[] {
  return words.flatMap((word) => (word === 'open' ? [...OPEN_STATES] : [word as CaseState]));
}

/** Words of a closed list, with commas between them, or undefined. */
function wordsParam(words: readonly string[], description: string): Words {
  return z
    .string()
    .max(200)
    .transform((text, context) => {
      const given = text.split(',').map((word) => word.trim());
      if (given.every((word) => words.includes(word))) return given;
      context.addIssue({
        code: 'custom',
        message: `must be of ${listed(words)}, with commas between them`,
        ...VALUE_ERROR,
      });
      return z.NEVER;
    })
    .optional()
    .openapi({ type: 'string', description: `${description} Of ${words.join(', ')}.` });
}
