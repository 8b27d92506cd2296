/** Pings of a running node: one of each partner at a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerFile } from '../config/peer-file.ts';
import type { PingOutcome } from '../core/ping-report.ts';
import { type PingDeps, pingPeer } from '../onboard/ping-peer.ts';
import type { Base } from './base.ts';
import { SOFTWARE } from './version.ts';

export type Ping = (name: string, count: number) => Promise<PingOutcome>;

/** @param peers those in force, with the keys that they have now */
export function pingsOf(
  { config, writer, nowMs }: Base,
  parts: Pick<PingDeps, 'transport' | 'hello'> & { readonly peers: () => readonly PeerFile[] },
  all: () => ReadonlyMap<string, PeerFile>,
): Ping {
  const { transport, hello, peers } = parts;
  const { maxFutureSkewMs } = config.federation;
  const clocks = { nowMs, ticksMs: () => performance.now(), pause: (ms: number) => sleep(ms) };
  const deps = { transport, hello, journal: writer, ownSoftware: SOFTWARE, maxFutureSkewMs, ...clocks };
  const under = new Set<string>();
  return async (name, count) => {
    const peer = peers().find((one) => one.name === name);
    if (peer === undefined) return { kind: all().has(name) ? 'disabled' : 'unknown_peer' };
    if (under.has(name)) return { kind: 'runs' };
    under.add(name);
    try {
      return { kind: 'pinged', report: await pingPeer(peer, count, deps) };
    } finally {
      under.delete(name);
    }
  };
}
