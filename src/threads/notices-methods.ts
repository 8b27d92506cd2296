/** The journal's part in refusal notices: signing ours, and taking those of peers. */

import { agoMs, isoMicros } from '../core/time.ts';
import { isPageReason } from '../core/verdict.ts';
import type { AuditReader } from '../journal/audit-reader.ts';
import { DisclosureRecords } from '../journal/disclosure-records.ts';
import type { Journal } from '../journal/journal.ts';
import type { AuditInput } from '../journal/read-model.ts';
import { isLater, RefusalNotices } from '../journal/refusal-notices.ts';
import { RESOLVED_EVENT, type RefusalGroup, ToldRefusals } from '../journal/told-refusals.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { refusedEntries } from '../pull/refused-entries.ts';
import { MAX_NOTICE_REQUEST_BYTES, type PendingNotices } from '../pull/send-notices.ts';
import type { NoticesTaken } from '../serve/answer-notice.ts';
import { MAX_NOTICES, openNotice, type RefusalNotice, signNotice } from '../wire/refusal-notice.ts';
import { declaredLogOf } from './declared-log.ts';

/** Feeds and reasons that are kept of one peer: 4 MiB of notices at most. */
const MAX_GROUPS_OF_PEER = 256;
/** Notices of one peer that change something: so many at once, then one a minute. Others come again. */
const BURST = 32;
const REFILL_MS = 60_000;

export interface NoticesMethods {
  /** Signed notices of what a peer has not been told yet. */
  pendingNotices(peer: string, nowMs: number): PendingNotices;
  /** The peer has taken our word about these. */
  noticesTaken(peer: string, groups: PendingNotices['groups']): void;
  takeNotices(peer: string, notices: readonly string[], nowMs: number): NoticesTaken;
}

/** @param signer the log key under the journal's origin */
export function noticesMethods(journal: Journal, audit: AuditReader, signer: LogSigner): NoticesMethods {
  const told = new ToldRefusals(journal.db);
  const desk = new NoticeDesk(journal);
  return {
    pendingNotices: (peer, nowMs) => {
      if (journal.guard.isHeld) return { notices: [], groups: [] };
      advance(journal, told, peer);
      resolvePages(journal, audit, told, peer, nowMs);
      return pending(audit, told, signer, peer);
    },
    noticesTaken: (peer, groups) =>
      journal.durably(() => {
        for (const group of groups) told.told(peer, group);
      }),
    takeNotices: (peer, notices, nowMs) => desk.take(peer, notices, nowMs),
  };
}

/** A peer can have a page refused, and the next one taken, as often as it connects: the end of it is recorded once in this time. */
const RESOLVED_APART_MS = 600_000;

/** A page that was refused is over when a later one of its feed was taken: the cursor has passed it. */
function resolvePages(journal: Journal, audit: AuditReader, told: ToldRefusals, peer: string, nowMs: number): void {
  const over = told.open(peer).filter(({ feed, reason, lastSeq }) => {
    const takenUs = isPageReason(reason) ? told.lastTakenUs(peer, feed) : undefined;
    if (takenUs === undefined || isoMicros(takenUs) <= happenedBy(audit, lastSeq, nowMs)) return false;
    const [last] = audit.page({ event: RESOLVED_EVENT, peer, feed, reason, order: 'desc', limit: 1 }).records;
    return last === undefined || agoMs(Date.parse(last.at), nowMs) >= RESOLVED_APART_MS;
  });
  for (const { feed, reason, refused, resolved, lastSeq } of over) {
    const detail = { count: refused - resolved, refused_by: lastSeq };
    journal.audit({ event: RESOLVED_EVENT, reason, peer, feed, detail }, nowMs);
  }
  if (over.length > 0) advance(journal, told, peer);
}

/** Records behind one that a wrong clock has dated ahead, among which one of the right time is looked for. */
const LOOKED_THROUGH = 1_000;

/** A time before which a record was made, ISO: its own, or, where a clock was ahead, that of the first record behind it since. */
function happenedBy(audit: AuditReader, seq: number, nowMs: number): string {
  const isPast = (at: string): boolean => Number.isFinite(agoMs(Date.parse(at), nowMs));
  const at = audit.record(seq)?.at ?? '';
  if (isPast(at)) return at;
  const { records } = audit.page({ cursor: seq, order: 'asc', limit: LOOKED_THROUGH });
  return records.find((record) => isPast(record.at))?.at ?? at;
}

/** On a full disk it is the commit that fails: what was read then is read again. */
function advance(journal: Journal, told: ToldRefusals, peer: string): void {
  told.advanced(
    peer,
    journal.durably(() => told.advance(peer)),
  );
}

function pending(audit: AuditReader, told: ToldRefusals, signer: LogSigner, peer: string): PendingNotices {
  const notices: string[] = [];
  const groups: RefusalGroup[] = [];
  let bytes = 0;
  for (const group of told.due(peer).slice(0, MAX_NOTICES)) {
    const note = signNotice(noticeOf(audit, peer, group), signer);
    bytes += Buffer.byteLength(JSON.stringify(note)) + 1;
    if (bytes > MAX_NOTICE_REQUEST_BYTES && notices.length > 0) break;
    notices.push(note);
    groups.push(group);
  }
  return { notices, groups };
}

