/** The journal's part in grants: the ledger of what was given, and the signed ends of grants, ours and those of peers. */
import { agoMs } from '../core/time.ts';
import type { AuditReader } from '../journal/audit-reader.ts';
import { type Disclosure, DisclosureRecords } from '../journal/disclosure-records.ts';
import type { Journal } from '../journal/journal.ts';
import type { AuditRecord } from '../journal/read-model.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import type { TakenClosures } from '../pull/ask-closures.ts';
import type { EndedFeed } from '../serve/answer-closure.ts';
import { type Closure, openClosure, signClosure } from '../wire/closure.ts';
import { declaredLogOf } from './declared-log.ts';

export interface GrantsMethods {
  /** Durable when it returns. */
  disclose(disclosure: Disclosure, nowMs: number): void;
  /** Signs the end of those feeds that the peer was given anything of. @throws JournalError `guarded` */
  giveClosures(peer: string, ended: readonly EndedFeed[], nowMs: number): readonly string[];
  /** Verifies and records what a peer signed about the end of its grants to us. @param feeds those that were asked about */
  takeClosures(peer: string, feeds: readonly string[], notes: readonly string[], nowMs: number): TakenClosures;
}

/**
 * A peer can sign the end of a feed anew whenever it is asked, each time with other words. It costs a record each time, so
 * that a feed's end is written down once in this time.
 */
const CLOSURE_PAUSE_MS = 600_000;

/** @param signer the log key under the journal's origin */
export function grantsMethods(journal: Journal, audit: AuditReader, signer: LogSigner): GrantsMethods {
  const ledger = new DisclosureRecords(journal.db);
  return {
    disclose: (disclosure, nowMs) => {
      const runs = ledger.missing(disclosure);
      if (runs.length > 0) journal.durably(() => ledger.save(disclosure, runs, nowMs * 1000));
    },
    giveClosures: (peer, ended, nowMs) => {
      journal.guard.assertOpen();
      return ended.flatMap((feed) => giveClosure(journal, audit, ledger, signer, peer, feed, nowMs));
    },
    takeClosures: (peer, feeds, notes, nowMs) => takeClosures(journal, audit, peer, feeds, notes, nowMs),
  };
}

function giveClosure(
  journal: Journal,
  audit: AuditReader,
  ledger: DisclosureRecords,
  signer: LogSigner,
  peer: string,
  { feed, closedAtMs }: EndedFeed,
  nowMs: number,
): string[] {
  const last = ledger.last(peer, feed);
  if (last === null) return [];
  const closedAt = new Date(closedAtMs).toISOString();
  const note = signClosure({ receiver: peer, feed, ...last, closedAt }, signer);
  if (newest(audit, 'grant_ended', peer, feed)?.detail['note'] !== note)
    journal.audit({ event: 'grant_ended', reason: 'grant_expired', peer, feed, detail: { note } }, nowMs);
  return [note];
}

function takeClosures(
  journal: Journal,
  audit: AuditReader,
  peer: string,
  feeds: readonly string[],
  notes: readonly string[],
  nowMs: number,
): TakenClosures {
  const refused: { code: string; note: string }[] = [];
  for (const note of notes) {
    const closure = judge(journal, peer, feeds, note);
    if (typeof closure === 'string') {
      refused.push({ code: closure, note });
      continue;
    }
    const { feed, reason, to, treeSize, closedAt } = closure;
    const last = newest(audit, 'feed_closed', peer, feed);
    if (last !== undefined && (last.detail['note'] === note || agoMs(Date.parse(last.at), nowMs) < CLOSURE_PAUSE_MS))
      continue;
    const detail = { closed_at: closedAt, note, to, tree_size: treeSize };
    journal.audit({ event: 'feed_closed', reason, peer, feed, detail }, nowMs);
  }
  return { refused };
}

/** The closure, or why it is refused. */
function judge(journal: Journal, peer: string, feeds: readonly string[], note: string): Closure | string {
  const log = declaredLogOf(journal, peer);
  if (log === null) return 'peer_unknown';
  const opened = log.keys.map((key) => openClosure(note, { origin: log.origin, key }));
  const closure = opened.find(({ ok }) => ok) ?? opened[0];
  if (closure === undefined) return 'closure_signature_invalid';
  if (!closure.ok) return closure.error;
  const { receiver, feed, to } = closure.value;
  if (receiver !== journal.identity.nodeId) return 'closure_not_for_us';
  if (!feeds.includes(feed)) return 'closure_not_asked';
  // It says that it gave less than we hold with its signature under it.
  return to < journal.peers.cursor(peer, feed) ? 'closure_behind' : closure.value;
}

/** The newest record of its kind. */
function newest(audit: AuditReader, event: string, peer: string, feed: string): AuditRecord | undefined {
  return audit.page({ event, peer, feed, order: 'desc', limit: 1 }).records[0];
}
