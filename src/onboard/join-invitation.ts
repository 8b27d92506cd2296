/** The other side of a code: who invites is dialled under a passing identity, asked, and kept as a partner that waits. */
import { addressFault, authorityFault } from '../config/checks.ts';
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import type { OnboardingRefusal, OnboardingView } from '../core/onboarding.ts';
import { ok, type Result } from '../core/result.ts';
import { TransportError } from '../transport/errors.ts';
import { peerIdOf } from '../transport/identity.ts';
import { decodeInviteAnswer, encodeInviteRequest, type InviteSelf, signJoin } from '../wire/invite.ts';
import { decodeInviteCode, guestSeedOf, type InviteCode, type InviteCodeFault } from '../wire/invite-code.ts';
import { openPeerNote } from '../wire/peer-note.ts';
import { INVITE_PROTOCOL } from '../wire/protocols.ts';
import { type Desk, refuse } from './desk.ts';
import { readTerms, type Terms } from './new-peer.ts';
import { type OnboardingRecord, recordId } from './record.ts';

/** Less than the API gives a whole request. */
const ASK_MS = 20_000;

interface Invitation {
  readonly code: InviteCode;
  readonly inviterPeerId: string;
  /** From our side: what the inviter shares we accept. */
  readonly terms: Terms;
  readonly seed: Uint8Array;
  readonly guestPeerId: string;
}

/** Uses a code. Used again by this node, before or after a crash, it gives the same. */
export async function joinInvitation(
  desk: Desk,
  text: string,
  name: string | null,
  actor: string,
): Promise<Result<OnboardingView, OnboardingRefusal>> {
  const invitation = await readInvitation(desk, text, name);
  if (!invitation.ok) return invitation;
  const known = desk.records.get(recordId(invitation.value.guestPeerId));
  if (known?.state === 'confirming' || known?.state === 'confirmed') return ok(await desk.view(known));
  const told = await ask(desk, invitation.value);
  if (!told.ok) return told;
  return keep(desk, invitation.value, told.value, actor);
}

async function readInvitation(
  { deps }: Desk,
  text: string,
  name: string | null,
): Promise<Result<Invitation, OnboardingRefusal>> {
  const decoded = decodeInviteCode(text);
  if (!decoded.ok) return refuse('code_invalid', CODE_FAULT[decoded.error]);
  const code = decoded.value;
  const nowMs = deps.nowMs();
  const expiresAt = new Date(code.expiresS * 1_000).toISOString();
  if (nowMs >= code.expiresS * 1_000)
    return refuse(
      'code_expired',
      `the code ended at ${expiresAt}, and this clock says ${new Date(nowMs).toISOString()}: ask for a new one`,
    );
  const inviterPeerId = peerIdOf(code.nodeKey);
  if (inviterPeerId === deps.self.peerId)
    return refuse('own_code', 'this is a code of this node itself: give it to the partner');
  const fault = authorityFault(code.authority);
  if (fault !== null) return refuse('code_invalid', `the code names no node that can be a partner: ${fault}`);
  const badAddress = code.addresses.find((address) => addressFault(address) !== null);
  if (badAddress !== undefined || code.addresses.length === 0)
    return refuse(
      'code_invalid',
      'the code names no address that can be dialled: the inviter has to set listen.announce',
    );
  const until = code.untilS === null ? null : new Date(code.untilS * 1_000).toISOString();
  const terms = readTerms({ share: code.accept, accept: code.share, until, name }, deps.self.peerId, nowMs);
  if (!terms.ok) return refuse('code_invalid', terms.error);
  const seed = guestSeedOf(code);
  return ok({ code, inviterPeerId, terms: terms.value, seed, guestPeerId: await deps.peerIdOfSeed(seed) });
}

const CODE_FAULT: Readonly<Record<InviteCodeFault, string>> = {
  no_code: 'expected a code that begins with stigmem1, got another text',
  garbled: 'the code is not whole: a character was lost or changed on the way; copy it again',
  unknown_version: 'the code is of another version of this program: upgrade the older side',
};

