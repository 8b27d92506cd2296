/** The first words with a peer: its signed declaration is checked and, at the first contact, pinned. */
import type { PeerFile } from '../config/peer-file.ts';
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import { ok, type Result } from '../core/result.ts';
import type { PinnedPeer } from '../verify/context.ts';
import { decodeHello } from '../wire/hello.ts';
import { HELLO_PROTOCOL } from '../wire/protocols.ts';
import { type DeclarationFault, pinPeer } from './declare.ts';
import type { PullDeps } from './deps.ts';
import { DeclarationRefused, PullError } from './errors.ts';
import { logKeyGoodUntil } from './log-key-life.ts';

const HELLO_MS = 10_000;
/** A peer may declare other times for its keys at any time, and says so only when it is greeted. */
const GREETED_FOR_MS = 3_600_000;

export interface Greeted {
  readonly pinned: PinnedPeer;
  /** When it has to be greeted again: after a while, or when its log key ends. Milliseconds since 1970. */
  readonly goodUntilMs: number;
  readonly software: string;
  /** Protocol ids that the peer says it speaks. */
  readonly protocols: readonly string[];
  /** The peer's clock minus ours, milliseconds; half a round trip is in it. */
  readonly clockSkewMs: number;
}

/** @throws TransportError; PullError `hello_malformed` or `declaration_refused`, the latter audited */
export async function greet(peer: PeerFile, deps: PullDeps, signal: AbortSignal): Promise<Greeted> {
  const { transport, journal, nowMs } = deps;
  const limits = { signal, idleMs: HELLO_MS, totalMs: HELLO_MS, maxFrameBytes: MAX_REQUEST_BYTES };
  let frame: Uint8Array | undefined;
  for await (const answer of transport.request(peer.peerId, HELLO_PROTOCOL, deps.hello(), limits)) frame ??= answer;
  const hello = frame === undefined ? undefined : decodeHello(frame);
  if (hello === undefined || !hello.ok) throw new PullError('hello_malformed', 'the peer’s hello cannot be read');

  const { declaration: kept } = await journal.peerProgress(peer.nodeId, []);
  const judged = judge(hello.value.declaration, peer, kept, nowMs());
  if (!judged.ok) {
    const { code, detail } = judged.error;
    await journal.audit({ event: 'peer_declaration_refused', reason: code, peer: peer.nodeId, detail: { detail } });
    const change = judged.error.code === 'key_changed' ? judged.error.change : null;
    throw new DeclarationRefused(`its declaration is refused (${code}): ${detail}`, change);
  }
  const { pinned, goodUntilMs } = judged.value;
  if (kept === null) {
    const { origin, logKey } = pinned;
    const detail = { origin, log_key: Buffer.from(logKey).toString('base64'), peer_id: peer.peerId };
    await journal.pinDeclaration(peer.nodeId, hello.value.declaration, {
      event: 'peer_verified',
      peer: peer.nodeId,
      detail,
    });
  } else await journal.renewDeclaration(peer.nodeId, hello.value.declaration);
  const { software, protocols, clock_ms } = hello.value;
  return { pinned, goodUntilMs, software, protocols, clockSkewMs: clock_ms - nowMs() };
}

function judge(
  note: string,
  peer: PeerFile,
  kept: string | null,
  nowMs: number,
): Result<Pick<Greeted, 'pinned' | 'goodUntilMs'>, DeclarationFault> {
  const pinned = pinPeer(note, peer, kept);
  if (!pinned.ok) return pinned;
  const goodUntil = logKeyGoodUntil(note, peer, pinned.value, nowMs);
  if (!goodUntil.ok) return goodUntil;
  const goodUntilMs = Math.min(nowMs + GREETED_FOR_MS, goodUntil.value ?? Number.MAX_SAFE_INTEGER);
  return ok({ pinned: pinned.value, goodUntilMs });
}
