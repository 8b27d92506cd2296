/** The key that each peer connects with: that of its file, or one that its own statements have put in its place. */
import type { PeerFile } from '../config/peer-file.ts';
import { DEFAULT_MAX_FUTURE_SKEW_MS } from '../core/limits.ts';
import { ALG_ED25519 } from '../merkle/note.ts';
import { formatVerifierKey, parseVerifierKey } from '../merkle/verifier-key.ts';
import { peerIdOf, rawKeyOf } from '../transport/identity.ts';
import { chainBetween, successorsOf } from '../verify/key-chain.ts';
import type { OpenedSuccession } from '../wire/succession.ts';

/** Keys that a peer may come with beside its present one; each may open connections. */
const MAX_ANNOUNCED = 2;

/** What is known of one peer's node keys. */
export interface PeerKeyHistory {
  readonly statements: readonly OpenedSuccession[];
  /** Peer id of the declaration that is pinned; null before the first contact. */
  readonly pinned: string | null;
}

/**
 * A peer that has announced another key may come with the old or with the new one. From the moment it came with the new one,
 * the old one is nobody's: who has stolen it is a stranger.
 */
export class PeerKeys {
  readonly #nowMs: () => number;
  readonly #histories = new Map<string, PeerKeyHistory>();
  /** Peer ids that peers have connected with since; the journal has them once they were greeted. */
  readonly #seen = new Map<string, string>();
  /** Of the files that were asked about last: those of peers without statements, which nothing but another file changes. */
  #steady: {
    readonly files: readonly PeerFile[];
    readonly peers: readonly PeerFile[];
    readonly moving: PeerFile[];
  } | null = null;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Takes what the journal holds of a peer. */
  learn(nodeId: string, history: PeerKeyHistory): void {
    this.#histories.set(nodeId, history);
    this.#steady = null;
  }

  /** The peer with the key that it was seen with last, if its file's key leads there. */
  current(peer: PeerFile): PeerFile {
    const history = this.#histories.get(peer.nodeId);
    if (history === undefined || history.statements.length === 0) return peer;
    const peerId = this.#seen.get(peer.nodeId) ?? history.pinned;
    if (peerId === null || peerId === peer.peerId) return peer;
    const keys = { from: vkeyOf(peer.nodeId, peer.peerId), to: vkeyOf(peer.nodeId, peerId) };
    const links = chainBetween(history.statements, 'node', keys, this.#latest());
    return links === null ? peer : withPeerId(peer, peerId);
  }

  /** The peer with each key that it may come with now, the one that it was seen with last first. */
  possible(peer: PeerFile): readonly PeerFile[] {
    const current = this.current(peer);
    const statements = this.#histories.get(peer.nodeId)?.statements ?? [];
    if (statements.length === 0) return [current];
    const announced = successorsOf(statements, 'node', vkeyOf(peer.nodeId, current.peerId), this.#latest());
    const peerIds = announced.slice(0, MAX_ANNOUNCED).flatMap((one) => peerIdIn(one.new));
    return [current, ...peerIds.map((peerId) => withPeerId(peer, peerId))];
  }

  /**
   * All of {@link possible}, for each of the files. Asked at every connection and every request: while the files are the same, the peers
   * that have never changed their key are the same, too.
   */
  allOf(files: readonly PeerFile[]): readonly PeerFile[] {
    if (this.#steady?.files !== files) {
      const isMoving = ({ nodeId }: PeerFile): boolean => (this.#histories.get(nodeId)?.statements.length ?? 0) > 0;
      this.#steady = { files, peers: files.filter((peer) => !isMoving(peer)), moving: files.filter(isMoving) };
    }
    const { peers, moving } = this.#steady;
    return moving.length === 0 ? peers : [...peers, ...moving.flatMap((peer) => this.possible(peer))];
  }

  /** Notes which key the peer has come with. @returns whether that is another one than before */
  seen(peer: PeerFile, peerId: string): boolean {
    if (this.current(peer).peerId === peerId) return false;
    this.#seen.set(peer.nodeId, peerId);
    return true;
  }

  #latest(): number {
    return this.#nowMs() + DEFAULT_MAX_FUTURE_SKEW_MS;
  }
}

function withPeerId(peer: PeerFile, peerId: string): PeerFile {
  // The addresses of a file may name its key: where the peer is has not changed.
  const addresses = peer.addresses.map((address) => address.replace(new RegExp(`/p2p/${peer.peerId}$`), ''));
  return { ...peer, peerId, addresses };
}

function vkeyOf(nodeId: string, peerId: string): string {
  return formatVerifierKey({ name: nodeId, algorithm: ALG_ED25519, publicKey: rawKeyOf(peerId) });
}

function peerIdIn(vkey: string): string[] {
  const key = parseVerifierKey(vkey);
  return key.ok ? [peerIdOf(key.value.publicKey)] : [];
}
