/** Relaying in a running node: whose facts peers may bring us, and which permits we hold ourselves. */
import type { PeerFile } from '../config/peer-file.ts';
import { authorityOf } from '../core/node-id.ts';
import { parseFeed } from '../core/scope.ts';
import { parseVerifierKey } from '../merkle/verifier-key.ts';
import type { Relaying } from '../pull/deps.ts';
import type { RelayOrigin } from '../verify/context.ts';
import { openOwnDeclaration } from '../verify/declared-log-key.ts';
import { keyFault } from '../verify/key-expiry.ts';
import type { Base } from './base.ts';

/**
 * @param files peer files in force, without those that are disabled
 * @param onPermit peers that watch are told: a feed may have opened
 */
export function relayingOf(base: Base, files: () => readonly PeerFile[], onPermit: () => void): Relaying {
  const { writer, permits, config, nowMs } = base;
  return {
    async originOf(feed) {
      const parsed = parseFeed(feed);
      if (!parsed.ok || parsed.value.kind !== 'received' || parsed.value.authority === config.authority) return null;
      const { authority } = parsed.value;
      const file = files().find((peer) => peer.authority === authority);
      if (file === undefined) return null;
      const { suspended, declaration } = await writer.peerProgress(file.nodeId, []);
      return suspended === null ? pinnedOrigin(file, declaration, nowMs()) : null;
    },
    isShared: (feed) => files().some(({ share }) => share.some((grant) => grant.feed === feed)),
    permitted(feed, permit) {
      const wasOpen = nowMs() < (permits.get(feed)?.notAfterMs ?? 0);
      permits.set(feed, permit);
      if (!wasOpen) onPermit();
    },
  };
}

/**
 * A node that was never met is known by the log key in its file alone. Its declaration, once pinned, says more: it followed
 * from that key, and it says how long its own is good.
 */
function pinnedOrigin(file: PeerFile, note: string | null, nowMs: number): RelayOrigin | null {
  const { nodeId, namespaces, logKey } = file;
  const declared = note === null ? null : openOwnDeclaration(note);
  if (declared === null) {
    const key = logKey === null ? null : parseVerifierKey(logKey);
    return key?.ok && isJournalOf(nodeId, key.value.name) && logKey !== null
      ? { nodeId, origin: key.value.name, logVkey: logKey, namespaces }
      : null;
  }
  const key = declared.keys.find(({ use, vkey }) => use === 'log' && vkey.startsWith(`${declared.journal_origin}+`));
  if (key === undefined || keyFault(key, nowMs) !== null) return null;
  return { nodeId, origin: declared.journal_origin, logVkey: key.vkey, namespaces };
}

/** The log key of a file names the journal, which has to be that node's. */
function isJournalOf(nodeId: string, origin: string): boolean {
  return origin.startsWith(`${authorityOf(nodeId) ?? ''}/journal/`);
}
