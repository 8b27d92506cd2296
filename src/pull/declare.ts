/** What a node says of itself, and what it makes of what a peer says. Only the signed declaration is believed. */
import type { PeerFile } from '../config/peer-file.ts';
import { DEFAULT_MAX_FUTURE_SKEW_MS } from '../core/limits.ts';
import { witnessName } from '../core/node-id.ts';
import type { ChangedKey } from '../core/peer-status.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { JournalIdentity } from '../journal/files.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { ALG_ECDSA, ALG_ED25519 } from '../merkle/note.ts';
import { formatVerifierKey, parseVerifierKey } from '../merkle/verifier-key.ts';
import { rawKeyOf } from '../transport/identity.ts';
import type { PinnedPeer } from '../verify/context.ts';
import { openOwnDeclaration } from '../verify/declared-log-key.ts';
import { chainBetween } from '../verify/key-chain.ts';
import { type Declaration, type DeclaredKey, openDeclaration, signDeclaration } from '../wire/declaration.ts';
import type { KeyUse, OpenedSuccession } from '../wire/succession.ts';
import type { KeyChange } from './errors.ts';

export interface Self {
  readonly identity: JournalIdentity;
  readonly peerId: string;
  /** Signs under the node id, with the libp2p identity key. */
  readonly nodeSigner: LogSigner;
  /** Of each use the key in use first, then those in their overlap; log keys under the journal's origin. */
  readonly keys: readonly DeclaredKey[];
}

/** This node's declaration, signed by its identity key. One key signs both logs: it is declared for each. */
export function declareSelf({ identity, peerId, nodeSigner, keys }: Self, issuedAt: string): string {
  const { nodeId, journalOrigin, auditOrigin } = identity;
  const declaration = {
    audit_origin: auditOrigin,
    issued_at: issuedAt,
    journal_origin: journalOrigin,
    keys: keys.flatMap((key) => (key.use === 'log' ? [key, { ...key, vkey: renamed(key.vkey, auditOrigin) }] : [key])),
    node_id: nodeId,
    peer_id: peerId,
  };
  return signDeclaration(declaration, nodeSigner);
}

function renamed(vkey: string, name: string): string {
  const key = parseVerifierKey(vkey);
  if (!key.ok) throw new TypeError(`not a verifier key: ${vkey}`);
  return formatVerifierKey({ ...key.value, name });
}

export type DeclarationFault =
  | { readonly code: 'declaration_invalid'; readonly detail: string }
  | { readonly code: 'log_key_missing'; readonly detail: string }
  | { readonly code: 'log_key_mismatch'; readonly detail: string }
  | { readonly code: 'log_key_expired'; readonly detail: string }
  | { readonly code: 'log_key_not_yet_valid'; readonly detail: string }
  /** The peer itself wanted the change, at a time that has not come by this clock: it passes by itself. */
  | { readonly code: 'key_succession_ahead'; readonly detail: string }
  /** Nobody has said which key is the peer's, and a declaration does not say it of itself. */
  | { readonly code: 'log_key_unconfirmed'; readonly detail: string; readonly change: KeyChange }
  /** `change` is null when the origin is another one too: that is another log, which nobody can trust in its place. */
  | { readonly code: 'key_changed'; readonly detail: string; readonly change: KeyChange | null };

/** What a peer's keys have to follow from. */
export interface KeyHistory {
  /** The declaration that was kept last; null at the first contact. */
  readonly pinned: string | null;
  /** Statements of the peer that verify: its own words, in either direction. */
  readonly statements: readonly OpenedSuccession[];
  readonly nowMs: number;
}

export interface Pinning {
  readonly peer: PinnedPeer;
  /** The statements that lead from the pinned keys to the declared ones. */
  readonly links: readonly OpenedSuccession[];
}

/**
 * The peer as its declaration lets us pin it. A log, anchor or witness key that differs from the pinned one has to be its
 * successor; else it waits for an operator, since nothing says that the peer itself wanted the change.
 */