function noticeOf(audit: AuditReader, peer: string, group: RefusalGroup): Omit<RefusalNotice, 'origin'> {
  const { feed, reason, refused, lastSeq } = group;
  const resolved = Math.min(refused, group.resolved);
  const at = new Date(audit.record(lastSeq)?.at ?? 0).toISOString();
  const entries = refusedEntries(audit, peer, group);
  return { author: peer, feed, reason, number: lastSeq, refused, resolved, at, entries };
}

/** Where notices of peers arrive. */
class NoticeDesk {
  readonly #journal: Journal;
  readonly #ledger: DisclosureRecords;
  readonly #notices: RefusalNotices;
  readonly #allowances = new Map<string, { tokens: number; atMs: number }>();

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#ledger = new DisclosureRecords(journal.db);
    this.#notices = new RefusalNotices(journal.db);
  }

  take(peer: string, notes: readonly string[], nowMs: number): NoticesTaken {
    const log = declaredLogOf(this.#journal, peer);
    if (log === null) return { taken: 0, changed: 0, dropped: [] };
    const dropped: string[] = [];
    let changed = 0;
    for (const [i, note] of notes.entries()) {
      const read = log.keys.map((key) => openNotice(note, { origin: log.origin, key }));
      const opened = read.find(({ ok }) => ok) ?? read[0];
      const notice = opened?.ok === true ? opened.value : null;
      const why = notice === null ? 'notice_invalid' : this.#whyNot(peer, notice);
      if (notice === null || why !== null) {
        if (why !== 'known') dropped.push(why ?? 'notice_invalid');
        continue;
      }
      if (!this.#isAllowed(peer, nowMs)) return { taken: i, changed, dropped };
      this.#save(peer, notice, note, nowMs);
      changed++;
    }
    return { taken: notes.length, changed, dropped };
  }

  /** Why a notice that the peer signed is not taken; null: it is. A peer speaks about what we gave it, and of nothing else. */
  #whyNot(peer: string, notice: RefusalNotice): string | null {
    if (notice.author !== this.#journal.identity.nodeId) return 'notice_not_for_us';
    const { feed, refused, resolved, entries } = notice;
    const given = this.#ledger.last(peer, feed);
    if (given === null) return 'notice_not_given';
    if (entries.length === 0 && resolved < refused) return 'notice_names_nothing';
    if (entries.some(({ feed_seq }) => feed_seq !== null) && refused > given.to) return 'notice_not_given';
    if (!entries.every(({ feed_seq, chain_seq }) => this.#wasGiven(peer, feed, feed_seq, chain_seq)))
      return 'notice_not_given';
    const stored = this.#notices.find(peer, notice);
    if (stored === undefined) return this.#notices.count(peer) < MAX_GROUPS_OF_PEER ? null : 'notice_too_many';
    return isLater(notice, stored) ? null : 'known';
  }

  #wasGiven(peer: string, feed: string, feedSeq: number | null, chainSeq: number | null): boolean {
    if (feedSeq === null) return chainSeq === null;
    if (this.#ledger.ofFact(peer, feed, feedSeq).length === 0) return false;
    const own = this.#notices.ownChainSeq(feed, feedSeq);
    return own !== undefined && (chainSeq === null || chainSeq === own);
  }

  /** One transaction: a notice that is stored is in the audit log, and it is stored once. */
  #save(peer: string, notice: RefusalNotice, note: string, nowMs: number): void {
    const before = this.#notices.find(peer, notice);
    const save = (): void => this.#notices.save(peer, notice, note, nowMs * 1000);
    const event = eventOf(before === undefined ? 0 : before.refused - before.resolved, notice);
    if (event === null) this.#journal.durably(save);
    else this.#journal.audit(recordOf(event, peer, notice), nowMs, save);
  }

  #isAllowed(peer: string, nowMs: number): boolean {
    const { tokens, atMs } = this.#allowances.get(peer) ?? { tokens: BURST, atMs: nowMs };
    const refilled = Math.min(BURST, tokens + Math.max(0, nowMs - atMs) / REFILL_MS);
    this.#allowances.set(peer, { tokens: refilled < 1 ? refilled : refilled - 1, atMs: nowMs });
    return refilled >= 1;
  }
}

/** A record when the first stands, when none stands any more, and each time that their number has doubled. */
function eventOf(before: number, { refused, resolved }: RefusalNotice): string | null {
  const now = refused - resolved;
  if (now === 0) return 'refusal_notice_resolved';
  const isMore = before === 0 || Math.floor(Math.log2(now)) > Math.floor(Math.log2(before));
  return isMore ? 'refusal_notice_received' : null;
}

function recordOf(event: string, peer: string, notice: RefusalNotice): AuditInput {
  const { feed, reason, number, refused, resolved, entries } = notice;
  const [newest] = entries;
  const places = entries.map(({ feed_seq }) => feed_seq).filter((seq) => seq !== null);
  const detail = { difference: newest?.difference ?? null, number, places, refused, resolved };
  return { event, reason, peer, feed, cid: newest?.cid ?? null, chainSeq: newest?.chain_seq ?? null, detail };
}
