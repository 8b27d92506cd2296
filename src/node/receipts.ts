/** Receipts in a running node: whose keys they are checked by, and who is told when some came. */
import type { PeerFile } from '../config/peer-file.ts';
import { isConfirmed } from '../core/disclosure.ts';
import { pinPeer, readDeclared } from '../pull/declare.ts';
import { logKeyGoodUntil } from '../pull/log-key-life.ts';
import type { PeerSessions } from '../pull/peer-sessions.ts';
import type { ReceiptDeps } from '../serve/answer-receipt.ts';
import { openStatements } from '../verify/key-chain.ts';
import { decodeHello, type Hello } from '../wire/hello.ts';
import type { Base } from './base.ts';

export interface Receipts {
  readonly takeReceipts: ReceiptDeps['takeReceipts'];
  /** A peer has greeted us. */
  readonly onHello: (request: Uint8Array, peerId: string) => void;
}

/** @param sessions asked late: they are made after the protocols that they listen to */
export function receiptsOf(
  { writer, logger, nowMs, confirmed }: Base,
  peerOf: (peerId: string) => PeerFile | undefined,
  sessions: () => PeerSessions | undefined,
): Receipts {
  /** Declarations looked at already, by peer id. */
  const looked = new Map<string, string>();
  return {
    async takeReceipts(nodeId, receipts) {
      const taken = await writer.takeReceipts(nodeId, receipts);
      await sessions()?.refresh(nodeId);
      return taken;
    },
    onHello(request, peerId) {
      const peer = peerOf(peerId);
      const hello = decodeHello(request);
      // What it declares is believed when somebody has said which key is its own, and not before.
      if (peer === undefined || !isConfirmed(peer, { confirmed })) return;
      if (!hello.ok || looked.get(peerId) === hello.value.declaration) return;
      looked.set(peerId, hello.value.declaration);
      learn(peer, hello.value).catch((error: unknown) => logger.error({ error }, 'a declaration is lost'));
    },
  };

  /** A peer that only reads is never greeted by us: its own greeting is where its log key comes from. */
  async function learn(peer: PeerFile, hello: Hello): Promise<void> {
    if (await follow(peer, hello)) return;
    const note = hello.declaration;
    const declared = readDeclared(note, peer);
    if (!declared.ok) return;
    const { pinned, logVkey } = declared.value;
    // A file that insists on another key: whether one leads to the other is seen when it is greeted.
    if (peer.logKey !== null && peer.logKey !== logVkey) return;
    if (!logKeyGoodUntil(note, peer, pinned, nowMs()).ok) return;
    const { origin, logKey } = pinned;
    const detail = { origin, log_key: Buffer.from(logKey).toString('base64'), peer_id: peer.peerId };
    const pin = await writer.pinIfNew(peer.nodeId, note, { event: 'peer_verified', peer: peer.nodeId, detail });
    if (pin === undefined) await writer.renewDeclaration(peer.nodeId, note);
  }
  /** From pinned keys to those that it declares now, by its own statements, as where it is greeted. @returns whether they have changed */
  async function follow(peer: PeerFile, { declaration: note, successions }: Hello): Promise<boolean> {
    const { nodeId, peerId } = peer;
    const [kept] = await writer.declarations([nodeId]);
    if (kept == null) return false;
    const [stored = []] = await writer.successions([nodeId]);
    const statements = [...stored, ...openStatements(successions, nodeId)];
    const judged = pinPeer(note, peer, { pinned: kept, statements, nowMs: nowMs() });
    if (!judged.ok || judged.value.links.length === 0) return false;
    const { peer: pinned, links } = judged.value;
    if (!logKeyGoodUntil(note, peer, pinned, nowMs()).ok) return false;
    await writer.saveSuccessions(
      nodeId,
      links.map((one) => one.note),
    );
    const detail = { origin: pinned.origin, log_key: Buffer.from(pinned.logKey).toString('base64'), peer_id: peerId };
    await writer.followDeclaration(nodeId, note, { event: 'peer_keys_succeeded', peer: nodeId, detail });
    return true;
  }
}
