/** Puts what a session knows into what operators read: a state, and one sentence on what it waits for. */

import { type DisclosureRules, openFeeds } from '../core/disclosure.ts';
import type { PeerStatus } from '../core/peer-status.ts';
import { plural } from '../core/plural.ts';
import { isoMicros } from '../core/time.ts';
import type { PeerProgress } from '../journal/read-model.ts';
import { pinnedLogKey } from './declare.ts';
import type { SessionState } from './session-state.ts';
import { isUnconfirmed } from './waiting-key.ts';

/** Accepted entries that the peer has stated or proven and that we have not judged; null before the first contact. */
export function lagOf(session: SessionState): number | null {
  if (session.progress === null || session.lastContactAtMs === null) return null;
  return session.progress.cursors.reduce((lag, { feed, after, length }) => {
    const stated = Math.max(length, session.stated.get(feed) ?? 0);
    return lag + Math.max(0, stated - after);
  }, 0);
}

export function stateOf(session: SessionState): PeerStatus['state'] {
  if (session.progress?.suspended) return 'suspended';
  if (isUnconfirmed(session)) return 'pending';
  // Nothing is to be taken from it: there is nothing to wait for.
  if (session.peer.accept.length === 0) return 'current';
  if (session.phase === 'starting' || (session.greeted === null && session.progress?.declaration === null))
    return 'pending';
  if (session.phase === 'backing_off' || session.phase === 'waiting') return 'waiting';
  return (lagOf(session) ?? 0) > 0 || ['pulling', 'queued', 'slowed'].includes(session.phase)
    ? 'catching_up'
    : 'current';
}

/** Why the peer is not current, in words; null when it is. */
export function waitingOn(session: SessionState, nowMs: number): string | null {
  const { peer, progress, phase, attempts, lastError, absent } = session;
  if (progress?.suspended) {
    const { reason, since, auditSeq } = progress.suspended;
    return `suspended since ${since} for ${reason} (audit record ${auditSeq}): an operator decides, \`stigmem-peerd peer resume ${peer.name}\``;
  }
  if (isUnconfirmed(session)) return unconfirmedSentence(session);
  if (peer.accept.length === 0) return null;
  if (session.accept.length === 0 && phase !== 'starting') {
    return `nothing is accepted from this peer now: its file has no accept grant in force`;
  }
  if (session.keyChange !== null) {
    const { keys } = session.keyChange;
    const changes = keys.map(({ use, pinned, declared }) => `its ${use} key has changed from ${pinned} to ${declared}`);
    const given = keys.map(({ declared }) => declared).join(' ');
    return `${changes.join(', ')} without a succession: compare over another channel, then \`stigmem-peerd peer trust-key ${peer.name} --key ${given}\``;
  }
  if (phase === 'waiting') return 'the peer has no address in its file and has not connected yet';
  if (attempts.circuit === 'half_open')
    return `one trial that is under way, after ${failuresOf(session)}: ${lastError}`;
  if (phase === 'backing_off') {
    const seconds = Math.max(0, Math.ceil(((session.nextAttemptAtMs ?? nowMs) - nowMs) / 1000));
    const open = attempts.circuit === 'open' ? ' (circuit open)' : '';
    return `next try in ${seconds} s after ${failuresOf(session)}: ${lastError}${open}`;
  }
  if (phase === 'slowed')
    return 'a pause: more of its facts are refused than a peer may have judged in a second (federation.refused_per_second)';
  if (phase === 'queued') return 'its turn: other peers are being pulled';
  if (phase === 'starting') return 'the first contact';
  const lag = lagOf(session) ?? 0;
  if (lag > 0) return `catching up: ${plural(lag, 'entry', 'entries')} behind`;
  const closed = closedOf(session);
  if (closed.length > 0) return closed.map(closedSentence).join('; ');
  if (absent.length > 0)
    return `nothing of ${absent.join(', ')} from the peer so far: it has no facts there yet, or has not granted it to us, and does not tell which. Nothing may be wrong; where you expect facts, ask the partner`;
  if (phase !== 'pulling') return null;
  return progress?.checkpoint === null ? 'the first page' : 'its answer to a pull';
}

