/** Our codes: making them, letting their holders in as far as one question, and what they are answered. */
import { nodeIdFault } from '../config/checks.ts';
import type { OnboardingRefusal, OnboardingTerms, OnboardingView } from '../core/onboarding.ts';
import { ok, type Result } from '../core/result.ts';
import { rawKeyOf } from '../transport/identity.ts';
import type { AllowedPeer } from '../transport/peers.ts';
import {
  decodeInviteRequest,
  encodeInviteAnswer,
  type InviteRefusal,
  type InviteRequest,
  openJoin,
} from '../wire/invite.ts';
import { encodeInviteCode, guestSeedOf, INVITE_SECRET_BYTES, MAX_INVITE_TEXT_BYTES } from '../wire/invite-code.ts';
import type { PeerNote } from '../wire/peer-note.ts';
import { INVITE_PROTOCOL } from '../wire/protocols.ts';
import { type Desk, openedNote, refuse } from './desk.ts';
import { readTerms } from './new-peer.ts';
import { isExpired, type OnboardingRecord, recordId } from './record.ts';

/** Codes that are out, or whose holder waits for a decision. */
const MAX_INVITATIONS = 16;
/** Of one code, by identities that it is not for: then it is closed until it expires or this node starts anew. */
const MAX_STRANGERS = 10;

export interface NewInvitation {
  readonly terms: OnboardingTerms;
  readonly validForS: number;
}

/** Who holds a code, as the connection has proved it. */
interface Guest {
  readonly peerId: string;
  readonly remoteAddr: string;
}

interface Joined {
  readonly asked: InviteRequest;
  readonly partner: PeerNote;
}

export class Invitations {
  readonly #desk: Desk;
  readonly #strangers = new Map<string, number>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** @returns the code, which is shown once and kept nowhere */
  async create(
    { terms, validForS }: NewInvitation,
    actor: string,
  ): Promise<Result<{ readonly code: string; readonly view: OnboardingView }, OnboardingRefusal>> {
    const { deps, records } = this.#desk;
    const { authority, peerId, addresses } = deps.self;
    const read = readTerms(terms, peerId, deps.nowMs());
    if (!read.ok) return refuse('invitation_invalid', read.error);
    const secret = deps.randomBytes(INVITE_SECRET_BYTES);
    const nodeKey = rawKeyOf(peerId);
    const guest = await deps.peerIdOfSeed(guestSeedOf({ secret, nodeKey }));
    const madeMs = deps.nowMs();
    const expiresS = Math.floor(madeMs / 1_000) + validForS;
    const { share, accept, until_ms } = read.value;
    const untilS = until_ms === null ? null : Math.floor(until_ms / 1_000);
    const code = encodeInviteCode({
      nodeKey,
      secret,
      expiresS,
      authority,
      addresses: addresses().filter((address) => Buffer.byteLength(address) <= MAX_INVITE_TEXT_BYTES),
      share,
      accept,
      untilS,
    });
    const record = newRecord({ ...read.value, guest, made_ms: madeMs, expires_ms: expiresS * 1_000 });
    return this.#desk.inTurn(async () => {
      if (records.all().filter((one) => this.#isOut(one)).length >= MAX_INVITATIONS) {
        const message = `expected fewer than ${MAX_INVITATIONS} invitations that are open or wait for a decision: revoke one (peer invites)`;
        return refuse('too_many_invitations', message);
      }
      const expires_at = new Date(expiresS * 1_000).toISOString();
      const detail = { id: record.id, share, accept, until: terms.until, expires_at };
      await deps.journal.audit({ event: 'invite_created', actor, detail });
      records.put(record);
      return ok({ code, view: await this.#desk.view(record) });
    });
  }

  async revoke(id: string, actor: string): Promise<Result<OnboardingView, OnboardingRefusal>> {
    const { deps, records } = this.#desk;
    return this.#desk.inTurn(async () => {
      const record = records.get(id);
      if (record === undefined || record.by !== 'invite') return refuse('not_found', `no invitation ${id}`);
      if (record.state !== 'open') {
        const message = `expected an open invitation, got one that is ${record.state}: peer reject NAME refuses who came with it`;
        return refuse('not_pending', message);
      }
      await deps.journal.audit({ event: 'invite_revoked', actor, detail: { id } });
      const revoked = { ...record, state: 'revoked' as const };
      records.put(revoked);
      deps.onGuests();
      return ok(await this.#desk.view(revoked));
    });
  }

