/** The peer file that a confirmed onboarding becomes, judged before anything is promised. */
import { parse } from 'smol-toml';
import { checkPeerFile, type PeerFile, peerNameFault } from '../config/peer-file.ts';
import { formatPeerFile } from '../config/peer-text.ts';
import type { OnboardingTerms } from '../core/onboarding.ts';
import { err, ok, type Result } from '../core/result.ts';
import { MAX_INVITE_TEXT_BYTES, MAX_INVITE_TEXTS } from '../wire/invite-code.ts';
import type { OnboardingRecord } from './record.ts';

export type Terms = Pick<OnboardingRecord, 'share' | 'accept' | 'until_ms' | 'name'>;

export interface Partner {
  readonly nodeId: string;
  readonly peerId: string;
  readonly addresses: readonly string[];
}

/** A code has four bytes for it, in seconds. */
const MAX_UNTIL_MS = 2 ** 32 * 1_000;
/** Stands for a partner that nobody knows yet; `.invalid` is nobody's (RFC 2606). */
const ANYBODY = { nodeId: 'stigmem://partner.invalid', addresses: [] };
const ANY_NAME = 'partner';

/** A partner may author facts of its own authority: more namespaces are for an operator to add. */
export function peerFileOf(name: string, partner: Partner, terms: Terms): PeerFile {
  const authority = partner.nodeId.slice('stigmem://'.length);
  const grant = (feed: string) => ({ feed, notBeforeMs: null, notAfterMs: terms.until_ms });
  return {
    name,
    ...partner,
    authority,
    namespaces: [authority],
    share: terms.share.map(grant),
    accept: terms.accept.map(grant),
    logKey: null,
    disabled: false,
    allowTeam: false,
    addressesFrom: 'peer',
    limits: { maxValueBytes: null, pageEntries: null },
    policy: { witnesses: null, anchors: null },
  };
}

/** Reads what an operator wants to grant. The error completes "expected …" or says what to do. */
export function readTerms(terms: OnboardingTerms, ownPeerId: string, nowMs: number): Result<Terms, string> {
  const { share, accept, until, name } = terms;
  if (share.length + accept.length === 0) return err('expected at least one feed in share or accept, got none');
  if (Math.max(share.length, accept.length) > MAX_INVITE_TEXTS)
    return err(`expected at most ${MAX_INVITE_TEXTS} feeds in share and in accept; edit the peer file for more`);
  const long = [...share, ...accept].find((feed) => Buffer.byteLength(feed) > MAX_INVITE_TEXT_BYTES);
  if (long !== undefined) return err(`expected feeds of at most ${MAX_INVITE_TEXT_BYTES} bytes, got a longer one`);
  const untilMs = until === null ? null : Date.parse(until);
  if (untilMs !== null && !(untilMs > nowMs && untilMs < MAX_UNTIL_MS))
    return err(`expected until to be a time to come, before 2106, got ${until}`);
  const nameFault = name === null ? null : peerNameFault(name);
  if (nameFault !== null) return err(`name: ${nameFault}`);
  const read = { share, accept, until_ms: untilMs, name };
  const fault = faultOf(peerFileOf(ANY_NAME, { ...ANYBODY, peerId: ownPeerId }, read));
  return fault === null ? ok(read) : err(fault);
}

/** What the daemon would say of the file; null when it would take it. */
export function faultOf(peer: PeerFile): string | null {
  const checked = checkPeerFile(`${peer.name}.toml`, { tree: parse(formatPeerFile(peer)), lines: new Map() });
  return checked.ok ? null : checked.error.map(({ message, fix }) => `${message}. ${fix}`).join(' ');
}

/**
 * What a partner is called unless somebody named it: the first part of its authority, or all of it.
 *
 * @param taken names that are in use
 */
export function defaultName(nodeId: string, taken: ReadonlySet<string>): string {
  const authority = nodeId.slice('stigmem://'.length).replace(':', '-').slice(0, 48);
  const [first = authority] = authority.split('.');
  const candidates = [first, authority, ...Array.from({ length: taken.size + 1 }, (_, i) => `${authority}-${i + 2}`)];
  return candidates.find((name) => peerNameFault(name) === null && !taken.has(name)) ?? authority;
}

/** The file of another partner that has this one's id or key; undefined when there is none. */
export function clashWith(partner: Partner, name: string, peers: readonly PeerFile[]): PeerFile | undefined {
  return peers.find((one) => one.nodeId === partner.nodeId || one.peerId === partner.peerId || one.name === name);
}
