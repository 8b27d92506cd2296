/** What a node says of itself, and what it makes of what a peer says. Only the signed declaration is believed. */
import type { PeerFile } from '../config/peer-file.ts';
import { witnessName } from '../core/node-id.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { JournalIdentity } from '../journal/files.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { ALG_COSIGNATURE_V1, ALG_ECDSA, ALG_ED25519 } from '../merkle/note.ts';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from '../merkle/verifier-key.ts';
import { rawKeyOf } from '../transport/identity.ts';
import type { PinnedPeer } from '../verify/context.ts';
import { type Declaration, type DeclaredKey, openDeclaration, signDeclaration } from '../wire/declaration.ts';
import type { KeyChange } from './errors.ts';

export interface Self {
  readonly identity: JournalIdentity;
  readonly peerId: string;
  /** Signs under the node id, with the libp2p identity key. */
  readonly nodeSigner: LogSigner;
  /** Raw public key of the log, 32 bytes. */
  readonly logKey: Uint8Array;
  /** Raw public key of the witness, 32 bytes. */
  readonly witnessKey: Uint8Array;
  /** SPKI DER of the anchor key. */
  readonly anchorKey: Uint8Array;
  readonly software: string;
}

/** This node's declaration, signed by its identity key. */
export function declareSelf(self: Self, issuedAt: string): string {
  const { nodeId, journalOrigin, auditOrigin, createdAt } = self.identity;
  const key = (use: DeclaredKey['use'], algorithm: DeclaredKey['algorithm'], key: VerifierKey): DeclaredKey => ({
    algorithm,
    not_after: null,
    not_before: createdAt,
    use,
    vkey: formatVerifierKey(key),
  });
  const log = (name: string) => key('log', 'ed25519', { name, algorithm: ALG_ED25519, publicKey: self.logKey });
  const anchor = { name: journalOrigin, algorithm: ALG_ECDSA, publicKey: self.anchorKey };
  const witness = { name: witnessName(nodeId), algorithm: ALG_COSIGNATURE_V1, publicKey: self.witnessKey };
  const declaration = {
    audit_origin: auditOrigin,
    issued_at: issuedAt,
    journal_origin: journalOrigin,
    keys: [
      log(journalOrigin),
      log(auditOrigin),
      key('anchor', 'ecdsa-p256', anchor),
      key('witness', 'cosignature-v1', witness),
    ],
    node_id: nodeId,
    peer_id: self.peerId,
  };
  return signDeclaration(declaration, self.nodeSigner);
}

export type DeclarationFault =
  | { readonly code: 'declaration_invalid'; readonly detail: string }
  | { readonly code: 'log_key_missing'; readonly detail: string }
  | { readonly code: 'log_key_mismatch'; readonly detail: string }
  | { readonly code: 'log_key_expired'; readonly detail: string }
  | { readonly code: 'log_key_not_yet_valid'; readonly detail: string }
  /** `change` is null when the origin is another one too: that is another log, which nobody can trust in its place. */
  | { readonly code: 'key_changed'; readonly detail: string; readonly change: KeyChange | null };

/**
 * The peer as its declaration lets us pin it.
 *
 * @param pinned the declaration that was kept at the first contact; a log key or origin that differs from it is refused
 *   until an operator decides, since nothing says that the peer itself wanted the change
 */
export function pinPeer(note: string, peer: PeerFile, pinned: string | null): Result<PinnedPeer, DeclarationFault> {
  const now = read(note, peer);
  if (!now.ok) return now;
  if (pinned === null) return now;
  // The key that the file insists on may be the new one.
  const before = read(pinned, { ...peer, logKey: null });
  if (!before.ok) return before;
  const isSame =
    before.value.origin === now.value.origin && Buffer.from(before.value.logKey).equals(Buffer.from(now.value.logKey));
  if (isSame) return now;
  const detail = `journal ${before.value.origin} was pinned, ${now.value.origin} with another key is declared`;
  return err({ code: 'key_changed', detail, change: changeOf(before.value, now.value, note) });
}

function changeOf(before: PinnedPeer, now: PinnedPeer, note: string): KeyChange | null {
  if (before.origin !== now.origin) return null;
  return { pinned: vkeyOf(before), declared: vkeyOf(now), note };
}

function vkeyOf({ origin, logKey }: PinnedPeer): string {
  return formatVerifierKey({ name: origin, algorithm: ALG_ED25519, publicKey: logKey });
}

function read(note: string, peer: PeerFile): Result<PinnedPeer, DeclarationFault> {
  const opened = openDeclaration(note, { nodeId: peer.nodeId, nodeKey: rawKeyOf(peer.peerId) });
  if (!opened.ok) {
    const { at, expected, got } = opened.error;
    return err({ code: 'declaration_invalid', detail: `${at}: expected ${expected}, got ${got}` });
  }
  const vkey = logKeyOf(opened.value);
  const key = vkey === undefined ? undefined : parseVerifierKey(vkey);
  if (key === undefined || !key.ok || key.value.algorithm !== ALG_ED25519) {
    return err({ code: 'log_key_missing', detail: `no Ed25519 log key for ${opened.value.journal_origin}` });
  }
  if (peer.logKey !== null && peer.logKey !== vkey) {
    return err({ code: 'log_key_mismatch', detail: `the peer file insists on ${peer.logKey}, ${vkey} is declared` });
  }
  return ok({
    nodeId: peer.nodeId,
    authority: peer.authority,
    origin: opened.value.journal_origin,
    logKey: key.value.publicKey,
    anchorKey: anchorKeyOf(opened.value),
    namespaces: peer.namespaces,
  });
}

function logKeyOf(declaration: Declaration): string | undefined {
  return declaration.keys.find(({ use, vkey }) => use === 'log' && vkey.startsWith(`${declaration.journal_origin}+`))
    ?.vkey;
}

/** SPKI DER; null if there is none that can be used. */
function anchorKeyOf({ keys, journal_origin }: Declaration): Uint8Array | null {
  const declared = keys.find(({ use, vkey }) => use === 'anchor' && vkey.startsWith(`${journal_origin}+`));
  const key = declared === undefined ? undefined : parseVerifierKey(declared.vkey);
  return key?.ok === true && key.value.algorithm === ALG_ECDSA ? key.value.publicKey : null;
}
