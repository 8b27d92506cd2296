/** The first words with a peer: its signed declaration is checked and, at the first contact, pinned. */
import type { PeerFile } from '../config/peer-file.ts';
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import type { PinnedPeer } from '../verify/context.ts';
import { decodeHello } from '../wire/hello.ts';
import { HELLO_PROTOCOL } from '../wire/protocols.ts';
import { pinPeer } from './declare.ts';
import type { PullDeps } from './deps.ts';
import { DeclarationRefused, PullError } from './errors.ts';

const HELLO_MS = 10_000;

export interface Greeted {
  readonly pinned: PinnedPeer;
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
  const pinned = pinPeer(hello.value.declaration, peer, kept);
  if (!pinned.ok) {
    const { code, detail } = pinned.error;
    await journal.audit({ event: 'peer_declaration_refused', reason: code, peer: peer.nodeId, detail: { detail } });
    const change = pinned.error.code === 'key_changed' ? pinned.error.change : null;
    throw new DeclarationRefused(`its declaration is refused (${code}): ${detail}`, change);
  }
  if (kept === null) {
    const { origin, logKey } = pinned.value;
    const detail = { origin, log_key: Buffer.from(logKey).toString('base64'), peer_id: peer.peerId };
    await journal.pinDeclaration(peer.nodeId, hello.value.declaration, {
      event: 'peer_verified',
      peer: peer.nodeId,
      detail,
    });
  }
  const { software, protocols, clock_ms } = hello.value;
  return { pinned: pinned.value, software, protocols, clockSkewMs: clock_ms - nowMs() };
}
