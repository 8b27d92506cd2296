/** The HTTP API over a data folder, whether its node runs or not. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { buildApi } from '../admin/api/build-api.ts';
import type { ApiEnv } from '../admin/api/route.ts';
import { DEFAULT_API_LIMITS } from '../admin/api-limits.ts';
import type { ConsoleDeps } from '../admin/console/deps.ts';
import { mountConsole } from '../admin/console/mount.ts';
import { Sessions } from '../admin/console/sessions.ts';
import { SignInLinks } from '../admin/console/sign-in-links.ts';
import type { ApiDeps } from '../admin/deps.ts';
import type { ApiDrills } from '../admin/drill-desk.ts';
import { type KeyStore, openKeyStore } from '../admin/keys.ts';
import { isLoopback } from '../config/checks.ts';
import type { PeerFile } from '../config/peer-file.ts';
import { openPeerFolder } from '../config/peer-folder.ts';
import { isoMicros } from '../core/time.ts';
import { watchEventLoop } from '../observe/loop-delay.ts';
import { backupsOf } from './backups.ts';
import type { Base } from './base.ts';
import { packetOf } from './evidence.ts';
import type { OpenFederation } from './federation.ts';
import { grantDesk } from './grants.ts';
import type { JournalChecks } from './journal-checks.ts';
import { KeyStatuses } from './keys.ts';
import { measureAtScrapes } from './measuring.ts';
import { type Oidc, openOidc, watchProvider } from './oidc.ts';
import { asksOnce, readinessOf } from './readiness.ts';
import type { Siem } from './siem.ts';
import { sinksOf } from './sinks.ts';
import { openStats } from './stats.ts';
import { SOFTWARE, VERSION } from './version.ts';
import { startWeaknessWatch, weakeningsNow } from './weakness-watch.ts';

/** Of what serves the API. Asked late: it may be known only when it listens. */
export interface Served {
  readonly nodeUrl: () => string;
  /** What an operator should know of it, in sentences. */
  readonly notices: () => readonly string[];
  /** Null while the node does not run. */
  readonly siem: Siem | null;
  readonly drills: ApiDrills;
  /** Null while the node does not run. */
  readonly checks: JournalChecks | null;
}

/** Who may come in, and who is in. */
interface People {
  readonly keys: KeyStore;
  readonly oidc: Oidc | null;
  readonly sessions: Sessions;
  readonly links: SignInLinks;
}

export function apiOf(
  base: Base,
  federation: OpenFederation | null,
  served: Served,
  owned: AsyncDisposableStack,
): OpenAPIHono<ApiEnv> {
  const keys = openKeyStore(base.paths.apiKeys, base.config.oidc?.issuer ?? null);
  owned.defer(() => keys.close());
  const oidc = openOidc(base, served.nodeUrl);
  if (oidc !== null && federation !== null) watchProvider(oidc, base, owned);
  const people = { keys, oidc, sessions: new Sessions(), links: new SignInLinks() };
  const api = routesOf(base, federation, { ...served, ...people }, owned);
  // Offline there is no server, and nobody who could open a page.
  return federation === null ? api : mountConsole(api, consoleOf(base, people));
}

