import { stringify } from 'smol-toml';
import type { FeedGrant as Grant } from '../core/disclosure.ts';
import type { PeerFile } from './peer-file.ts';

const DOCS: Readonly<Record<string, string>> = {
  node_id: 'Who the partner is.',
  peer_id: 'Its key. Compare it with the partner over another channel before you trust this file.',
  addresses: 'Where to dial it. Empty: it dials us.',
  addresses_from:
    'The partner named them itself: only public ones are dialled, and those in network.allow_addresses. Take this line out if you looked at them.',
  namespaces: 'Authorities whose facts it may author. Facts of others are refused (source_not_owned).',
  share: 'Feeds it may read from us. Empty: none.',
  accept: 'Feeds we take from it. Empty: none.',
  log_key: 'Log key to insist on.',
  disabled: 'Neither dialled nor let in.',
  allow_team: 'It may read team facts too, as far as share grants them.',
};

/** The text of a peer file, with comments. Reading it gives the same peer again. */
export function formatPeerFile(peer: PeerFile): string {
  const table: Record<string, unknown> = {
    node_id: peer.nodeId,
    peer_id: peer.peerId,
    addresses: peer.addresses,
    ...(peer.addressesFrom === 'peer' ? { addresses_from: 'peer' } : {}),
    namespaces: peer.namespaces,
    share: peer.share.map(grantValue),
    accept: peer.accept.map(grantValue),
    ...(peer.logKey === null ? {} : { log_key: peer.logKey }),
    ...(peer.disabled ? { disabled: true } : {}),
    ...(peer.allowTeam ? { allow_team: true } : {}),
  };
  const lines = Object.entries(table).flatMap(([key, value]) => [`# ${DOCS[key]}`, `${key} = ${tomlValue(value)}`]);
  return `${[...lines, ...limitLines(peer.limits), ...policyLines(peer.policy)].join('\n')}\n`;
}

function limitLines(limits: PeerFile['limits']): string[] {
  const lines: string[] = [];
  if (limits.maxValueBytes !== null) lines.push(`max_value_bytes = ${limits.maxValueBytes}`);
  if (limits.pageEntries !== null) lines.push(`page_entries = ${limits.pageEntries}`);
  return lines.length === 0 ? [] : ['', '[limits]', ...lines];
}

/** A policy has lines, and neither quotation marks nor backslashes need be in it: it is shown as it is written. */
function policyLines({ witnesses, anchors }: PeerFile['policy']): string[] {
  const lines = witnesses === null ? [] : [stringify({ witnesses }).trimEnd()];
  if (anchors !== null) {
    const { backends, trustRootFile, maxAgeS } = anchors;
    lines.push(`anchors = ${tomlValue(backends)}`);
    if (trustRootFile !== null) lines.push(`anchor_trust_root = ${tomlValue(trustRootFile)}`);
    if (maxAgeS !== null) lines.push(`anchor_max_age_s = ${maxAgeS}`);
  }
  return lines.length === 0 ? [] : ['', '[policy]', ...lines];
}

function grantValue(grant: Grant): string | Readonly<Record<string, string>> {
  const window = {
    ...(grant.notBeforeMs === null ? {} : { not_before: new Date(grant.notBeforeMs).toISOString() }),
    ...(grant.notAfterMs === null ? {} : { not_after: new Date(grant.notAfterMs).toISOString() }),
  };
  return Object.keys(window).length === 0 ? grant.feed : { feed: grant.feed, ...window };
}

/** A value on one line: lists of tables would otherwise become `[[share]]` blocks, which may not stand between keys. */
function tomlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, inner]) => `${key} = ${tomlValue(inner)}`)
      .join(', ')} }`;
  }
  return stringify({ v: value }).slice('v = '.length).trim();
}