async function ask(desk: Desk, invitation: Invitation): Promise<Result<InviteSelf, OnboardingRefusal>> {
  const { code, inviterPeerId, guestPeerId, seed, terms } = invitation;
  const { deps } = desk;
  const peer = desk.ownNote();
  const { software, protocols, signer } = deps.self;
  const request = encodeInviteRequest({
    clock_ms: deps.nowMs(),
    entries: desk.entriesIn(terms.share),
    join: signJoin({ inviterPeerId, guestPeerId, peer }, signer),
    peer,
    protocols,
    software,
  });
  const guest = await deps.openGuest(seed, {
    peerId: inviterPeerId,
    addresses: code.addresses,
    addressesFrom: 'peer',
  });
  try {
    const limits = { idleMs: ASK_MS, totalMs: ASK_MS, maxFrameBytes: MAX_REQUEST_BYTES };
    let frame: Uint8Array | undefined;
    for await (const answer of guest.request(inviterPeerId, INVITE_PROTOCOL, request, limits)) frame ??= answer;
    return frame === undefined ? refuse('not_let_in', NOT_OPEN) : readAnswer(frame);
  } catch (thrown) {
    if (thrown instanceof TransportError) return explained(thrown, code.addresses);
    throw thrown;
  } finally {
    await guest.stop({ graceMs: 0 });
  }
}

const NOT_OPEN =
  'the inviter hung up before the first word: the invitation is not open there. It may have ended, been revoked or been used by somebody else; ask for a new one';

function readAnswer(frame: Uint8Array): Result<InviteSelf, OnboardingRefusal> {
  const answer = decodeInviteAnswer(frame);
  if (!answer.ok) {
    const { at, expected } = answer.error;
    return refuse('answer_invalid', `the inviter’s answer cannot be read: ${at}: expected ${expected}`);
  }
  if (answer.value === 'used') {
    const message =
      'another node has used this code: it has leaked. Tell the inviter at once, over another channel, and ask for a new one';
    return refuse('code_used', message);
  }
  if (answer.value === 'refused') return refuse('answer_invalid', 'the inviter could not verify what this node sent');
  return ok(answer.value);
}

/** Who is refused at the gate, and who reaches nobody, learn it as errors of the connection. */
function explained({ code, message }: TransportError, addresses: readonly string[]): Result<never, OnboardingRefusal> {
  const isReached = code === 'refused' || code === 'reset' || code === 'closed' || code === 'truncated';
  if (isReached) return refuse('not_let_in', NOT_OPEN);
  return refuse('unreachable', `the inviter was not reached at ${addresses.join(' ')}: ${message}`);
}

/** Nothing is believed of the answer but what the key in the code has signed. */
async function keep(
  desk: Desk,
  { code, inviterPeerId, guestPeerId, terms }: Invitation,
  told: InviteSelf,
  actor: string,
): Promise<Result<OnboardingView, OnboardingRefusal>> {
  const { deps, records } = desk;
  const opened = openPeerNote(told.peer);
  const nodeId = `stigmem://${code.authority}`;
  if (!opened.ok || opened.value.peerId !== inviterPeerId || opened.value.nodeId !== nodeId)
    return refuse('answer_invalid', `the inviter’s note is not one of ${nodeId} with the key in the code`);
  const { clock_ms, entries, protocols, software, peer } = told;
  const seenAt = code.addresses.join(' ').slice(0, 512);
  return desk.inTurn(async () => {
    const id = recordId(guestPeerId);
    const before = records.get(id);
    if (before?.state === 'confirming' || before?.state === 'confirmed') return ok(await desk.view(before));
    const record: OnboardingRecord = {
      ...terms,
      by: 'join',
      confirmed_by: null,
      expires_ms: code.expiresS * 1_000,
      guest: guestPeerId,
      id,
      made_ms: before?.made_ms ?? deps.nowMs(),
      meeting: { clock_ms, entries, met_ms: deps.nowMs(), protocols, seen_at: seenAt, software },
      name: desk.nameOf({ id, name: terms.name ?? before?.name ?? null }, nodeId),
      peer,
      state: 'pending',
      v: 1,
    };
    if (before?.state !== 'pending')
      await deps.journal.audit({
        event: 'peer_pending',
        actor,
        peer: nodeId,
        detail: { id, by: 'join', peer_id: inviterPeerId },
      });
    records.put(record);
    return ok(await desk.view(record));
  });
}
