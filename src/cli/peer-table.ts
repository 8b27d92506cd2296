import type { PeerStatus } from '../core/peer-status.ts';
import type { Cell, Screen } from './screen.ts';

const STATE_STYLE = {
  current: 'green',
  catching_up: 'cyan',
  waiting: 'yellow',
  suspended: 'red',
  pending: 'yellow',
} as const satisfies Record<PeerStatus['state'], string>;

/** Peers as a table, each with a sentence that says how it is doing. */
export function peerTable(peers: readonly PeerStatus[], screen: Screen): string {
  const rows = peers.map((peer): Cell[] => [
    peer.name,
    { text: peer.state, style: STATE_STYLE[peer.state] },
    peer.accepted,
    peer.refused === 0 ? 0 : { text: String(peer.refused), style: 'red' },
    peer.lag_entries,
    peerSentence(peer),
  ]);
  return screen.table(['PEER', 'STATE', 'TAKEN', 'REFUSED', 'LAG', 'HOW IT IS DOING'], rows);
}

/** What the peer has signed to have received of us; null when there is nothing. */
export function acknowledgedSentence({ name, acknowledged }: PeerStatus): string | null {
  if (acknowledged.length === 0) return null;
  const feeds = acknowledged.map(({ feed, to }) => `${feed} up to ${to.toLocaleString('en')}`);
  return `${name} has acknowledged ${feeds.join(', ')}`;
}

/** One sentence: what is waited for, or that nothing is. */
export function peerSentence(peer: PeerStatus): string {
  if (peer.waiting_on !== null) return peer.waiting_on;
  if (peer.state === 'current') {
    return peer.accept.length === 0 ? 'nothing is taken from it' : `has given all of ${peer.accept.join(', ')}`;
  }
  return peer.last_error ?? 'no word from it yet';
}

/** The breaker's state, until when, and why. */
export function circuitSentence({ circuit, circuit_reason, circuit_until }: PeerStatus): string {
  if (circuit === 'closed') return 'closed';
  const until = circuit_until === null ? '' : ` until ${circuit_until}`;
  return `${circuit === 'open' ? 'open' : 'half open'}${until}: ${circuit_reason ?? 'it failed before'}`;
}
