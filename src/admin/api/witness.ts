/** C2SP tlog-witness over HTTP, and what operators see of witnessing. */
import { z } from '@hono/zod-openapi';
import { isoMicros } from '../../core/time.ts';
import type { WitnessState } from '../../core/witness-report.ts';
import { MAX_ADD_CHECKPOINT_CHARS } from '../../merkle/witness-body.ts';
import type { AddCheckpointOutcome } from '../witness-desk.ts';
import { readTextBody } from './body.ts';
import { answer, json, type Refusal, refused } from './responses.ts';
import { type Apparatus, addOpenRoute, addRoute, NO_QUERY } from './route.ts';
import { WitnessRate } from './witness-rate.ts';

export interface WitnessAnswer {
  readonly size: number;
  readonly cosignatures: readonly { readonly witness: string; readonly time: string | null }[];
  readonly policy: {
    readonly met: boolean;
    readonly met_size: number | null;
    readonly satisfied: readonly string[];
    readonly missing: readonly string[];
  } | null;
  readonly logs: readonly {
    readonly origin: string;
    readonly node_id: string | null;
    readonly cosigned_size: number | null;
    readonly verified_size: number | null;
    readonly seen_size: number | null;
    readonly seen_from: string | null;
    readonly unreconciled: number;
  }[];
}

const TEXT = 'text/plain; charset=utf-8';
const TAG = 'Witness';
/** When a 503 may be another answer: as long as the log is given to join its heads. */
const RETRY_AFTER = { 'retry-after': '10' };
const NOT_RUNNING: Refusal = {
  status: 503,
  detail: 'the node is not running: it cosigns nothing',
  headers: RETRY_AFTER,
};

const STATE = z
  .object({
    size: z.number().int().openapi({ description: 'Of the newest signed checkpoint.' }),
    cosignatures: z.array(z.object({ witness: z.string(), time: z.string().nullable() })),
    policy: z
      .object({
        met: z
          .boolean()
          .openapi({ description: 'The newest checkpoint has the cosignatures that the policy asks for.' }),
        met_size: z.number().int().nullable(),
        satisfied: z.array(z.string()),
        missing: z.array(z.string()),
      })
      .nullable(),
    logs: z
      .array(
        z.object({
          origin: z.string(),
          node_id: z.string().nullable(),
          cosigned_size: z.number().int().nullable(),
          verified_size: z.number().int().nullable(),
          seen_size: z.number().int().nullable().openapi({ description: 'Largest head that a third node has shown.' }),
          seen_from: z.string().nullable(),
          unreconciled: z
            .number()
            .int()
            .openapi({ description: 'Heads that the log has not joined with what was verified of it.' }),
        }),
      )
      .openapi({ description: 'Logs that this node judges: those of its peers, and those that are configured.' }),
  })
  .openapi('WitnessState') satisfies z.ZodType<WitnessAnswer>;

/** Adds the endpoints of the witness. Those of C2SP take no key: the signature in the body says who asks. */
export function addWitness(apparatus: Apparatus): void {
  const rate = new WitnessRate(apparatus.deps.limits.quotas);
  addSubmission(apparatus, rate);
  addMonitoring(apparatus, rate);
  const state = {
    method: 'get',
    path: '/v1/witness',
    tag: TAG,
    summary: 'Cosignatures on our own checkpoints, our policy, and heads of others',
    query: NO_QUERY,
    quota: 'remedy',
    responses: { 200: { description: 'state', content: { 'application/json': { schema: STATE } } } },
  } as const;
  addRoute(apparatus, state, ['read', 'federate'], async () => {
    const { witness } = apparatus.deps;
    return witness === null ? refused(NOT_RUNNING) : json(200, stateBody(await witness.state()));
  });
}

function addSubmission(apparatus: Apparatus, rate: WitnessRate): void {
  const submission = {
    method: 'post',
    path: '/witness/add-checkpoint',
    tag: TAG,
    summary: 'Cosigns a checkpoint of a known log (C2SP tlog-witness)',
    description:
      'The body is text: `old <size>`, a consistency proof from there, an empty line, the signed checkpoint. Anybody may ask; the log’s own signature decides.',
    query: NO_QUERY,
    responses: {
      200: { description: 'cosignature lines', content: { 'text/plain': { schema: z.string() } } },
      400: { description: 'the body is malformed, or the old size is above that of the checkpoint' },
      403: { description: 'no signature by the key that is known for this log, or the log is suspended' },
      404: { description: 'the log is not known' },
      409: { description: 'the old size is not the one cosigned last, which the body names; or another root' },
      422: { description: 'the consistency proof does not verify' },
      429: { description: 'too many requests, or checkpoints of this log; see Retry-After' },
      503: { description: 'two heads of the log are not joined yet, or the node is not running; see Retry-After' },
    },
  } as const;
  addOpenRoute(apparatus, submission, async ({ c }) => {
    const { witness } = apparatus.deps;
    if (witness === null) return refused(NOT_RUNNING);
    const body = await readTextBody(c.req.raw, { ...apparatus.deps.limits, maxBodyBytes: MAX_ADD_CHECKPOINT_CHARS });
    if (!body.ok) return refused(body.error);
    // Behind the body, which is small, and before its signatures are checked, which is what costs.
    const origin = originIn(body.value);
    const wait = rate.take(c.env?.address, origin, apparatus.deps.nowMs());
    if (wait !== null) return refused(overRate(wait));
    const outcome = await witness.add(body.value);
    if (origin !== null && !isUnknown(outcome)) rate.learn(origin);
    return submitted(outcome);
  });
}

