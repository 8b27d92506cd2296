/** The admin API over a node in memory, for tests that need faults, clocks or limits of their own. Over files: data-folder.ts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { DestinationStream } from 'pino';
import { buildApi } from '../../src/admin/api/build-api.ts';
import type { ApiEnv } from '../../src/admin/api/route.ts';
import { type ApiLimits, DEFAULT_API_LIMITS } from '../../src/admin/api-limits.ts';
import { Sessions } from '../../src/admin/console/sessions.ts';
import { SignInLinks } from '../../src/admin/console/sign-in-links.ts';
import type { ApiDeps } from '../../src/admin/deps.ts';
import type { ApiDrills } from '../../src/admin/drill-desk.ts';
import { type KeyStore, openKeyStore } from '../../src/admin/keys.ts';
import type { NodeStats } from '../../src/admin/node-status.ts';
import type { KeyStatus } from '../../src/core/key-status.ts';
import type { PeerStatus } from '../../src/core/peer-status.ts';
import type { Permission } from '../../src/core/permissions.ts';
import type { Weakening } from '../../src/core/weakening.ts';
import type { AuditInput } from '../../src/journal/read-model.ts';
import { createAuditBell } from '../../src/observe/audit-bell.ts';
import { createEvents } from '../../src/observe/events.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { createMetrics, type Metrics } from '../../src/observe/metrics.ts';
import { createTraces } from '../../src/observe/trace.ts';
import { MemoryNode } from './memory-node.ts';

export type Role = 'full' | 'ro' | 'wo' | 'audit' | 'admin' | 'federate';

const ROLES: Readonly<Record<Role, readonly Permission[]>> = {
  full: ['admin:federation', 'audit.read', 'federate', 'read', 'write'],
  ro: ['read'],
  wo: ['write'],
  audit: ['audit.read'],
  admin: ['admin'],
  federate: ['federate'],
};

export interface TestApi {
  readonly api: OpenAPIHono<ApiEnv>;
  /** Secrets by role. */
  readonly keys: Readonly<Record<Role, string>>;
  readonly keyStore: KeyStore;
  /** Of a console that is mounted on it. */
  readonly sessions: Sessions;
  readonly links: SignInLinks;
  readonly keyFile: string;
  readonly metrics: Metrics;
  /** Log lines so far. */
  readonly log: readonly string[];
  /** Sends a request with the key of a role, or without one. */
  send(path: string, options?: SendOptions): Promise<Response>;
  /** Writes audit records and tells whoever follows the log. @returns the sequence of the last */
  audit(...records: readonly AuditInput[]): Promise<number>;
  /** Calls of the reader that are bounded look at so many audit records. */
  lookAt(records: number): void;
  /** Changes one stored field behind the node's back, as somebody with the database file would. */
  tamper(factId: string, field: 'value_v' | 'interpret_as', value: string): Promise<void>;
  /** Moves a fact into quarantine. */
  quarantine(factId: string): Promise<void>;
  /** Moves the API's clock. */
  advance(ms: number): void;
  /** The next calls of the writer or reader throw an error with this code; null: they work again. */
  fail(code: string | null): void;
  /** The next calls of the writer and reader never answer. @returns when one is waiting */
  hang(): Promise<void>;
  close(): Promise<void>;
}

export interface SendOptions {
  readonly as?: Role;
  readonly method?: string;
  readonly body?: unknown;
  readonly raw?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly stopping?: AbortSignal;
}

export interface TestApiOptions {
  readonly peers?: readonly PeerStatus[];
  readonly witness?: ApiDeps['witness'];
  readonly approvals?: ApiDeps['approvals'];
  readonly onboarding?: ApiDeps['onboarding'];
  readonly signingKeys?: readonly KeyStatus[];
  readonly limits?: Partial<ApiLimits>;
  readonly gardens?: readonly string[];
  readonly openMetrics?: boolean;
  readonly publicTlog?: boolean;
  readonly ready?: boolean;
  readonly stats?: Partial<NodeStats>;
  readonly weakenings?: readonly Weakening[];
}

