/** One drill with a hostile peer: it listens on this machine, is let in for this drill alone, and is pulled as any other. */
import { randomBytes } from 'node:crypto';
import type { PeerFile } from '../config/peer-file.ts';
import { DRILLS } from '../core/drill.ts';
import type { IngestOutcome } from '../pull/ingest.ts';
import type { Clock } from '../transport/clock.ts';
import { attackOf, behaviourOf, DRILL_FEED, type PeerDrillKind } from './attacks.ts';
import { HostilePeer } from './hostile-peer.ts';
import { type Judged, judgeOutcome } from './outcome.ts';

/** For the lie and the verdict on it. */
export const VERDICT_MS = 30_000;

/** Where a peer is let in that no file names. */
export interface DrillGround {
  /** @returns how to have it leave; resolves when nothing of it is left */
  enter(peer: PeerFile, onPage: (outcome: IngestOutcome) => void): Entered;
}

export interface Entered {
  /** What its session says, when it has come to nothing. */
  lastError(): string | null;
  leave(): Promise<void>;
}

export interface PeerDrillDeps {
  readonly ground: DrillGround;
  readonly clock: Clock;
  /** This node: pages are signed for it. */
  readonly nodeId: string;
  /** Nobody else is let in by a drill’s peer. */
  readonly peerId: string;
  readonly swarmKey: Uint8Array | null;
}

export interface DrillAttempt extends Judged {
  readonly sentMs: number | null;
  /** The record is durable. */
  readonly recordedMs: number | null;
}

interface Drilled {
  readonly id: string;
  readonly kind: PeerDrillKind;
  readonly nodeId: string;
  readonly authority: string;
}

export async function drillWithPeer(drill: Drilled, deps: PeerDrillDeps, signal: AbortSignal): Promise<DrillAttempt> {
  const { clock, ground } = deps;
  let sentMs: number | null = null;
  const attack = attackOf(drill.kind, drill.authority, clock.nowMs());
  attack.log.receiver = deps.nodeId;
  const onLie = (): void => {
    sentMs ??= clock.nowMs();
  };
  const hostile = new HostilePeer(randomBytes(32).toString('hex'), behaviourOf(attack, onLie));
  const judged = Promise.withResolvers<DrillAttempt>();
  let entered: Entered | undefined;
  try {
    const listening = await hostile.listen('127.0.0.1', deps.swarmKey, deps.peerId);
    entered = ground.enter(peerFile(drill, listening), (outcome) => {
      const verdict = judgeOutcome(outcome, DRILLS[drill.kind]);
      if (verdict !== null) judged.resolve({ ...verdict, sentMs, recordedMs: clock.nowMs() });
    });
    const session = entered;
    const silent = (): DrillAttempt => ({ ...noVerdict(session.lastError()), sentMs, recordedMs: null });
    const cancel = clock.after(VERDICT_MS, () => judged.resolve(silent()));
    const stop = (): void => judged.reject(signal.reason);
    signal.addEventListener('abort', stop);
    signal.throwIfAborted();
    return await judged.promise.finally(() => {
      cancel();
      signal.removeEventListener('abort', stop);
    });
  } finally {
    judged.promise.catch(() => {});
    await entered?.leave();
    await hostile.close();
  }
}

function noVerdict(lastError: string | null): Judged {
  const why = lastError === null ? '' : `; its session says: ${lastError}`;
  return { seen: null, fault: { code: 'no_verdict', message: `nothing was refused in ${VERDICT_MS / 1_000} s${why}` } };
}

/** What a partner's file would say. It is granted one feed to be taken, and nothing to be read. */
function peerFile(
  { id, nodeId, authority }: Drilled,
  { peerId, address, logKey }: { readonly peerId: string; readonly address: string; readonly logKey: string },
): PeerFile {
  const whole = { feed: DRILL_FEED, notBeforeMs: null, notAfterMs: null };
  return {
    name: `drill-${id.slice(0, 8)}`,
    nodeId,
    authority,
    peerId,
    addresses: [address.replace(/\/p2p\/.*$/, '')],
    addressesFrom: 'operator',
    namespaces: [authority],
    share: [],
    accept: [whole],
    logKey,
    disabled: false,
    allowTeam: false,
    relay: false,
    limits: { maxValueBytes: null, pageEntries: null },
    policy: { witnesses: null, anchors: null },
  };
}
