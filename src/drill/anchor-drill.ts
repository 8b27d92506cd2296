/**
 * The drill in which a transparency log is away: the anchor client with a checkpoint of its own, at an address that hangs up on
 * every connection. No checkpoint of the node is touched, and no log is asked.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { AnchorAlarm } from '../anchor/alarm.ts';
import { Anchoring, type AnchorJournal } from '../anchor/anchoring.ts';
import { createRekorV1 } from '../anchor/rekor-api.ts';
import { createRekorBackend } from '../anchor/rekor-backend.ts';
import { DRILLS } from '../core/drill.ts';
import type { AnchorCheckpoint, AnchorFailure } from '../journal/anchor-records.ts';
import type { AuditInput } from '../journal/read-model.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { appendSignature } from '../merkle/cosignature.ts';
import { signAnchor } from '../merkle/ecdsa.ts';
import type { Traces } from '../observe/trace.ts';
import type { HttpClient } from '../outbound/http-client.ts';
import type { Clock } from '../transport/clock.ts';
import { judgeSeen } from './outcome.ts';
import { type DrillAttempt, VERDICT_MS } from './peer-drill.ts';
import { PeerLog } from './peer-log.ts';

const BACKEND = 'rekor';
const RETRY_MS = 60_000;

export interface AnchorDrillDeps {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly traces: Traces;
  readonly audit: (input: AuditInput) => Promise<number>;
}

export async function drillAnchor(
  { nodeId, authority }: { readonly nodeId: string; readonly authority: string },
  deps: AnchorDrillDeps,
  signal: AbortSignal,
): Promise<DrillAttempt> {
  const { clock } = deps;
  const judged = Promise.withResolvers<DrillAttempt>();
  judged.promise.catch(() => {});
  let sentMs: number | null = null;
  const server = await hangingUp(() => {
    sentMs ??= clock.nowMs();
  });
  const record = (input: AuditInput): void => {
    deps.audit({ ...input, peer: nodeId }).then(
      (auditSeq) => {
        const seen = [{ event: input.event, reason: input.reason ?? '', auditSeq }];
        judged.resolve({ ...judgeSeen(seen, DRILLS['anchor-down']), sentMs, recordedMs: clock.nowMs() });
      },
      (error: unknown) => judged.reject(error),
    );
  };
  const anchoring = anchoringAt(urlOf(server), authority, record, deps);
  const fault = { code: 'no_verdict', message: `nothing was recorded in ${VERDICT_MS / 1_000} s` } as const;
  const cancel = clock.after(VERDICT_MS, () => judged.resolve({ seen: null, fault, sentMs, recordedMs: null }));
  const stop = (): void => judged.reject(signal.reason);
  signal.addEventListener('abort', stop);
  try {
    signal.throwIfAborted();
    anchoring.start();
    return await judged.promise;
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
    await anchoring.stop();
    server.close();
  }
}

function anchoringAt(
  url: string,
  authority: string,
  record: (input: AuditInput) => void,
  { http, clock, traces }: AnchorDrillDeps,
): Anchoring {
  const nowMs = (): number => clock.nowMs();
  const secret = (): string => randomBytes(32).toString('hex');
  const log = new PeerLog({ authority, logKey: secret(), anchorKey: secret(), startMs: nowMs() });
  log.append();
  const api = createRekorV1(http, url);
  // The whole of the alarm but for its patience: a drill does not wait a quarter of an hour.
  const alarm = new AnchorAlarm({ afterMs: 0, nowMs, record });
  return new Anchoring({
    journal: pendingJournal(checkpointOf(log, nowMs())),
    backends: [createRekorBackend({ api, trustRoot: '', logs: [], anchorKey: log.anchorSigner.publicKey })],
    cadence: { interval: 1, maxAgeMs: 1 },
    retryMs: RETRY_MS,
    nowMs,
    traces,
    onSubmitted: (backend) => alarm.taken(backend),
    onFailed: (backend, checkpoint, error) => alarm.failed(backend, checkpoint, error),
    onError: () => undefined,
  });
}

function checkpointOf(log: PeerLog, nowMs: number): AnchorCheckpoint {
  const note = log.checkpoint();
  const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
  return {
    id: 1,
    log: 'journal',
    treeSize: log.size,
    root: encodeBase64(log.root()),
    chainHash: null,
    note: appendSignature(note, signAnchor(text, log.anchorSigner)),
    createdUs: nowMs * 1_000,
  };
}

/** One checkpoint that waits, as the journal would keep it. */
function pendingJournal(checkpoint: AnchorCheckpoint): AnchorJournal {
  let failure: AnchorFailure | null = null;
  let isTaken = false;
  return {
    makeDueAnchors: async () => 0,
    nextAnchor: async () => (isTaken || failure !== null ? null : checkpoint),
    saveAnchorReceipt: async () => {
      isTaken = true;
    },
    failAnchor: async (_id, _backend, failed) => {
      failure = failed;
    },
    anchorStatus: async () => [
      {
        backend: BACKEND,
        pending: isTaken ? 0 : 1,
        oldestPendingUs: isTaken ? null : checkpoint.createdUs,
        watermark: 0,
        attempts: failure === null ? 0 : 1,
        nextRetryUs: failure?.nextRetryUs ?? null,
        lastError: failure?.error ?? null,
      },
    ],
  };
}

async function hangingUp(onCall: () => void): Promise<Server> {
  const server = createServer((socket) => {
    onCall();
    socket.on('error', () => undefined);
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens nowhere');
  return `http://127.0.0.1:${address.port}`;
}
