/**
 * Reaches a partner now and says what was found: a connection, hellos and their answers. Nothing is pinned, pulled, recorded or
 * counted: a failure here is no failure of the peer's session, and only a connection that is new has the peer asked, as any does.
 */
import type { PeerFile } from '../config/peer-file.ts';
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import type { OnboardingCheck } from '../core/onboarding.ts';
import type { PingReport } from '../core/ping-report.ts';
import type { PullJournal } from '../pull/deps.ts';
import { judgeHello } from '../pull/greet.ts';
import { TransportError, type TransportErrorCode } from '../transport/errors.ts';
import type { Transport } from '../transport/transport.ts';
import { decodeHello, type Hello } from '../wire/hello.ts';
import { HELLO_PROTOCOL } from '../wire/protocols.ts';
import { checkClock, checkVersions } from './preflight.ts';

const ANSWER_MS = 5_000;
/** Between two hellos. */
const APART_MS = 250;

export interface PingDeps {
  readonly transport: Pick<Transport, 'connected' | 'dial' | 'request' | 'route'>;
  readonly journal: Pick<PullJournal, 'peerProgress' | 'successions'>;
  readonly hello: () => Uint8Array;
  readonly ownSoftware: string;
  readonly maxFutureSkewMs: number;
  readonly nowMs: () => number;
  /** Monotonic. */
  readonly ticksMs: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

interface Answered {
  readonly hello: Hello;
  readonly tookMs: number;
  /** Ours, in the middle of the round trip. */
  readonly atMs: number;
}

interface Rounds {
  readonly sent: number;
  readonly answers: readonly Answered[];
  readonly failure: unknown;
}

/** @param count hellos; none is sent behind one that has no answer */
export async function pingPeer(peer: PeerFile, count: number, deps: PingDeps): Promise<PingReport> {
  const dialled = await dialNow(peer, deps);
  const rounds = dialled.failure === null ? await askInTurn(peer, count, deps) : NO_ROUNDS;
  const route = deps.transport.route(peer.peerId);
  const [best] = rounds.answers.toSorted((a, b) => a.tookMs - b.tookMs);
  const failure = dialled.failure ?? rounds.failure;
  const found = { address: route?.address ?? null, direction: route?.direction ?? null, dial_ms: dialled.tookMs };
  const checks = [
    checkReach(peer, { ...found, answers: rounds.answers.length, sent: rounds.sent }, failure),
    ...(best === undefined ? [] : await checkAnswer(peer, best, deps)),
  ];
  return {
    ok: checks.every(({ ok }) => ok),
    name: peer.name,
    node_id: peer.nodeId,
    ...found,
    sent: rounds.sent,
    round_trips_ms: rounds.answers.map(({ tookMs }) => tookMs),
    software: best?.hello.software ?? null,
    clock_skew_ms: best === undefined ? null : Math.round(best.hello.clock_ms - best.atMs),
    checks,
  };
}

const NO_ROUNDS: Rounds = { sent: 0, answers: [], failure: null };

async function dialNow(
  { peerId }: PeerFile,
  { transport, ticksMs }: PingDeps,
): Promise<{ readonly tookMs: number | null; readonly failure: unknown }> {
  if (transport.connected(peerId)) return { tookMs: null, failure: null };
  const startMs = ticksMs();
  try {
    await transport.dial(peerId);
    return { tookMs: ticksMs() - startMs, failure: null };
  } catch (failure) {
    return { tookMs: null, failure };
  }
}

async function askInTurn(peer: PeerFile, count: number, deps: PingDeps): Promise<Rounds> {
  const answers: Answered[] = [];
  for (let sent = 1; sent <= count; sent++) {
    try {
      answers.push(await askOnce(peer, deps));
    } catch (failure) {
      return { sent, answers, failure };
    }
    if (sent < count) await deps.pause(APART_MS);
  }
  return { sent: count, answers, failure: null };
}

async function askOnce({ peerId }: PeerFile, { transport, hello, nowMs, ticksMs }: PingDeps): Promise<Answered> {
  const limits = { idleMs: ANSWER_MS, totalMs: ANSWER_MS, maxFrameBytes: MAX_REQUEST_BYTES };
  const body = hello();
  const [sentAtMs, startMs] = [nowMs(), ticksMs()];
  let frame: Uint8Array | undefined;
  for await (const answer of transport.request(peerId, HELLO_PROTOCOL, body, limits)) frame ??= answer;
  const tookMs = ticksMs() - startMs;
  const decoded = frame === undefined ? null : decodeHello(frame);
  if (decoded?.ok !== true) throw new TransportError('frame_malformed', 'its hello cannot be read');
  return { hello: decoded.value, tookMs, atMs: sentAtMs + tookMs / 2 };
}

function checkReach(
  peer: PeerFile,
  found: Pick<PingReport, 'address' | 'direction' | 'dial_ms' | 'sent'> & { readonly answers: number },
  failure: unknown,
): OnboardingCheck {
  const { address, answers, sent } = found;
  const said = sent === 0 ? '' : `${answers} of ${sent} answers; `;
  if (failure !== null) {
    const why = failure instanceof Error ? failure.message : String(failure);
    return { name: 'reach', ok: false, detail: `${said}${why}`, fix: fixOf(failure, peer) };
  }
  return { name: 'reach', ok: true, detail: `${said}${wayText(found)} ${address ?? 'an address unknown'}`, fix: null };
}

function wayText({ direction, dial_ms }: Pick<PingReport, 'direction' | 'dial_ms'>): string {
  if (dial_ms !== null) return `dialled in ${dial_ms.toFixed(1)} ms at`;
  return direction === 'inbound' ? 'over the connection that it has open from' : 'over the connection that is open to';
}

/** What an operator does about it. */
const FIXES: Readonly<Partial<Record<TransportErrorCode, (name: string) => string>>> = {
  dial_failed: (name) =>
    `Compare address and peer id in peers/${name}.toml with the partner’s \`peer show self\`; is its node up, and is the port open in the firewalls between?`,
  timeout: (name) =>
    `Compare the address in peers/${name}.toml with the partner’s \`peer show self\`; is its node up, and does a firewall drop what is sent there?`,
  refused: () =>
    'Its operator has to name this node’s peer id in a peer file that is not disabled: give them `peer show self`.',
  forbidden: () =>
    'This node does not dial there: put the network into network.allow_addresses and restart, or have the partner give another address.',
  bad_address: (name) => `Put the partner’s address into peers/${name}.toml, or wait for it to dial this node.`,
  busy: () => 'The partner has been asked too often, or has no room: try again in a minute.',
  unsupported_protocol: () => 'The older of the two has to be upgraded.',
};

function fixOf(failure: unknown, { name }: PeerFile): string {
  const fix = failure instanceof TransportError ? FIXES[failure.code] : undefined;
  return fix?.(name) ?? 'Try again; if it stays, the partner’s log has the other half of it.';
}

/** What the partner says of itself in the answer that took the least. */
async function checkAnswer(
  peer: PeerFile,
  { hello, atMs }: Answered,
  deps: PingDeps,
): Promise<readonly OnboardingCheck[]> {
  const { clock_ms, protocols, software } = hello;
  return [
    await checkKey(peer, hello, deps),
    checkClock({ clock_ms, met_ms: atMs }, deps.maxFutureSkewMs),
    checkVersions({ software, protocols }, deps.ownSoftware),
  ];
}

/** By the same rules as a session's greeting; nothing is kept of it. */
async function checkKey(peer: PeerFile, hello: Hello, deps: PingDeps): Promise<OnboardingCheck> {
  const { judged } = await judgeHello(peer, hello, deps);
  if (judged.ok) return { name: 'key', ok: true, detail: `it signs for ${judged.value.pinned.origin}`, fix: null };
  const fix = `Compare it with the partner over another channel; stigmem-peerd peer show ${peer.name} says what waits for whom.`;
  return { name: 'key', ok: false, detail: judged.error.detail, fix };
}
