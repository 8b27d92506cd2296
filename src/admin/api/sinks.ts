/** Receivers of the audit log: how far each is, a test, and moving its place. */
import { z } from '@hono/zod-openapi';
import { SINK_FORMATS, SINK_KINDS } from '../../core/sink.ts';
import { isoMicros } from '../../core/time.ts';
import type { SinkMoveOutcome, SinkStatus } from '../sink-desk.ts';
import { REASON, readActBody } from './acting.ts';
import { json, type Refusal, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

export interface SinkAnswer {
  readonly name: string;
  readonly kind: string;
  readonly format: string;
  readonly target: string;
  readonly min_severity: string;
  readonly events: readonly string[];
  readonly lag_events: number;
  readonly attempts: number;
  readonly last_taken_at: string | null;
  readonly sentence: string;
}

export interface SinksAnswer {
  readonly sinks: readonly SinkAnswer[];
  readonly gaps: readonly {
    readonly sink: string;
    readonly first: number;
    readonly last: number;
    readonly reason: string | null;
    readonly at: string;
  }[];
}

export interface SinkTestAnswer {
  readonly taken: boolean;
  readonly code: string | null;
  readonly message: string | null;
}

export interface SinkMovedAnswer {
  readonly sink: SinkAnswer;
}

const SEQ = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const TEXT = z.string().nullable();
const NAME = z.object({ name: z.string() });

const SINK = z
  .object({
    name: z.string(),
    kind: z.enum(SINK_KINDS),
    format: z.enum(SINK_FORMATS),
    target: z.string().openapi({ description: 'Path or URL.' }),
    min_severity: z.string(),
    events: z.array(z.string()),
    acked: z
      .number()
      .int()
      .openapi({ description: 'It has every record up to this one that its filter lets through.' }),
    lag_events: z.number().int().openapi({ description: 'Records that it has not taken.' }),
    lag_seconds: z.number().openapi({ description: 'Age of the oldest of them.' }),
    attempts: z.number().int().openapi({ description: 'Tries that failed since something was taken.' }),
    failing_since: TEXT,
    last_error: TEXT,
    last_taken_at: TEXT,
    sentence: z.string(),
  })
  .openapi('Sink') satisfies z.ZodType<SinkAnswer>;

const GAP = z
  .object({
    audit_seq: z.number().int(),
    sink: z.string(),
    first: z.number().int(),
    last: z.number().int(),
    reason: TEXT,
    at: z.string(),
  })
  .openapi('SinkGap');
const LIST = z
  .object({
    sinks: z.array(SINK),
    gaps: z.array(GAP).openapi({ description: 'Records that were not sent, newest first.' }),
  })
  .openapi('Sinks') satisfies z.ZodType<SinksAnswer>;
const TEST = z
  .object({ taken: z.boolean(), code: TEXT, message: TEXT })
  .openapi('SinkTest') satisfies z.ZodType<SinkTestAnswer>;
const MOVED = z
  .object({ sink: SINK, audit_seq: z.number().int() })
  .openapi('SinkMoved') satisfies z.ZodType<SinkMovedAnswer>;

const TEST_BODY = z.object({ reason: REASON }).openapi('TestSink');
const REPLAY = z
  .object({
    reason: REASON,
    from_seq: SEQ.openapi({ description: 'Record that is sent next; at most one behind `acked`.' }),
  })
  .openapi('ReplaySink');
const SKIP = z
  .object({ reason: REASON, to_seq: SEQ.openapi({ description: 'Last record that is not sent; behind `acked`.' }) })
  .openapi('SkipSink');

/** Gaps that are listed. */
const MAX_GAPS = 100;

export function addSinks(apparatus: Apparatus): void {
  addList(apparatus);
  addTest(apparatus);
  addMoves(apparatus);
}

function addList(apparatus: Apparatus): void {
  const { reader, sinks } = apparatus.deps;
  const route = {
    method: 'get',
    path: '/v1/sinks',
    tag: 'Audit',
    summary: 'Receivers of the audit log: how far each is, and what was not sent',
    query: NO_QUERY,
    quota: 'remedy',
    responses: { 200: { description: 'all of them', content: { 'application/json': { schema: LIST } } } },
  } as const;
  addRoute(apparatus, route, ['audit.read', 'admin'], async () => {
    const { records } = await reader.auditPage({ event: 'export_gap', order: 'desc', limit: MAX_GAPS });
    const gaps = records.map(({ seq, detail, reason, at }) => ({
      audit_seq: seq,
      sink: String(detail['sink']),
      first: Number(detail['first']),
      last: Number(detail['last']),
      reason,
      at,
    }));
    return json(200, { sinks: (await sinks.list()).map(sinkBody), gaps });
  });
}

function addTest(apparatus: Apparatus): void {
  const { deps } = apparatus;
  const route = {
    method: 'post',
    path: '/v1/sinks/{name}/test',
    tag: 'Audit',
    summary: 'Send an event that stands in no log, past everything that waits; recorded with the caller',
    params: NAME,
    query: NO_QUERY,
    body: TEST_BODY,
    quota: 'admin_action',
    responses: {
      200: { description: 'whether the receiver took it', content: { 'application/json': { schema: TEST } } },
      404: { description: 'sink not found' },
      409: { description: 'the node does not run' },
    },
  } as const;
  addRoute(apparatus, route, ['admin', 'review'], async (call, { actor }) => {
    const body = await readActBody(apparatus, call, TEST_BODY);
    if (!body.ok) return refused(body.error);
    const sink = call.param('name');
    const outcome = await deps.sinks.test(sink);
    if (outcome.kind === 'unknown_sink' || outcome.kind === 'not_running') return refused(impossible(outcome.kind));
    const taken = outcome.kind === 'taken';
    const { code, message } = outcome.kind === 'failed' ? outcome : { code: null, message: null };
    await deps.writer.audit({ event: 'export_tested', actor, detail: { sink, taken, code, why: body.value.reason } });
    return json(200, { taken, code, message });
  });
}

function addMoves(apparatus: Apparatus): void {
  const { sinks } = apparatus.deps;
  const moved = { description: 'moved', content: { 'application/json': { schema: MOVED } } };
  const common = {
    method: 'post',
    tag: 'Audit',
    params: NAME,
    query: NO_QUERY,
    quota: 'admin_action',
    responses: {
      200: moved,
      404: { description: 'sink not found' },
      409: { description: 'no such place, or the node does not run' },
    },
  } as const;
  const replay = {
    ...common,
    path: '/v1/sinks/{name}/replay',
    summary: 'Send records again from one on, with the same ids; recorded with the caller',
    body: REPLAY,
  } as const;
  addRoute(apparatus, replay, ['admin', 'review'], async (call, { actor }) => {
    const body = await readActBody(apparatus, call, REPLAY);
    if (!body.ok) return refused(body.error);
    const { reason, from_seq: from } = body.value;
    return movedAnswer(await sinks.move(call.param('name'), { kind: 'replay', from }, { actor, reason }));
  });
  const skip = {
    ...common,
    path: '/v1/sinks/{name}/skip',
    summary: 'Leave records out up to one; recorded as a gap that the sink is told of',
    body: SKIP,
  } as const;
  addRoute(apparatus, skip, ['admin'], async (call, { actor }) => {
    const body = await readActBody(apparatus, call, SKIP);
    if (!body.ok) return refused(body.error);
    const { reason, to_seq: to } = body.value;
    return movedAnswer(await sinks.move(call.param('name'), { kind: 'skip', to }, { actor, reason }));
  });
}

function movedAnswer(outcome: SinkMoveOutcome): Response {
  if (outcome.kind !== 'moved') return refused(impossible(outcome.kind));
  return json(200, { sink: sinkBody(outcome.sink), audit_seq: outcome.auditSeq });
}

function impossible(code: 'unknown_sink' | 'not_running' | 'no_such_place'): Refusal {
  if (code === 'unknown_sink') return { status: 404, detail: 'sink not found: it has no [[sink]] table' };
  const message =
    code === 'not_running'
      ? 'the node does not run'
      : 'a replay begins at a record that was sent, or the next one; a skip ends at one that was not';
  return { status: 409, detail: { code, message } };
}

function sinkBody(sink: SinkStatus): z.input<typeof SINK> {
  const { name, kind, format, target, minSeverity, events, acked, lagEvents, lagMs, attempts } = sink;
  return {
    name,
    kind,
    format,
    target,
    min_severity: minSeverity,
    events: [...events],
    acked,
    lag_events: lagEvents,
    lag_seconds: lagMs / 1_000,
    attempts,
    failing_since: isoOf(sink.failingSinceUs),
    last_error: sink.lastError,
    last_taken_at: isoOf(sink.ackedUs),
    sentence: sentenceOf(sink),
  };
}

function sentenceOf({ acked, lagEvents, lagMs, attempts, lastError }: SinkStatus): string {
  if (lagEvents === 0) return `has everything up to record ${acked}`;
  const seconds = Math.round(lagMs / 1_000);
  const age = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  const what = lagEvents === 1 ? '1 record waits' : `${lagEvents} records wait`;
  const why =
    attempts === 0 || lastError === null
      ? ''
      : `; ${attempts === 1 ? '1 try' : `${attempts} tries`} failed: ${lastError}`;
  return `${what}, the oldest for ${age}${why}`;
}

function isoOf(us: number | null): string | null {
  return us === null ? null : isoMicros(us);
}
