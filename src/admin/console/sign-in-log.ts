/** Who signed in and out, and who was not let in, as the audit log has it. */
import { type PersonId, personActor, personText } from '../../core/person.ts';
import type { AuditInput } from '../../journal/read-model.ts';
import { isStrangers } from '../../oidc/refusal.ts';
import { networkOf } from '../api/network-of.ts';
import type { Party } from '../party.ts';
import type { ConsoleDeps } from './deps.ts';
import { type Pace, RecordPace } from './record-pace.ts';
import type { SignedIn, SignInMethod } from './sessions.ts';

/**
 * Records of what anybody can bring about who reaches the console. Those beyond are counted, and told with the next: the log is kept
 * for ever, and strangers must not fill it.
 */
export const STRANGERS_BUDGET: Pace = { burst: 20, everyMs: 60_000 };
/** The same of each who has a key or an account at the provider, and of each of the three events: refusals hide no sign-in. */
export const ACTOR_BUDGET: Pace = { burst: 20, everyMs: 60_000 };

export interface NotLetIn {
  readonly method: SignInMethod;
  /** Stands in the record as its reason. */
  readonly code: string;
  readonly detail: string;
  readonly person?: PersonId | null;
  readonly name?: string | null;
}

export class SignInLog {
  readonly #deps: Pick<ConsoleDeps, 'audit' | 'events' | 'nowMs'>;
  readonly #strangers = new RecordPace(STRANGERS_BUDGET);
  readonly #known = new RecordPace(ACTOR_BUDGET);

  constructor(deps: Pick<ConsoleDeps, 'audit' | 'events' | 'nowMs'>) {
    this.#deps = deps;
  }

  async signedIn({ party, method, network }: SignedIn): Promise<void> {
    const { permissions, role } = party;
    const detail = { method, network, permissions, role };
    await this.#ofParty({ event: 'console_signed_in', actor: party.actor, detail }, party);
  }

  async signedOut(party: Party): Promise<void> {
    await this.#ofParty({ event: 'console_signed_out', actor: party.actor }, party);
  }

  async refused(not: NotLetIn, address: string | undefined): Promise<void> {
    const { method, code, detail: why, person = null, name } = not;
    const detail = { method, network: networkOf(address ?? ''), why };
    const actor = person === null ? null : personActor(person, name ?? 'unnamed');
    const record = { event: 'console_sign_in_refused', reason: code, actor, detail };
    if (isStrangers(code)) return this.#paced(record, this.#strangers, '');
    // A token that names nobody is a fault of the provider's: each kind of fault is seen.
    await this.#paced(record, this.#known, `refused ${person === null ? code : personText(person)}`);
  }

  #ofParty(input: AuditInput, { id }: Party): Promise<void> {
    return this.#paced(input, this.#known, `${input.event} ${id}`);
  }

  async #paced(input: AuditInput, pace: RecordPace, name: string): Promise<void> {
    const leftOut = pace.take(name, this.#deps.nowMs());
    if (leftOut === null) return;
    await this.#record(leftOut === 0 ? input : { ...input, detail: { ...input.detail, left_out: leftOut } });
  }

  /** A full disk or a guarded journal keeps nobody out: they are who mends it. The log of the program says what is missing. */
  async #record(input: AuditInput): Promise<void> {
    try {
      await this.#deps.audit(input);
    } catch (error) {
      this.#deps.events.requestFailed(`audit record ${input.event} of ${input.actor ?? 'nobody'}`, error);
    }
  }
}