/** Nothing flows in either direction before this is done, so that it comes before every other reason but a suspension. */
function unconfirmedSentence({ peer: { name }, keyChange, lastError, phase }: SessionState): string {
  const declared = keyChange?.keys[0]?.declared;
  if (declared !== undefined)
    return `its log key has to be confirmed: compare ${declared} with the partner over another channel (it stands in its \`peer show self\`), then \`stigmem-peerd peer trust-key ${name} --key ${declared}\`, or put it as log_key into peers/${name}.toml. Until then nothing is taken from it and nothing given to it`;
  const why =
    phase === 'waiting'
      ? 'it has no address in its file and has not connected yet'
      : `it has not been reached yet${lastError === null ? '' : `: ${lastError}`}`;
  return `its log key has to be confirmed, and which one it declares is not known: ${why}. Ask the partner for it, or put it as log_key into peers/${name}.toml`;
}

function failuresOf({ attempts: { failures } }: SessionState): string {
  return plural(failures, 'failure');
}

/** The breaker: a suspension is one that only an operator closes. */
function circuitOf(session: SessionState): Pick<PeerStatus, 'circuit' | 'circuit_reason' | 'circuit_until'> {
  const { progress, attempts, lastError, nextAttemptAtMs } = session;
  if (progress?.suspended) {
    const { reason, auditSeq } = progress.suspended;
    const why = `suspended for ${reason} (audit record ${auditSeq})`;
    return { circuit: 'open', circuit_reason: why, circuit_until: null };
  }
  const { circuit } = attempts;
  if (circuit === 'closed') return { circuit, circuit_reason: null, circuit_until: null };
  return { circuit, circuit_reason: lastError, circuit_until: circuit === 'open' ? isoMs(nextAttemptAtMs) : null };
}

function isoMs(ms: number | null): string | null {
  return ms === null ? null : isoMicros(ms * 1000);
}

function closedSentence({ feed, to, closed_at }: PeerStatus['closed'][number]): string {
  return `its grant of ${feed} to us ended at ${closed_at}, behind entry ${to}: ask the partner for a new one`;
}

/** The session's part of what the API shows of a peer. */
export function describeSession(
  session: SessionState,
  rules: DisclosureRules,
  nowMs: number,
): Omit<PeerStatus, 'last_verdicts'> {
  const { peer, progress } = session;
  return {
    name: peer.name,
    node_id: peer.nodeId,
    peer_id: peer.peerId,
    addresses: peer.addresses,
    state: stateOf(session),
    waiting_on: waitingOn(session, nowMs),
    ...circuitOf(session),
    share: [...openFeeds(peer, rules, nowMs).keys()],
    accept: session.accept,
    namespaces: peer.namespaces,
    cursors: progress?.cursors ?? [],
    lag_entries: lagOf(session),
    checkpoint: progress?.checkpoint ? { size: progress.checkpoint.size, root: progress.checkpoint.root } : null,
    accepted: progress?.accepted ?? 0,
    refused: progress?.refused ?? 0,
    acknowledged: progress?.acknowledged ?? [],
    closed: closedOf(session),
    refused_of_ours: progress?.refusedOfOurs ?? [],
    pinned_log_key: pinnedOf(progress),
    key_changes: session.keyChange?.keys ?? [],
    last_contact_at: isoMs(session.lastContactAtMs),
    last_error: session.lastError,
    next_attempt_at: isoMs(session.nextAttemptAtMs),
    clock_skew_ms: session.greeted?.clockSkewMs ?? null,
  };
}

/** Opening a declaration checks signatures; a status is asked for far more often than a peer's progress is read. */
const pinnedKeys = new WeakMap<PeerProgress, string | null>();

function pinnedOf(progress: PeerProgress | null): string | null {
  if (progress === null || progress.declaration === null) return null;
  const known = pinnedKeys.get(progress);
  if (known !== undefined) return known;
  const key = pinnedLogKey(progress.declaration);
  pinnedKeys.set(progress, key);
  return key;
}

/** Feeds whose grant to us has ended, as the peer signed it, and that it has not shown again. */
function closedOf({ progress, stated }: SessionState): PeerStatus['closed'] {
  return progress?.closed.filter(({ feed }) => !stated.has(feed)) ?? [];
}