/** Of a node that has done nothing yet. */
export const STATS: NodeStats = {
  uptime_s: 60,
  rss_bytes: 104_857_600,
  loop_delay_ms: { p50: 10, p99: 12, max: 20 },
  writer_pending: 0,
  entries: 0,
  audit_records: 0,
  projection_lag: 0,
  recall_lag: 0,
  facts_asserted: 0,
  facts_taken: 0,
  facts_refused: 0,
  pages_refused: 0,
  facts_given: 0,
  metrics_scraped_at: null,
};

/** A node without partners. */
const NO_TOMBSTONES: ApiDeps['tombstones'] = {
  order: async () => ({ kind: 'refused', code: 'fact_not_found', retryAfterMs: null }),
  list: async () => [],
  status: async () => null,
};

/** A node that sends its audit log to nobody. */
const NO_DRILLS: ApiDrills = {
  status: async () => ({ kinds: [], running: null, schedule: null, last_refusal_at: null, since: null }),
  start: async () => ({ kind: 'not_running' }),
  runs: async () => ({ runs: [], cursor: null, more: false }),
  run: async () => null,
  report: async () => ({ kind: 'no_month' }),
};

const NO_SINKS: ApiDeps['sinks'] = {
  list: async () => [],
  test: async () => ({ kind: 'unknown_sink' }),
  move: async () => ({ kind: 'unknown_sink' }),
};

/** No copies elsewhere. */
const NO_BACKUPS: ApiDeps['backups'] = {
  worm: async () => null,
  snapshots: () => null,
  recordVerified: async () => null,
};

const NO_GRANTS: ApiDeps['grants'] = {
  preview: async () => null,
  explain: async () => ({ kind: 'unknown_peer' }),
  diff: async () => ({ kind: 'invalid', problems: [] }),
  disclosed: async ({ peer }) => ({ node_id: peer, feeds: [], runs: [] }),
};

/** What is in quarantine, and nothing that decides about it. */
function quarantineOf(node: MemoryNode): ApiDeps['quarantine'] {
  const all = { includeQuarantined: true, includeContradicted: true, includeExpired: true, limit: 100, nowIso: '' };
  return {
    list: async () => {
      const page = await node.facts(all);
      const facts = page.kind === 'page' ? page.facts : [];
      const shown = facts.flatMap((fact, i) =>
        fact.quarantine === null ? [] : [{ seq: i + 1, ...fact.quarantine, fact, corrupt: null }],
      );
      return { facts: shown, before: null };
    },
    history: async () => [],
    review: async () => ({ kind: 'impossible', code: 'fact_unknown' }),
  };
}

/** One person is enough for everything. */
const NO_APPROVALS: ApiDeps['approvals'] = {
  fourEyes: [],
  list: async () => ({ proposals: [], before: null }),
  find: async () => null,
  end: async () => ({ kind: 'refused', code: 'proposal_unknown', proposal: null }),
};

/** Cases follow from a journal: a node in memory has none. */
const NO_CASES: ApiDeps['cases'] = {
  list: async ({ cursor }) => ({ cases: [], cursor, more: false }),
  counts: async () => [],
  file: async () => null,
  events: async () => ({ events: [], more: false }),
  news: async () => [],
  change: async () => ({ kind: 'unknown' }),
  changeMany: async () => ({
    kind: 'previewed',
    preview: { token: '0'.repeat(64), would_change: [], would_refuse: [] },
  }),
};

/** A key for every role. @returns their secrets */
export function mintKeys(keyStore: KeyStore, nowMs: number): Record<Role, string> {
  return Object.fromEntries(
    Object.entries(ROLES).map(([name, permissions]) => [name, keyStore.create({ name, permissions }, nowMs).secret]),
  ) as Record<Role, string>;
}

