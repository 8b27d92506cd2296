/** What all steps of onboarding share: the records, one step at a time, and how a record is shown. */

import { openFeeds } from '../core/disclosure.ts';
import {
  type OnboardingRefusal,
  type OnboardingRefusalCode,
  type OnboardingView,
  roughly,
} from '../core/onboarding.ts';
import { err } from '../core/result.ts';
import { fingerprintWords } from '../wire/fingerprint-words.ts';
import { openPeerNote, type PeerNote, signPeerNote } from '../wire/peer-note.ts';
import type { OnboardDeps } from './deps.ts';
import { clashWith, defaultName, peerFileOf } from './new-peer.ts';
import { preflight } from './preflight.ts';
import { isExpired, isMet, isWaiting, type MetRecord, type OnboardingRecord } from './record.ts';
import { RecordFolder } from './record-folder.ts';

export class Desk {
  readonly deps: OnboardDeps;
  readonly records: RecordFolder;
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: OnboardDeps) {
    this.deps = deps;
    this.records = new RecordFolder(deps.folder, deps.nowMs(), (file, why) =>
      deps.logger.error({ file, why }, 'an onboarding record cannot be read: it admits nobody'),
    );
  }

  /** One step after the other: between looking at a record and writing it nobody else writes. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {}); // whoever waits for it is told
    return done;
  }

  /** What this node hands out of itself, signed now. */
  ownNote(): string {
    const { declaration, peerId, signer, addresses } = this.deps.self;
    return signPeerNote({ addresses: addresses(), declaration, peer_id: peerId }, signer);
  }

  /** Facts of this node in these feeds, two digits of it. */
  entriesIn(feeds: readonly string[]): number {
    const own = this.deps.feeds().filter(({ feed }) => feeds.includes(feed));
    return roughly(own.reduce((sum, { length }) => sum + length, 0));
  }

  wordsWith(partner: PeerNote): readonly string[] {
    return fingerprintWords(openedNote(this.ownNote()), partner);
  }

  /** The name of the peer file of somebody who comes now. */
  nameOf(record: Pick<OnboardingRecord, 'id' | 'name'>, nodeId: string): string {
    if (record.name !== null) return record.name;
    const waiting = this.records.all().filter((one) => one.id !== record.id && isWaiting(one));
    const taken = [...this.deps.peers(), ...waiting].flatMap(({ name }) => name ?? []);
    return defaultName(nodeId, new Set(taken));
  }

  async view(record: OnboardingRecord): Promise<OnboardingView> {
    const { id, by, state, name, made_ms, expires_ms, share, accept, until_ms } = record;
    const isOver = state === 'open' && isExpired(record, this.deps.nowMs());
    return {
      id,
      by,
      state: isOver ? 'expired' : state,
      name,
      made_at: new Date(made_ms).toISOString(),
      expires_at: isoOrNull(expires_ms),
      share,
      accept,
      until: isoOrNull(until_ms),
      partner: isMet(record) ? await this.#partnerView(record) : null,
    };
  }

  async #partnerView(record: MetRecord): Promise<OnboardingView['partner']> {
    const { deps } = this;
    const partner = openedNote(record.peer);
    const { nodeId, peerId, addresses } = partner;
    const [pinned = null] = await deps.journal.declarations([nodeId]);
    const [statements = []] = await deps.journal.successions([nodeId]);
    const isDone = record.state === 'confirming' || record.state === 'confirmed';
    const file = peerFileOf(record.name, partner, record);
    // As it will be once both have said yes: that confirms the key.
    const rules = { ...deps.rules, confirmed: new Set([nodeId]) };
    const checks = preflight({
      record,
      partner,
      file,
      rules,
      clash: isDone ? undefined : clashWith(partner, record.name, deps.peers()),
      kept: { pinned, statements },
      ownSoftware: deps.self.software,
      maxFutureSkewMs: deps.maxFutureSkewMs,
      tls: deps.tls(),
      whyNotDialled: deps.whyNotDialled,
      nowMs: deps.nowMs(),
    });
    return {
      node_id: nodeId,
      peer_id: peerId,
      addresses,
      words: this.wordsWith(partner),
      checks,
      takes_about: record.meeting?.entries ?? null,
      gives_about: this.entriesIn([...openFeeds(file, rules, deps.nowMs()).keys()]),
    };
  }
}

/** A note that was verified when it came, or that this node has just signed. */
export function openedNote(note: string): PeerNote {
  const opened = openPeerNote(note);
  if (!opened.ok) throw new TypeError(`a stored note does not verify: expected ${opened.error.expected}`);
  return opened.value;
}

export function refuse(
  code: OnboardingRefusalCode,
  message: string,
): { readonly ok: false; readonly error: OnboardingRefusal } {
  return err({ code, message });
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