export function pinPeer(note: string, peer: PeerFile, history: KeyHistory): Result<Pinning, DeclarationFault> {
  const now = readDeclared(note, peer);
  if (!now.ok) return now;
  const insisted = checkInsisted(now.value, peer, history);
  if (!insisted.ok) return insisted;
  if (history.pinned === null)
    return peer.logKey === null
      ? err(unconfirmed(now.value.logVkey, note))
      : ok({ peer: now.value.pinned, links: insisted.value });
  const { declaration } = now.value;
  const kept = openOwnDeclaration(history.pinned);
  if (kept === null) return err(afterUnreadable(declaration, note));
  if (kept.journal_origin !== declaration.journal_origin) {
    const detail = `journal ${kept.journal_origin} was pinned, ${declaration.journal_origin} is declared`;
    return err({ code: 'key_changed', detail, change: null });
  }
  const links: OpenedSuccession[] = [];
  const keys: ChangedKey[] = [];
  let ahead: DeclarationFault | null = null;
  for (const use of PINNED_USES) {
    const [pinned, declared] = [currentKey(kept, use), currentKey(declaration, use)];
    if (pinned === undefined || declared === undefined) continue;
    const way = wayTo(use, { from: pinned, to: declared }, history);
    if (way.ok) links.push(...way.value);
    else if (way.error === null) keys.push({ use, pinned, declared });
    else ahead = way.error;
  }
  if (keys.length === 0) return ahead === null ? ok({ peer: now.value.pinned, links }) : err(ahead);
  const detail = keys.map(({ use, pinned, declared }) => `${use} key ${pinned} was pinned, ${declared} is declared`);
  return err({ code: 'key_changed', detail: detail.join('; '), change: { keys, note } });
}

/** The first contact, with a file that names no key: the identity key has signed for it, and no operator has. */
function unconfirmed(declared: string, note: string): DeclarationFault {
  const detail = `${declared} is declared, and neither the peer file nor an operator has named it`;
  const keys: ChangedKey[] = [{ use: 'log', pinned: NO_KEY, declared }];
  return { code: 'log_key_unconfirmed', detail, change: { keys, note } };
}

/** What was pinned says nothing any more: every key is a new one, for an operator to look at. */
function afterUnreadable(declaration: Declaration, note: string): DeclarationFault {
  const keys = PINNED_USES.flatMap((use): ChangedKey[] => {
    const declared = currentKey(declaration, use);
    return declared === undefined ? [] : [{ use, pinned: UNREADABLE, declared }];
  });
  const detail = 'the declaration that was pinned cannot be read, so that no key follows from it';
  return { code: 'key_changed', detail, change: { keys, note } };
}

/** The key in the peer's file may be one that was succeeded meanwhile. */
function checkInsisted(
  { logVkey }: Declared,
  peer: PeerFile,
  history: KeyHistory,
): Result<readonly OpenedSuccession[], DeclarationFault> {
  if (peer.logKey === null) return ok([]);
  const way = wayTo('log', { from: peer.logKey, to: logVkey }, history);
  if (way.ok) return way;
  if (way.error !== null) return err(way.error);
  const detail = `the peer file insists on ${peer.logKey}, ${logVkey} is declared`;
  return err({ code: 'log_key_mismatch', detail });
}

/** The statements that lead from one key to another; else why they do not yet, or null when none do. */
function wayTo(
  use: KeyUse,
  keys: { readonly from: string; readonly to: string },
  history: KeyHistory,
): Result<readonly OpenedSuccession[], DeclarationFault | null> {
  const chain = chainBetween(history.statements, use, keys, latest(history));
  if (chain !== null) return ok(chain);
  const later = chainBetween(history.statements, use, keys, Number.MAX_SAFE_INTEGER);
  if (later === null) return err(null);
  const start = later
    .map(({ effective_at }) => effective_at)
    .toSorted()
    .at(-1);
  const detail = `its ${use} key ${keys.to} follows ${keys.from} from ${start} on: compare the clocks of both nodes`;
  return err({ code: 'key_succession_ahead', detail });
}

