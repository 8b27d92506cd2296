/**
 * The operator's yes or no. A yes is written down first and then carried out: declaration pinned, peer file made, record
 * closed. Each step may be done again, so a crash between them is mended by going on at the next start.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../config/atomic-file.ts';
import { PEER_SUFFIX } from '../config/peer-file.ts';
import { formatPeerFile } from '../config/peer-text.ts';
import type { OnboardingRefusal, OnboardingView } from '../core/onboarding.ts';
import { ok, type Result } from '../core/result.ts';
import { type Desk, openedNote, refuse } from './desk.ts';
import { clashWith, faultOf, type Partner, peerFileOf } from './new-peer.ts';
import { isWaiting, type MetRecord } from './record.ts';

const PEER_FILE_MODE = 0o600;

/** @param words that the operator has compared: those on the other side's screen */
export async function confirm(
  desk: Desk,
  name: string,
  words: readonly string[],
  actor: string,
): Promise<Result<OnboardingView, OnboardingRefusal>> {
  return desk.inTurn(async () => {
    const record = waitingFor(desk, name);
    if (record === undefined) return refuse('not_found', nobodyWaits(name));
    const partner = openedNote(record.peer);
    if (desk.wordsWith(partner).join(' ') !== words.join(' ')) {
      const message = `the words are not those of this node and ${partner.nodeId} with ${partner.peerId}. If they are those on the partner’s screen, somebody sits in between: reject it (peer reject ${record.name}), and tell the partner over another channel`;
      await desk.deps.journal.audit({
        event: 'peer_words_differ',
        actor,
        peer: partner.nodeId,
        detail: { id: record.id },
      });
      return refuse('words_differ', message);
    }
    if (record.state === 'pending') {
      const file = fileThere(desk, record, partner);
      if (file !== null)
        return refuse(
          'peer_exists',
          `expected a new partner, got one whose id, key or name is in peers/${file} already`,
        );
      const fault = faultOf(peerFileOf(record.name, partner, record));
      if (fault !== null) return refuse('invitation_invalid', fault);
    }
    const said = { ...record, state: 'confirming' as const, confirmed_by: record.confirmed_by ?? actor };
    if (record.state === 'pending') desk.records.put(said);
    return ok(await carryOut(desk, said));
  });
}

/** Goes on with every yes that a crash has interrupted. */
export async function carryOutAll(desk: Desk): Promise<void> {
  for (const record of desk.records.all())
    if (record.state === 'confirming' && isWaiting(record))
      await carryOut(desk, record).catch((error: unknown) =>
        desk.deps.logger.error({ error, partner: record.name }, 'a confirmed partner is not added yet'),
      );
}

async function carryOut(desk: Desk, record: MetRecord): Promise<OnboardingView> {
  const { deps } = desk;
  const partner = openedNote(record.peer);
  const { nodeId, peerId, declarationNote } = partner;
  const [pinned = null] = await deps.journal.declarations([nodeId]);
  if (pinned !== declarationNote) {
    const detail = { id: record.id, name: record.name, peer_id: peerId, share: record.share, accept: record.accept };
    const input = { event: 'peer_confirmed', actor: record.confirmed_by, peer: nodeId, detail };
    // One that is pinned from before stays: whether its keys may change is asked when the partner is met.
    if ((await deps.journal.pinIfNew(nodeId, declarationNote, input)) === undefined) await deps.journal.audit(input);
  }
  // There was none at the yes: one that is there now was written right before a crash, and somebody may have changed it since.
  if (fileThere(desk, record, partner) === null)
    writeFileAtomically(
      peerFilePath(desk, record),
      formatPeerFile(peerFileOf(record.name, partner, record)),
      PEER_FILE_MODE,
    );
  const confirmed = { ...record, state: 'confirmed' as const };
  desk.records.put(confirmed);
  return desk.view(confirmed);
}

/** The name of a file that stands for the partner, or in its place; null: there is none. */
function fileThere(desk: Desk, record: MetRecord, partner: Partner): string | null {
  const clash = clashWith(partner, record.name, desk.deps.peers());
  if (clash !== undefined) return `${clash.name}${PEER_SUFFIX}`;
  // A file that cannot be read names nobody, and is somebody's all the same.
  return existsSync(peerFilePath(desk, record)) ? `${record.name}${PEER_SUFFIX}` : null;
}

function peerFilePath({ deps }: Desk, { name }: MetRecord): string {
  return join(deps.peersFolder, `${name}${PEER_SUFFIX}`);
}

export async function reject(
  desk: Desk,
  name: string,
  actor: string,
): Promise<Result<OnboardingView, OnboardingRefusal>> {
  return desk.inTurn(async () => {
    const record = waitingFor(desk, name);
    if (record === undefined) return refuse('not_found', nobodyWaits(name));
    if (record.state !== 'pending')
      return refuse('not_pending', `${record.name} is confirmed already: stigmem-peerd peer remove ${record.name}`);
    const { nodeId, peerId } = openedNote(record.peer);
    await desk.deps.journal.audit({
      event: 'peer_rejected',
      actor,
      peer: nodeId,
      detail: { id: record.id, peer_id: peerId },
    });
    const rejected = { ...record, state: 'rejected' as const };
    desk.records.put(rejected);
    desk.deps.onGuests();
    return ok(await desk.view(rejected));
  });
}

/** By name or id. */
function waitingFor(desk: Desk, name: string): MetRecord | undefined {
  return desk.records
    .all()
    .filter(isWaiting)
    .find((record) => record.name === name || record.id === name);
}

function nobodyWaits(name: string): string {
  return `expected a partner that waits to be confirmed, got ${JSON.stringify(name.slice(0, 80))}: see peer invites`;
}
