/** Two nodes become partners: by a code or by files, and by two people who say yes. Nothing is trusted at first use. */
import { nodeIdFault } from '../config/checks.ts';
import type { OnboardingRefusal, OnboardingTerms, OnboardingView } from '../core/onboarding.ts';
import { ok, type Result } from '../core/result.ts';
import type { AnswerContext } from '../transport/answer.ts';
import type { AllowedPeer } from '../transport/peers.ts';
import { openPeerNote } from '../wire/peer-note.ts';
import { carryOutAll, confirm, reject } from './decide.ts';
import type { OnboardDeps } from './deps.ts';
import { Desk, refuse } from './desk.ts';
import { Invitations, type NewInvitation } from './invitations.ts';
import { joinInvitation } from './join-invitation.ts';
import { readTerms } from './new-peer.ts';
import { isWaiting, type OnboardingRecord, recordId } from './record.ts';

type Outcome<T> = Promise<Result<T, OnboardingRefusal>>;

export class Onboarding {
  readonly #desk: Desk;
  readonly #invitations: Invitations;

  private constructor(desk: Desk) {
    this.#desk = desk;
    this.#invitations = new Invitations(desk);
  }

  /** Reads the records and ends what was begun. */
  static async open(deps: OnboardDeps): Promise<Onboarding> {
    const desk = new Desk(deps);
    await carryOutAll(desk);
    return new Onboarding(desk);
  }

  guests(): readonly AllowedPeer[] {
    return this.#invitations.guests();
  }

  async *answer(request: Uint8Array, context: AnswerContext): AsyncGenerator<Uint8Array> {
    const frame = await this.#invitations.answer(request, context);
    if (frame !== undefined) yield frame;
  }

  invite(invitation: NewInvitation, actor: string): Outcome<{ readonly code: string; readonly view: OnboardingView }> {
    return this.#invitations.create(invitation, actor);
  }

  revoke(id: string, actor: string): Outcome<OnboardingView> {
    return this.#invitations.revoke(id, actor);
  }

  join(code: string, name: string | null, actor: string): Outcome<OnboardingView> {
    return joinInvitation(this.#desk, code, name, actor);
  }

  /** What this node hands to a future partner, signed now. */
  ownNote(): string {
    return this.#desk.ownNote();
  }

  /** Takes a note that a partner has sent as a file. */
  async take(note: string, terms: OnboardingTerms, actor: string): Outcome<OnboardingView> {
    const { deps, records } = this.#desk;
    const opened = openPeerNote(note);
    if (!opened.ok) {
      // Not what was there instead: the file is a stranger's, and the message goes to a terminal.
      const { at, expected } = opened.error;
      const place = at === '' ? '' : `${at}: `;
      const message = `expected the output of peer declaration, whole and unchanged: ${place}expected ${expected}`;
      return refuse('declaration_invalid', message);
    }
    const { nodeId, peerId } = opened.value;
    if (nodeId === deps.self.nodeId || peerId === deps.self.peerId)
      return refuse('declaration_invalid', 'this is the declaration of this node itself: give it to the partner');
    const fault = nodeIdFault(nodeId);
    if (fault !== null) return refuse('declaration_invalid', `expected the declaration of a partner: ${fault}`);
    const read = readTerms(terms, deps.self.peerId, deps.nowMs());
    if (!read.ok) return refuse('invitation_invalid', read.error);
    return this.#desk.inTurn(async () => {
      const id = recordId(peerId);
      const before = records.get(id);
      if (before?.state === 'confirming') return ok(await this.#desk.view(before));
      const record: OnboardingRecord = {
        ...read.value,
        by: 'file',
        confirmed_by: null,
        expires_ms: null,
        guest: null,
        id,
        made_ms: deps.nowMs(),
        meeting: null,
        name: this.#desk.nameOf({ id, name: read.value.name }, nodeId),
        peer: note,
        state: 'pending',
        v: 1,
      };
      await deps.journal.audit({
        event: 'peer_pending',
        actor,
        peer: nodeId,
        detail: { id, by: 'file', peer_id: peerId },
      });
      records.put(record);
      return ok(await this.#desk.view(record));
    });
  }

  confirm(name: string, words: readonly string[], actor: string): Outcome<OnboardingView> {
    return confirm(this.#desk, name, words, actor);
  }

  reject(name: string, actor: string): Outcome<OnboardingView> {
    return reject(this.#desk, name, actor);
  }

  /** All that is known, oldest first. */
  async list(): Promise<readonly OnboardingView[]> {
    return Promise.all(this.#desk.records.all().map((record) => this.#desk.view(record)));
  }

  /** One by its id, or by the name of a partner that waits. */
  async get(id: string): Promise<OnboardingView | undefined> {
    const records = this.#desk.records.all();
    const record = records.find((one) => one.id === id) ?? records.filter(isWaiting).find(({ name }) => name === id);
    return record === undefined ? undefined : this.#desk.view(record);
  }
}