/** A new API with keys of every role. Close it. */
export async function createTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const folder = mkdtempSync(join(tmpdir(), 'peerd-api-'));
  const keyFile = join(folder, 'keys', 'api-keys.json');
  const keyStore = openKeyStore(keyFile);
  const sessions = new Sessions();
  const links = new SignInLinks();
  let nowMs = Date.parse('2026-11-23T12:00:00Z');
  const keys = mintKeys(keyStore, nowMs);

  const log: string[] = [];
  const sink: DestinationStream = { write: (line) => void log.push(line) };
  const logger = createLogger('info', sink);
  const metrics = createMetrics();
  const audits = createAuditBell();
  const node = new MemoryNode(() => nowMs);
  const deps: ApiDeps = {
    traces: createTraces(null),
    writer: node,
    reader: node,
    peers: peerDirectory(options.peers ?? []),
    approvals: options.approvals ?? NO_APPROVALS,
    quarantine: quarantineOf(node),
    cases: NO_CASES,
    witness: options.witness ?? null,
    onboarding: options.onboarding ?? null,
    grants: NO_GRANTS,
    tombstones: NO_TOMBSTONES,
    drills: NO_DRILLS,
    sinks: NO_SINKS,
    backups: NO_BACKUPS,
    checks: null,
    settings: [],
    receipts: async () => [],
    notices: async () => [],
    evidence: async () => ({ kind: 'not_found' as const }),
    signingKeys: async () => options.signingKeys ?? [],
    keys: keyStore,
    metrics,
    events: createEvents(logger, metrics),
    logger,
    audits,
    growth: { current: () => ({ size: 0 }), wait: async () => 'timeout' },
    node: {
      nodeId: 'stigmem://example',
      authority: 'example',
      nodeUrl: 'http://localhost:8765',
      peerId: '12D3KooWTest',
      version: '0.0.0-test',
      software: 'stigmem-peerd',
      addresses: () => ['/ip4/127.0.0.1/tcp/4001'],
    },
    stats: async () => ({ ...STATS, ...options.stats }),
    ready: async () => ({
      ready: options.ready ?? true,
      checks: [{ name: 'journal', ok: options.ready ?? true, detail: 'open' }],
      notices: [],
    }),
    sessions,
    links,
    signIn: async () => null,
    weakenings: () => options.weakenings ?? [],
    anchorBackends: [],
    gardens: options.gardens ?? ['incident-42'],
    nowMs: () => nowMs,
    limits: { ...DEFAULT_API_LIMITS, ...options.limits },
    openMetrics: options.openMetrics ?? true,
    publicTlog: options.publicTlog ?? false,
  };
  const api = buildApi(deps);

  return {
    api,
    keys,
    keyStore,
    sessions,
    links,
    keyFile,
    metrics,
    log,
    send: (path, how = {}) => send(api, keys, path, how),
    async audit(...records) {
      let seq = 0;
      for (const record of records) seq = await node.audit(record);
      audits.ring(seq);
      return seq;
    },
    lookAt: (records) => {
      node.looksAt = records;
    },
    tamper: async (factId, field, value) => node.tamper(factId, field, value),
    quarantine: async (factId) => node.quarantine(factId),
    advance: (ms) => {
      nowMs += ms;
    },
    fail: (code) => node.fail(code),
    hang: () => node.hang(),
    close: async () => rmSync(folder, { recursive: true }),
  };
}

function peerDirectory(peers: readonly PeerStatus[]): ApiDeps['peers'] {
  const get = (id: string): PeerStatus | undefined =>
    peers.find((peer) => [peer.name, peer.node_id, peer.peer_id].includes(id));
  return {
    list: () => peers,
    get,
    resume: async (id) => {
      const peer = get(id);
      return peer === undefined ? undefined : { kind: 'done', value: peer, proposal: null };
    },
    trustKeys: async () => ({ kind: 'unknown_peer' }),
    retry: async () => ({ kind: 'unknown_peer' }),
    ping: async () => ({ kind: 'unknown_peer' }),
  };
}

/** Sends a request to an API without a network, with the key of a role or without one. */
export async function send(
  api: OpenAPIHono<ApiEnv>,
  keys: Readonly<Record<Role, string>>,
  path: string,
  how: SendOptions,
): Promise<Response> {
  const headers = new Headers(how.headers);
  if (how.as !== undefined) headers.set('authorization', `Bearer ${keys[how.as]}`);
  if (how.body !== undefined) headers.set('content-type', 'application/json');
  const body = how.body === undefined ? how.raw : JSON.stringify(how.body);
  const method = how.method ?? (body === undefined ? 'GET' : 'POST');
  const init: RequestInit = {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
  };
  return api.request(path, init, how.stopping === undefined ? {} : { stopping: how.stopping });
}
