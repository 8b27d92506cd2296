import type { PeerFile } from '../config/peer-file.ts';
import type { PeerProgress } from '../journal/read-model.ts';
import type { KeyChange } from './errors.ts';
import type { Greeted } from './greet.ts';
import type { Attempts } from './schedule.ts';
import type { FeedLengths } from './watch-peer.ts';

/** What a session knows; `peer-status.ts` puts it into words. */
export interface SessionState {
  readonly peer: PeerFile;
  readonly accept: readonly string[];
  readonly progress: PeerProgress | null;
  readonly greeted: Greeted | null;
  readonly attempts: Attempts;
  readonly phase:
    | 'starting'
    | 'slowed'
    | 'queued'
    | 'pulling'
    | 'waiting'
    | 'unconfirmed'
    | 'backing_off'
    | 'suspended'
    | 'idle';
  readonly nextAttemptAtMs: number | null;
  readonly lastContactAtMs: number | null;
  readonly lastError: string | null;
  /** What the newest declaration would change, or pin for the first time, until it is trusted or the peer declares what was pinned again. */
  readonly keyChange: KeyChange | null;
  /** Lengths as the peer states them, unverified. */
  readonly stated: FeedLengths;
  /** Accepted feeds that the last complete answer said nothing about: nothing is new in them, or they are not shown. */
  readonly silent: readonly string[];
  /** Those of them that nothing was ever taken of. */
  readonly absent: readonly string[];
  /** Feeds that the peer has ceased to state, and that it was not asked about yet. */
  readonly lost: readonly string[];
}

/** With those that the peer states no more, each once: it may take feeds away and bring them back as often as it likes. */
export function lostWith(
  { lost, stated: before }: Pick<SessionState, 'lost' | 'stated'>,
  stated: FeedLengths,
): { readonly gone: readonly string[]; readonly lost: readonly string[] } {
  const gone = [...before.keys()].filter((feed) => !stated.has(feed));
  return { gone, lost: gone.length === 0 ? lost : [...new Set([...lost, ...gone])] };
}

/** Feeds of which something was taken and nothing is shown now, where the peer is to be asked what became of them. */
export function goneFeeds({ greeted, progress, silent, stated, lost }: SessionState): readonly string[] {
  if (greeted === null || progress === null) return [];
  const closed = new Set(progress.closed.map(({ feed }) => feed));
  const gone = progress.cursors.filter(({ feed, after }) => after > 0 && silent.includes(feed) && !stated.has(feed));
  return gone.map(({ feed }) => feed).filter((feed) => lost.includes(feed) || !closed.has(feed));
}