function latest({ nowMs }: KeyHistory): number {
  return nowMs + DEFAULT_MAX_FUTURE_SKEW_MS;
}

const PINNED_USES = ['log', 'anchor', 'witness'] as const;
/** In the place of a key that was pinned. */
const NO_KEY = 'none yet';
const UNREADABLE = 'none that can be read';

export interface Declared {
  readonly declaration: Declaration;
  readonly pinned: PinnedPeer;
  /** Verifier key of the log. */
  readonly logVkey: string;
}

/** What a declaration of the peer says, whatever was pinned before. */
export function readDeclared(note: string, peer: PeerFile): Result<Declared, DeclarationFault> {
  const opened = openDeclaration(note, { nodeId: peer.nodeId, nodeKey: rawKeyOf(peer.peerId) });
  if (!opened.ok) {
    const { at, expected, got } = opened.error;
    return err({ code: 'declaration_invalid', detail: `${at}: expected ${expected}, got ${got}` });
  }
  const declaration = opened.value;
  const foreign = foreignName(declaration, peer);
  if (foreign !== null) return err({ code: 'declaration_invalid', detail: foreign });
  const vkey = currentKey(declaration, 'log');
  const [logKey, ...formerLogKeys] = keysOf(declaration, 'log', ALG_ED25519);
  if (vkey === undefined || logKey === undefined) {
    return err({ code: 'log_key_missing', detail: `no Ed25519 log key for ${declaration.journal_origin}` });
  }
  const [anchorKey = null, ...formerAnchorKeys] = keysOf(declaration, 'anchor', ALG_ECDSA);
  const pinned = {
    nodeId: peer.nodeId,
    authority: peer.authority,
    origin: declaration.journal_origin,
    logKey,
    anchorKey,
    former: { logKeys: formerLogKeys, anchorKeys: formerAnchorKeys },
    namespaces: peer.namespaces,
  };
  return ok({ declaration, pinned, logVkey: vkey });
}

/**
 * A declaration is signed by the peer whatever it says. With another peer id in it nobody could open it later, neither who
 * compares keys nor who judges evidence; the log of another is another's to declare.
 */
function foreignName({ peer_id, journal_origin, audit_origin }: Declaration, peer: PeerFile): string | null {
  if (peer_id !== peer.peerId) return `peer_id: expected ${peer.peerId}, got ${peer_id}`;
  // As far as whoever reads what was stored asks for it: another form would be taken now, and pass for damage then.
  const [journal, audit] = [`${peer.authority}/journal/`, `${peer.authority}/audit/`];
  if (!journal_origin.startsWith(journal)) return `journal_origin: expected ${journal}…, got ${journal_origin}`;
  if (!audit_origin.startsWith(audit)) return `audit_origin: expected ${audit}…, got ${audit_origin}`;
  return null;
}

/** Verifier key of the log that a declaration which is pinned names; null if it cannot be read. */
export function pinnedLogKey(note: string): string | null {
  const declaration = openOwnDeclaration(note);
  return declaration === null ? null : (currentKey(declaration, 'log') ?? null);
}

/** The key of a use that a declaration names first: those that are only in their overlap come after it. */
function currentKey(declaration: Declaration, use: DeclaredKey['use']): string | undefined {
  return declaredFor(declaration, use)[0];
}

function declaredFor({ keys, journal_origin, node_id }: Declaration, use: DeclaredKey['use']): readonly string[] {
  const name = use === 'witness' ? witnessName(node_id) : journal_origin;
  return keys.filter((key) => key.use === use && key.vkey.startsWith(`${name}+`)).map(({ vkey }) => vkey);
}

/** Raw keys, the one in use first; none if that one cannot be used. */
function keysOf(declaration: Declaration, use: DeclaredKey['use'], algorithm: number): readonly Uint8Array[] {
  const keys = declaredFor(declaration, use).map((vkey) => {
    const key = parseVerifierKey(vkey);
    return key.ok && key.value.algorithm === algorithm ? key.value.publicKey : null;
  });
  return keys[0] === null ? [] : keys.filter((key) => key !== null);
}