function routesOf(
  base: Base,
  federation: OpenFederation | null,
  { keys, oidc, sessions, links, ...served }: Served & People,
  owned: AsyncDisposableStack,
): OpenAPIHono<ApiEnv> {
  const { config, metrics } = base;
  owned.defer(watchEventLoop(metrics));
  const isReady = asksOnce(() => ready(base, federation, served, oidc));
  const peerFiles = federation?.files ?? (() => openPeerFolder(base.paths.peers, config.nodeId).state().peers);
  const signingKeys = new KeyStatuses(base, peerFiles);
  measureAtScrapes(base, federation, { isReady, drills: served.drills, keys: signingKeys });
  if (federation !== null) startWeaknessWatch(base, federation, owned);
  return buildApi({
    writer: base.writer,
    reader: base.reader,
    peers: {
      list: () => federation?.sessions.list() ?? [],
      get: (id) => federation?.sessions.get(id),
      resume: async (id, by) => federation?.sessions.resume(id, by),
      trustKeys: async (name, keys, by) => federation?.sessions.trustKeys(name, keys, by) ?? { kind: 'unknown_peer' },
      ping: async (name, count) => federation?.ping(name, count) ?? { kind: 'not_running' },
      retry: async (name, afterPage, by) => federation?.sessions.retry(name, afterPage, by) ?? { kind: 'unknown_peer' },
    },
    ...reviewOf(base),
    cases: casesOf(base),
    witness: federation?.witness.api ?? null,
    onboarding: federation?.onboarding ?? null,
    grants: grantDesk(base, federation),
    tombstones: tombstonesOf(base, () => [...(federation?.files().values() ?? [])]),
    drills: served.drills,
    sinks: sinksOf(base, served.siem),
    backups: backupsOf(base),
    checks: served.checks,
    settings: base.settings,
    receipts: (query) => base.reader.receipts(query),
    notices: (query) => base.reader.refusalNotices(query),
    evidence: (seq, withPage) => packetOf(base, seq, withPage),
    weakenings: () => weakeningsNow(base, peerFiles()),
    ...signInOf(oidc, sessions, keys),
    links: federation === null ? null : links,
    signingKeys: () => signingKeys.at(Date.now()),
    keys,
    metrics,
    events: base.events,
    logger: base.logger,
    traces: base.traces,
    audits: base.audits,
    growth: base.growth,
    node: {
      nodeId: config.nodeId,
      authority: config.authority,
      get nodeUrl() {
        return served.nodeUrl();
      },
      peerId: base.peerId,
      version: VERSION,
      software: SOFTWARE,
      addresses: () => federation?.addresses() ?? [],
    },
    ready: isReady,
    stats: openStats(base, owned),
    gardens: config.gardens,
    anchorBackends: config.anchor.backends,
    nowMs: Date.now,
    limits: DEFAULT_API_LIMITS,
    // Behind a proxy loopback is where everybody comes from.
    openMetrics: isLoopback(config.api.host) && !config.api.behindProxy,
    publicTlog: config.tlog.isPublic,
  });
}

function signInOf(oidc: Oidc | null, sessions: Sessions, keys: KeyStore): Pick<ApiDeps, 'sessions' | 'signIn'> {
  return { sessions, signIn: async () => (oidc === null ? null : oidc.status(keys.list())) };
}

function reviewOf({ config, nowMs, reader, writer }: Base): Pick<ApiDeps, 'quarantine' | 'approvals'> {
  const nowIso = (): string => isoMicros(nowMs() * 1000);
  return {
    quarantine: {
      list: (query) => reader.quarantined(query),
      history: (factId) => reader.quarantineHistory(factId),
      review: (factId, decision, by) => writer.reviewFact(factId, decision, by),
    },
    approvals: {
      fourEyes: config.review.fourEyes,
      list: (query) => reader.proposals({ ...query, nowIso: nowIso() }),
      find: (id) => reader.proposal(id, nowIso()),
      end: (id, by) => writer.endProposal(id, by),
    },
  };
}

function consoleOf(
  { config, events, writer }: Base,
  { keys, oidc, sessions, links }: People,
): Omit<ConsoleDeps, 'api'> {
  const { tls, behindProxy } = config.api;
  return {
    keys,
    events,
    node: { nodeId: config.nodeId, version: VERSION },
    limits: DEFAULT_API_LIMITS,
    nowMs: Date.now,
    secure: tls !== null || behindProxy,
    sessions,
    links,
    audit: (input) => writer.audit(input),
    oidc: oidc?.desk ?? null,
  };
}

function casesOf({ reader, writer, nowMs }: Base): ApiDeps['cases'] {
  return {
    list: (query) => reader.cases(query),
    counts: () => reader.caseCounts(),
    file: (name) => reader.caseFile(name, isoMicros(nowMs() * 1000)),
    events: (query) => reader.caseEvents(query),
    news: (after, limit) => reader.caseNews(after, limit),
    change: (order, by) => writer.changeCase(order, by),
    changeMany: (order, by) => writer.changeCases(order, by),
  };
}

function ready(
  base: Base,
  federation: OpenFederation | null,
  served: Served,
  oidc: Oidc | null,
): ReturnType<ApiDeps['ready']> {
  const addresses = federation?.addresses() ?? null;
  const shipped = base.backups.shipping?.notice() ?? null;
  const signIn = oidc?.notice() ?? null;
  const own = [shipped, signIn].filter((notice) => notice !== null);
  const notices = [...own, ...served.notices()];
  return readinessOf(base, federation?.guard.status() ?? null, addresses, notices);
}

function tombstonesOf({ reader, writer }: Base, peers: () => readonly PeerFile[]): ApiDeps['tombstones'] {
  const named = () =>
    Object.fromEntries(peers().flatMap(({ nodeId, logKey }) => (logKey === null ? [] : [[nodeId, logKey] as const])));
  return {
    order: (name, order) => writer.orderErasure(name, order),
    list: (before, limit) => reader.erasures(before, limit),
    status: (fact) => reader.erasure(fact, named()),
  };
}
