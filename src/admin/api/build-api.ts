import { OpenAPIHono } from '@hono/zod-openapi';
import { currentTrace, readTraceparent } from '../../observe/trace.ts';
import type { ApiDeps } from '../deps.ts';
import { UNAVAILABLE } from '../journal-desk.ts';
import { OpenCount } from '../open-count.ts';
import { addAnchors } from './anchors.ts';
import { addApprovals } from './approvals.ts';
import { addAudit } from './audit.ts';
import { addBackups } from './backups.ts';
import { addCaseBulk } from './case-bulk.ts';
import { addCaseChanges } from './case-changes.ts';
import { addCases } from './cases.ts';
import { addChanges } from './changes.ts';
import { addConfiguration } from './configuration.ts';
import { addConsistency } from './consistency.ts';
import { addConsoleSessions } from './console-sessions.ts';
import { addDecided } from './decided.ts';
import { addDocs } from './docs.ts';
import { addDrills } from './drills.ts';
import { addEvidence } from './evidence.ts';
import { addFactReads } from './facts-read.ts';
import { addFactWrites } from './facts-write.ts';
import { addGrants } from './grants.ts';
import { addJournal } from './journal.ts';
import { addJournalChecks } from './journal-checks.ts';
import { addKeys } from './key-routes.ts';
import { addNode } from './node.ts';
import { addNotices } from './notices.ts';
import { addOnboarding } from './onboarding.ts';
import { addPeers } from './peers.ts';
import { addPing } from './ping.ts';
import { addQuarantine } from './quarantine.ts';
import { createQuota } from './quota.ts';
import { addRecall } from './recall.ts';
import { addReceipts } from './receipts.ts';
import { REQUEST_ID, type Refusal, refused } from './responses.ts';
import { addRetry } from './retry.ts';
import type { ApiEnv, Apparatus } from './route.ts';
import { createSessions } from './sessions.ts';
import { addSignIn } from './sign-in.ts';
import { addSignInLinks } from './sign-in-links.ts';
import { addSigningKeys } from './signing-keys.ts';
import { addSinks } from './sinks.ts';
import { addTlog } from './tlog.ts';
import { addTombstones } from './tombstones.ts';
import { createCorruptionDesk } from './visibility.ts';
import { addWeakenings } from './weakenings.ts';
import { addWitness } from './witness.ts';

/** Builds the admin API over what the node can do. Serving it is for `startServer`. */
export function buildApi(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();
  const apparatus: Apparatus = {
    app,
    deps,
    quota: createQuota(deps.limits.quotas),
    strangers: createQuota(deps.limits.quotas),
  };
  const sessions = createSessions();
  const tools = { deps, sessions, desk: createCorruptionDesk(deps) };

  addFactWrites(apparatus, sessions);
  addFactReads(apparatus, tools);
  addRecall(apparatus, tools);
  addReceipts(apparatus);
  addNotices(apparatus);
  addGrants(apparatus);
  addPeers(apparatus);
  addRetry(apparatus);
  addPing(apparatus);
  addApprovals(apparatus);
  addQuarantine(apparatus);
  addOnboarding(apparatus);
  const { maxStreams, maxStreamsOfKey, maxWaits, maxWaitsOfKey } = deps.limits;
  const streams = new OpenCount(maxStreams, maxStreamsOfKey, (open) => deps.metrics.openStreams.set(open));
  addAudit(apparatus, streams);
  addCases(apparatus, streams);
  addCaseChanges(apparatus);
  addCaseBulk(apparatus);
  addEvidence(apparatus);
  addJournal(apparatus);
  addJournalChecks(apparatus);
  addAnchors(apparatus);
  addBackups(apparatus);
  addConsistency(apparatus);
  addChanges(apparatus, tools, new OpenCount(maxWaits, maxWaitsOfKey));
  addDecided(apparatus, tools);
  addSinks(apparatus);
  addDrills(apparatus);
  addTlog(apparatus);
  addTombstones(apparatus);
  addNode(apparatus);
  addKeys(apparatus);
  addWitness(apparatus);
  addSigningKeys(apparatus);
  addWeakenings(apparatus);
  addConfiguration(apparatus);
  addSignIn(apparatus);
  addSignInLinks(apparatus);
  addConsoleSessions(apparatus);
  addDocs(apparatus);
  deps.metrics.beforeScrape(() => {
    for (const { name, state, lag_entries, circuit, refused_of_ours } of deps.peers.list()) {
      const refusesOurs = refused_of_ours.reduce((sum, { refused, resolved }) => sum + refused - resolved, 0);
      deps.events.peerState(name, state, lag_entries, circuit, refusesOurs);
    }
  });

  serveTraced(app, deps);
  app.notFound((c) => refused(noSuchRoute(app, c.req.path)));
  app.onError((error, c) => {
    const refusal = failure(error);
    if (refusal.status >= 500) deps.events.requestFailed(`${c.req.method} ${c.req.path.slice(0, 256)}`, error);
    return refused(named(refusal));
  });
  return app;
}

/** Around the router, so that no answer is left out: an id joins a request with its log lines, calls and audit records. */
function serveTraced(app: OpenAPIHono<ApiEnv>, { traces }: ApiDeps): void {
  const { fetch } = app;
  app.fetch = (request, ...rest) => {
    const { method, headers } = request;
    // A page of the console asks the API within its own request.
    const parent = readTraceparent(headers.get('traceparent')) ?? currentTrace();
    const root = { name: method, kind: 'server', attributes: { 'http.request.method': method }, parent } as const;
    return traces.begin(root, async () => {
      const response = await fetch(request, ...rest);
      response.headers.set(REQUEST_ID, currentTrace()?.traceId ?? '');
      return response;
    });
  };
}

/** A fault of ours: who reports it can say which request it was. */
function named(refusal: Refusal): Refusal {
  const trace = currentTrace();
  return refusal.status < 500 || trace === null ? refusal : { ...refusal, requestId: trace.traceId };
}

const METHODS = ['DELETE', 'GET', 'POST'] as const;

/** 405 where the path exists with another method. */
function noSuchRoute(app: OpenAPIHono<ApiEnv>, path: string): Refusal {
  const allowed = METHODS.filter((method) => app.router.match(method, path)[0].length > 0);
  if (allowed.length === 0) return { status: 404, detail: 'Not Found' };
  return { status: 405, detail: 'Method Not Allowed', headers: { allow: allowed.join(', ') } };
}

/** What went wrong is in the log; the client learns what to do. */
function failure(error: unknown): Refusal {
  const code = errorCode(error);
  if (code === 'SQLITE_FULL') {
    return {
      status: 503,
      detail: 'the disk that holds the journal is full; nothing was stored. Make room on it and try again',
    };
  }
  if (code !== null && UNAVAILABLE.has(code)) {
    if (code === 'ENOSPC')
      return { status: 503, detail: 'the disk that holds the data folder is full. Make room on it and try again' };
    // The guard's own words: they say what it waits for, and nothing about facts.
    if (code === 'guarded') {
      const detail = `no writes are taken now: ${(error as Error).message}`;
      return { status: 503, detail, headers: { 'retry-after': '2' } };
    }
    const detail = code.endsWith('closed')
      ? 'the node is stopping; try again when it is back'
      : 'the journal is busy; try again';
    return { status: 503, detail, headers: { 'retry-after': '1' } };
  }
  return { status: 500, detail: 'Internal Server Error' };
}

function errorCode(error: unknown): string | null {
  const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : null;
}