function addMonitoring(apparatus: Apparatus, rate: WitnessRate): void {
  const monitoring = {
    method: 'get',
    path: '/witness/{log}/checkpoint',
    tag: TAG,
    summary: 'The newest checkpoint cosigned of a log',
    params: z.object({ log: z.string().openapi({ description: 'SHA-256 of its origin, lower-case hex.' }) }),
    query: NO_QUERY,
    responses: {
      200: { description: 'signed note', content: { 'text/plain': { schema: z.string() } } },
      404: { description: 'the log is not known, or nothing of it was cosigned' },
    },
  } as const;
  addOpenRoute(apparatus, monitoring, async ({ c, param }) => {
    const { witness } = apparatus.deps;
    if (witness === null) return refused(NOT_RUNNING);
    const wait = rate.take(c.env?.address, null, apparatus.deps.nowMs());
    if (wait !== null) return refused(overRate(wait));
    const note = /^[0-9a-f]{64}$/.test(param('log')) ? await witness.monitored(param('log')) : null;
    return note === null ? refused({ status: 404, detail: 'Not Found' }) : answer(200, TEXT, note);
  });
}

/** First line of the checkpoint, behind the empty line. */
function originIn(body: string): string | null {
  const at = body.indexOf('\n\n');
  return at < 0 ? null : (body.slice(at + 2).split('\n', 1)[0] ?? null);
}

/** Neither says that the log is known. */
function isUnknown(outcome: AddCheckpointOutcome): boolean {
  return outcome.kind === 'refused' && (outcome.code === 'unknown_log' || outcome.code === 'bad_request');
}

function overRate(wait: number): Refusal {
  const headers = { 'retry-after': String(Math.max(1, Math.ceil(wait))) };
  return { status: 429, detail: 'too many requests to the witness; try again later', headers };
}

function submitted(outcome: AddCheckpointOutcome): Response {
  switch (outcome.kind) {
    case 'cosigned':
      return answer(200, TEXT, outcome.lines);
    case 'stale':
      return answer(409, 'text/x.tlog.size', `${outcome.size}\n`);
    case 'busy':
      return refused(overRate(outcome.retryAfterMs / 1_000));
    case 'contradiction':
      return outcome.reason === 'checkpoint_split_view'
        ? answer(409, TEXT, 'another root was cosigned for this size\n')
        : answer(422, TEXT, 'the proof shows another past than was cosigned\n');
    case 'refused': {
      const status = STATUS[outcome.code];
      return answer(status, TEXT, `${outcome.code}\n`, status === 503 ? RETRY_AFTER : {});
    }
  }
}

type RefusedCode = Extract<AddCheckpointOutcome, { kind: 'refused' }>['code'];

/** @see C2SP tlog-witness. A log that is suspended is trusted by no key; one that is not reconciled may be tried again. */
const STATUS: Readonly<Record<RefusedCode, number>> = {
  bad_request: 400,
  bad_signature: 403,
  suspended: 403,
  unknown_log: 404,
  bad_proof: 422,
  unreconciled: 503,
};

function stateBody({ size, cosignatures, policy, logs }: WitnessState): unknown {
  return {
    size,
    cosignatures: cosignatures.map(({ witness, timeSeconds }) => ({
      witness,
      time: timeSeconds === null ? null : isoMicros(timeSeconds * 1_000_000),
    })),
    policy: policy === null ? null : policyBody(policy),
    logs: logs.map((log) => ({
      origin: log.origin,
      node_id: log.nodeId,
      cosigned_size: log.cosignedSize,
      verified_size: log.verifiedSize,
      seen_size: log.seenSize,
      seen_from: log.seenFrom,
      unreconciled: log.unreconciled,
    })),
  };
}

function policyBody({ isMet, metSize, satisfied, missing }: NonNullable<WitnessState['policy']>): unknown {
  return { met: isMet, met_size: metSize, satisfied, missing };
}
