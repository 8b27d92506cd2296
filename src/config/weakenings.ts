import { HOUR_MS } from '../core/time.ts';
import type { Weakening } from '../core/weakening.ts';
import { isLoopback } from './checks.ts';
import type { Config } from './config.ts';
import type { PeerFile } from './peer-file.ts';

/** What of an API key counts here. */
export interface EndlessKey {
  readonly id: string;
  readonly name: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
}

/**
 * What is weaker than by default, in the order of codes. Defaults are never in it, nor what a node does without: no witnesses, no
 * anchors, one person for every action are choices and no holes.
 */
export function weakeningsOf(
  config: Config,
  peers: readonly PeerFile[],
  keys: readonly EndlessKey[],
): readonly Weakening[] {
  return [
    ...addressesOpened(config),
    ...plainHttp(config),
    ...keys.filter((key) => key.expires_at === null && key.revoked_at === null).map(endless),
    ...clockAhead(config),
    ...erasureAtOnce(config),
    ...guardImpatient(config),
    ...peers.flatMap(teamShared),
  ];
}

function addressesOpened({ network: { allowed } }: Config): Weakening[] {
  if (allowed.length === 0) return [];
  const widest = Math.min(...allowed.map(({ bits }) => bits));
  const sentence = `partners may have this node connect into ${allowed.length} network${allowed.length === 1 ? '' : 's'} that ${allowed.length === 1 ? 'is' : 'are'} not public, the largest of 2^${128 - widest} addresses`;
  return [{ code: 'addresses_opened', where: 'network.allow_addresses', sentence }];
}

function plainHttp({ api }: Config): Weakening[] {
  if (api.tls !== null || isLoopback(api.host)) return [];
  const sentence = `the API listens on ${api.host} without TLS: keys cross the network between the proxy and this node in the clear`;
  return [{ code: 'api_plain_http', where: 'api.behind_proxy', sentence }];
}

function endless({ id, name }: EndlessKey): Weakening {
  const sentence = `the API key ${name} never ends: whoever copies it has it for good`;
  return { code: 'api_key_endless', where: id, sentence };
}

function clockAhead({ federation: { maxFutureSkewMs } }: Config): Weakening[] {
  if (maxFutureSkewMs <= HOUR_MS) return [];
  const sentence = `a peer may date facts ${maxFutureSkewMs / 1_000} s into the future, and so have them pass for newer than all others`;
  return [{ code: 'clock_ahead', where: 'federation.max_future_skew_s', sentence }];
}

function erasureAtOnce({ tombstones: { undoWindowMs, receivedWindowMs } }: Config): Weakening[] {
  const own = 'a fact that is erased by mistake is gone at once: there is no time to undo it';
  const received = 'a partner’s tombstone erases at once: there is no time to hold what is needed as evidence';
  return [
    ...(undoWindowMs === 0 ? [{ where: 'tombstones.undo_window_s', sentence: own }] : []),
    ...(receivedWindowMs === 0 ? [{ where: 'tombstones.received_window_s', sentence: received }] : []),
  ].map((one) => ({ code: 'erasure_at_once', ...one }));
}

function guardImpatient({ guard }: Config): Weakening[] {
  if (guard.waitMs > 0) return [];
  const sentence =
    'a node that was put back from an old copy does not wait for anybody to say so, and may sign a second history';
  return [{ code: 'guard_impatient', where: 'guard.wait_s', sentence }];
}

function teamShared({ name, disabled, allowTeam, share }: PeerFile): Weakening[] {
  const team = share.filter(({ feed }) => feed.split('/')[0] === 'team').map(({ feed }) => feed);
  if (disabled || !allowTeam || team.length === 0) return [];
  const sentence = `${name} is granted ${team.join(', ')}: facts of the team leave this organisation`;
  return [{ code: 'team_shared', where: `peers/${name}.toml`, sentence }];
}