  /** Who may come with one of our codes now, for this one protocol. */
  guests(): readonly AllowedPeer[] {
    const { deps, records } = this.#desk;
    const nowMs = deps.nowMs();
    return records.all().flatMap((record) => {
      const { guest } = record;
      return guest !== null && this.#isAdmitted(record, nowMs)
        ? [{ peerId: guest, addresses: [], only: INVITE_PROTOCOL }]
        : [];
    });
  }

  /** Answers the holder of a code; undefined for nobody's guest. */
  async answer(request: Uint8Array, from: Guest): Promise<Uint8Array | undefined> {
    const { self } = this.#desk.deps;
    const joined = openRequest(request, { inviterPeerId: self.peerId, guestPeerId: from.peerId });
    return this.#desk.inTurn(async () => {
      const record = this.#desk.records.get(recordId(from.peerId));
      if (record === undefined || !this.#isAdmitted(record, this.#desk.deps.nowMs())) return undefined;
      if (joined === null || joined.partner.nodeId === self.nodeId)
        return this.#refuse('refused', record, from, joined?.partner ?? null);
      return this.#take(record, joined, from);
    });
  }

  /** The same identity may come again with the same code: whichever side died in between, it gets the same answer. */
  async #take(record: OnboardingRecord, { asked, partner }: Joined, from: Guest): Promise<Uint8Array> {
    const { deps, records } = this.#desk;
    if (record.peer !== null && openedNote(record.peer).peerId !== partner.peerId)
      return this.#refuse('used', record, from, partner);
    if (record.state === 'open') {
      const detail = { id: record.id, peer_id: partner.peerId, remote_addr: from.remoteAddr };
      await deps.journal.audit({ event: 'invite_used', peer: partner.nodeId, detail });
    }
    if (record.state === 'open' || record.state === 'pending') {
      const { clock_ms, entries, protocols, software, peer } = asked;
      const meeting = { clock_ms, entries, met_ms: deps.nowMs(), protocols, software, seen_at: from.remoteAddr };
      // This one write makes the code nobody else's.
      records.put({ ...record, state: 'pending', name: this.#desk.nameOf(record, partner.nodeId), peer, meeting });
    }
    const { software, protocols } = deps.self;
    const entries = this.#desk.entriesIn(record.share);
    return encodeInviteAnswer({ clock_ms: deps.nowMs(), entries, peer: this.#desk.ownNote(), protocols, software });
  }

  async #refuse(
    reason: InviteRefusal,
    record: OnboardingRecord,
    from: Guest,
    who: PeerNote | null,
  ): Promise<Uint8Array> {
    const { deps } = this.#desk;
    const strangers = (this.#strangers.get(record.id) ?? 0) + 1;
    this.#strangers.set(record.id, strangers);
    const detail = { id: record.id, peer_id: who?.peerId ?? null, remote_addr: from.remoteAddr };
    await deps.journal.audit({ event: 'invite_refused', reason, peer: who?.nodeId ?? null, detail });
    if (strangers >= MAX_STRANGERS) deps.onGuests();
    return encodeInviteAnswer(reason);
  }

  #isOut(record: OnboardingRecord): boolean {
    if (record.by !== 'invite') return false;
    const isOpen = record.state === 'open' && !isExpired(record, this.#desk.deps.nowMs());
    return isOpen || record.state === 'pending' || record.state === 'confirming';
  }

  #isAdmitted(record: OnboardingRecord, nowMs: number): boolean {
    const isOpen = record.state !== 'revoked' && record.state !== 'rejected';
    const isQuiet = (this.#strangers.get(record.id) ?? 0) < MAX_STRANGERS;
    return record.by === 'invite' && isOpen && isQuiet && !isExpired(record, nowMs);
  }
}

function newRecord(
  given: Pick<OnboardingRecord, 'share' | 'accept' | 'until_ms' | 'name' | 'made_ms' | 'expires_ms'> & {
    readonly guest: string;
  },
): OnboardingRecord {
  return {
    ...given,
    id: recordId(given.guest),
    by: 'invite',
    confirmed_by: null,
    state: 'open',
    meeting: null,
    peer: null,
    v: 1,
  };
}

/** A request that verifies, of a node that could be a partner; null for any other. */
function openRequest(request: Uint8Array, target: Parameters<typeof openJoin>[1]): Joined | null {
  const decoded = decodeInviteRequest(request);
  if (!decoded.ok) return null;
  const opened = openJoin(decoded.value, target);
  // A record must not even name who calls itself as a drill does: it would pass for one of a drill.
  if (!opened.ok || nodeIdFault(opened.value.nodeId) !== null) return null;
  return { asked: decoded.value, partner: opened.value };
}
