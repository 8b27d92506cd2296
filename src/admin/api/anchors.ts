import { z } from '@hono/zod-openapi';
import { isoMicros } from '../../core/time.ts';
import type { Anchored, BackendStatus } from '../../journal/anchor-records.ts';
import type { AuditPage } from '../../journal/read-model.ts';
import { intParam, optionalInt } from './params.ts';
import { json, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

export interface AnchorBackendAnswer {
  readonly backend: string;
  readonly pending: number;
  readonly oldest_pending_at: string | null;
  readonly watermark: number;
  readonly last_error: string | null;
  readonly sentence: string;
}

export interface AnchorsAnswer {
  readonly backends: readonly AnchorBackendAnswer[];
  readonly anchors: readonly {
    readonly id: number;
    readonly log: 'journal' | 'audit';
    readonly tree_size: number;
    readonly root: string;
    readonly created_at: string;
    readonly status: 'pending' | 'submitted';
    readonly receipts: readonly { readonly backend: string; readonly log_index: number }[];
  }[];
  readonly tee: {
    readonly audit_seq: number;
    readonly log: 'journal' | 'audit';
    readonly tree_size: number;
    readonly provider: string;
    readonly binding: 'bound' | 'not_checked';
    readonly taken_at: string;
  } | null;
}

const BACKEND = z
  .object({
    backend: z.string(),
    pending: z.number().int().openapi({ description: 'Checkpoints that it has not taken yet.' }),
    oldest_pending_at: z.string().nullable(),
    watermark: z.number().int().openapi({ description: 'Journal entries below its newest checkpoint.' }),
    attempts: z.number().int().openapi({ description: 'Tries of the oldest one that is pending.' }),
    next_retry_at: z.string().nullable(),
    last_error: z.string().nullable(),
    sentence: z.string(),
  })
  .openapi('AnchorBackend') satisfies z.ZodType<AnchorBackendAnswer>;

const ANCHOR = z
  .object({
    id: z.number().int(),
    log: z.enum(['journal', 'audit']),
    tree_size: z.number().int(),
    root: z.string(),
    chain_hash: z.string().nullable(),
    created_at: z.string(),
    status: z.enum(['pending', 'submitted']),
    checkpoint: z.string().openapi({ description: 'Signed note with the anchor key’s line.' }),
    receipts: z.array(z.looseObject({ backend: z.string(), log_index: z.number().int() })).openapi({
      description: 'What each log returned, whole: `stigmem-peerd verify anchor` checks it offline.',
    }),
  })
  .openapi('Anchor');

const TEE = z
  .object({
    audit_seq: z.number().int().openapi({ description: 'The record that has the report as its evidence.' }),
    log: z.enum(['journal', 'audit']),
    tree_size: z.number().int(),
    provider: z.string().openapi({ description: 'Format of the report: `tdx_guest`, `sev_guest`, …' }),
    binding: z.enum(['bound', 'not_checked']).openapi({
      description: '`bound`: the report names the checkpoint. Who made the report was not checked, in neither case.',
    }),
    taken_at: z.string(),
  })
  .openapi('TeeReport');

const PAGE = z
  .object({
    backends: z.array(BACKEND),
    anchors: z.array(ANCHOR),
    tee: TEE.nullable().openapi({ description: 'Newest report of the machine’s trusted execution environment.' }),
    cursor: z.number().int().nullable(),
  })
  .openapi('Anchors') satisfies z.ZodType<AnchorsAnswer>;

const QUERY = z.object({
  cursor: optionalInt({ min: 1, max: Number.MAX_SAFE_INTEGER, description: 'The `cursor` of the page before.' }),
  status: z.enum(['pending']).optional().openapi({ description: '`pending`: only what no log has taken yet.' }),
  limit: intParam({ min: 1, max: 500, default: 50, description: 'Anchors per page, newest first.' }),
});

/** Adds the endpoints about checkpoints in transparency logs. */
export function addAnchors(apparatus: Apparatus): void {
  const { anchorBackends, nowMs, reader, writer } = apparatus.deps;
  const list = {
    method: 'get',
    path: '/v1/anchors',
    tag: 'Journal',
    summary: 'Checkpoints in transparency logs, and what waits for one',
    query: QUERY,
    quota: 'remedy',
    responses: { 200: { description: 'a page', content: { 'application/json': { schema: PAGE } } } },
  } as const;
  addRoute(apparatus, list, ['read', 'audit.read', 'federate'], async ({ query }) => {
    const before = query.cursor ?? Number.MAX_SAFE_INTEGER;
    const found = await writer.anchors(before, query.limit, query.status === 'pending');
    const status = await writer.anchorStatus(anchorBackends);
    return json(200, {
      backends: status.map((one) => backendBody(one, nowMs())),
      anchors: found.map(anchorBody),
      tee: teeBody(await reader.auditPage({ event: 'tee_report', order: 'desc', limit: 1 })),
      cursor: found.length === query.limit ? (found.at(-1)?.checkpoint.id ?? null) : null,
    });
  });

  const one = {
    method: 'get',
    path: '/v1/anchors/{id}',
    tag: 'Journal',
    summary: 'One checkpoint with what each transparency log returned for it',
    params: z.object({ id: z.string().regex(/^[1-9][0-9]{0,14}$/, 'a whole number above 0') }),
    query: NO_QUERY,
    responses: {
      200: { description: 'the anchor', content: { 'application/json': { schema: ANCHOR } } },
      404: { description: 'anchor not found' },
    },
  } as const;
  addRoute(apparatus, one, ['read', 'audit.read', 'federate'], async (call) => {
    const id = Number(call.param('id'));
    const [found] = await writer.anchors(id + 1, 1, false);
    return found?.checkpoint.id === id
      ? json(200, anchorBody(found))
      : refused({ status: 404, detail: 'anchor not found' });
  });

  const retry = {
    method: 'post',
    path: '/v1/anchors/retry',
    tag: 'Journal',
    summary: 'Try everything that waits for a transparency log again now',
    query: NO_QUERY,
    quota: 'admin_action',
    responses: {
      200: {
        description: 'tried at once',
        content: { 'application/json': { schema: z.object({ backends: z.array(BACKEND) }) } },
      },
    },
  } as const;
  addRoute(apparatus, retry, ['admin'], async () => {
    await writer.retryAnchors();
    const status = await writer.anchorStatus(anchorBackends);
    return json(200, { backends: status.map((one) => backendBody(one, nowMs())) });
  });
}

function backendBody(status: BackendStatus, nowMs: number): z.input<typeof BACKEND> {
  const { backend, pending, oldestPendingUs, watermark, attempts, nextRetryUs, lastError } = status;
  return {
    backend,
    pending,
    oldest_pending_at: isoOf(oldestPendingUs),
    watermark,
    attempts,
    next_retry_at: isoOf(nextRetryUs),
    last_error: lastError,
    sentence: sentenceOf(status, nowMs),
  };
}

/** One sentence for people: what waits, since when, and why. */
function sentenceOf({ pending, oldestPendingUs, watermark, lastError }: BackendStatus, nowMs: number): string {
  if (pending === 0 || oldestPendingUs === null) return `has everything up to entry ${watermark}`;
  const seconds = Math.max(0, Math.round(nowMs / 1_000 - oldestPendingUs / 1e6));
  const age = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  const what = pending === 1 ? '1 checkpoint waits' : `${pending} checkpoints wait`;
  return `${what}, the oldest for ${age}${lastError === null ? '' : `: ${lastError}`}`;
}

function anchorBody({ checkpoint, receipts }: Anchored): z.input<typeof ANCHOR> {
  const { id, log, treeSize, root, chainHash, createdUs, note } = checkpoint;
  return {
    id,
    log,
    tree_size: treeSize,
    root,
    chain_hash: chainHash,
    created_at: isoMicros(createdUs),
    status: receipts.length === 0 ? 'pending' : 'submitted',
    checkpoint: note,
    receipts: receipts.map((receipt) => ({ ...receipt })),
  };
}

function teeBody({ records: [record] }: AuditPage): z.input<typeof TEE> | null {
  if (record === undefined) return null;
  const { log, tree_size, provider, binding } = record.detail;
  return {
    audit_seq: record.seq,
    log: log === 'audit' ? 'audit' : 'journal',
    tree_size: Number(tree_size),
    provider: String(provider),
    binding: binding === 'bound' ? 'bound' : 'not_checked',
    taken_at: record.at,
  };
}

function isoOf(us: number | null): string | null {
  return us === null ? null : isoMicros(us);
}
