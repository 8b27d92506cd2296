/** Permits to relay, as the journal's thread gives and takes them. Each is a record of the audit log, with the signed note. */
import type { HeldPermit } from '../core/disclosure.ts';
import { RELAY_PERMIT_MS } from '../core/limits.ts';
import { authorityOf } from '../core/node-id.ts';
import { receivedFeed } from '../core/scope.ts';
import { agoMs } from '../core/time.ts';
import type { AuditReader } from '../journal/audit-reader.ts';
import type { Journal } from '../journal/journal.ts';
import type { AuditRecord } from '../journal/read-model.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import type { TakenPermit } from '../pull/ask-permit.ts';
import { openRelayPermit, RELAYED_FEED, type RelayPermit, signRelayPermit } from '../wire/relay-permit.ts';
import { declaredLogOf } from './declared-log.ts';

/** Permits are the same text for so long: asking often makes no records. */
const GIVEN_ANEW_MS = 86_400_000;
/** A peer can sign another one whenever it is asked, each time with other words: a record of it is made once in this time. */
const TAKEN_APART_MS = 3_600_000;
/** One a day of each honest peer, of the last seven days. */
const MAX_RECORDS = 10_000;

export interface RelayMethods {
  /** @returns null while nothing can be signed, or when the permit would have ended */
  givePermit(relay: string, untilMs: number | null, nowMs: number): string | null;
  /** Verifies and records what a peer has signed for us. The error says why it is refused. */
  takePermit(peer: string, note: string, nowMs: number): TakenPermit;
  /** Permits that have not ended, by the feed that they are about; a later one of a feed is the newer one. */
  heldPermits(nowMs: number): readonly (readonly [feed: string, HeldPermit])[];
}

/** @param signer the log key under the journal's origin */
export function relayMethods(journal: Journal, audit: AuditReader, signer: LogSigner): RelayMethods {
  return {
    givePermit: (relay, untilMs, nowMs) => givePermit(journal, audit, signer, relay, untilMs, nowMs),
    takePermit(peer, note, nowMs) {
      const permit = judge(journal, peer, note, nowMs);
      const feed = feedOf(peer);
      if (typeof permit === 'string' || feed === null)
        return { kind: 'refused', code: typeof permit === 'string' ? permit : 'peer_unknown' };
      const last = newestRecord(audit, 'relay_permitted', peer);
      const isDue = last === undefined || agoMs(Date.parse(last.at), nowMs) >= TAKEN_APART_MS;
      if (isDue && last?.detail['note'] !== note)
        journal.audit({ event: 'relay_permitted', peer, feed, detail: { note, not_after: permit.notAfter } }, nowMs);
      return { kind: 'taken', feed, permit: { note, notAfterMs: Date.parse(permit.notAfter) } };
    },
    heldPermits(nowMs) {
      const since = new Date(nowMs - RELAY_PERMIT_MS).toISOString();
      const { records } = audit.page({ event: 'relay_permitted', since, order: 'asc', limit: MAX_RECORDS });
      return records.flatMap(({ peer, feed, detail: { note } }) => {
        const permit = typeof note === 'string' && peer !== null ? judge(journal, peer, note, nowMs) : null;
        if (permit === null || typeof permit === 'string' || typeof note !== 'string' || feed === null) return [];
        return [[feed, { note, notAfterMs: Date.parse(permit.notAfter) }] as const];
      });
    },
  };
}

function givePermit(
  journal: Journal,
  audit: AuditReader,
  signer: LogSigner,
  relay: string,
  untilMs: number | null,
  nowMs: number,
): string | null {
  if (journal.guard.isHeld) return null;
  const issuedMs = nowMs - (nowMs % GIVEN_ANEW_MS);
  const endMs = Math.min(issuedMs + RELAY_PERMIT_MS, untilMs ?? Number.MAX_SAFE_INTEGER);
  if (endMs <= nowMs) return null;
  const notAfter = new Date(endMs).toISOString();
  const note = signRelayPermit({ relay, issuedAt: new Date(issuedMs).toISOString(), notAfter }, signer);
  const record = {
    event: 'relay_permit_given',
    peer: relay,
    feed: RELAYED_FEED,
    detail: { note, not_after: notAfter },
  };
  if (newest(audit, record.event, relay) !== note) journal.audit(record, nowMs);
  return note;
}

/** The permit, or why it is refused. */
function judge(journal: Journal, peer: string, note: string, nowMs: number): RelayPermit | string {
  const log = declaredLogOf(journal, peer);
  if (log === null) return 'peer_unknown';
  const opened = log.keys.map((key) => openRelayPermit(note, { origin: log.origin, key }));
  const permit = opened.find(({ ok }) => ok) ?? opened[0];
  if (permit === undefined) return 'permit_signature_invalid';
  if (!permit.ok) return permit.error;
  if (permit.value.relay !== journal.identity.nodeId) return 'permit_not_for_us';
  return Date.parse(permit.value.notAfter) <= nowMs ? 'permit_expired' : permit.value;
}

function feedOf(peer: string): string | null {
  const feed = receivedFeed(authorityOf(peer) ?? '', RELAYED_FEED);
  return feed.ok ? feed.value : null;
}

/** The note of the newest record of its kind. */
function newest(audit: AuditReader, event: string, peer: string): unknown {
  return newestRecord(audit, event, peer)?.detail['note'];
}

function newestRecord(audit: AuditReader, event: string, peer: string): AuditRecord | undefined {
  return audit.page({ event, peer, order: 'desc', limit: 1 }).records[0];
}
