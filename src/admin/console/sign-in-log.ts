/** Who signed in and out, and who was not let in, as the audit log has it. */
import type { PersonId } from '../../core/person.ts';
import { personActor } from '../../core/person.ts';
import { isStrangers } from '../../oidc/refusal.ts';
import { networkOf } from '../api/network-of.ts';
import type { Party } from '../party.ts';
import type { ConsoleDeps } from './deps.ts';
import type { SignedIn, SignInMethod } from './sessions.ts';

/**
 * Records of what anybody can bring about who reaches the console. Those beyond are counted, and told with the next: the log is kept
 * for ever, and strangers must not fill it.
 */
export const STRANGERS_BUDGET: { readonly burst: number; readonly everyMs: number } = { burst: 20, everyMs: 60_000 };

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
  #tokens = STRANGERS_BUDGET.burst;
  #atMs = Number.NEGATIVE_INFINITY;
  #leftOut = 0;

  constructor(deps: Pick<ConsoleDeps, 'audit' | 'events' | 'nowMs'>) {
    this.#deps = deps;
  }

  async signedIn({ party, method, network }: SignedIn): Promise<void> {
    const { permissions, role } = party;
    const detail = { method, network, permissions, role };
    await this.#record({ event: 'console_signed_in', actor: party.actor, detail });
  }

  async signedOut(party: Party): Promise<void> {
    await this.#record({ event: 'console_signed_out', actor: party.actor });
  }

  async refused(not: NotLetIn, address: string | undefined): Promise<void> {
    if (isStrangers(not.code) && !this.#mayRecord()) {
      this.#leftOut++;
      return;
    }
    const { method, code, detail: why, person = null, name } = not;
    const leftOut = this.#leftOut === 0 ? {} : { left_out: this.#leftOut };
    const detail = { method, network: networkOf(address ?? ''), why, ...leftOut };
    const actor = person === null ? null : personActor(person, name ?? 'unnamed');
    this.#leftOut = 0;
    await this.#record({ event: 'console_sign_in_refused', reason: code, actor, detail });
  }

  #mayRecord(): boolean {
    const nowMs = this.#deps.nowMs();
    const { burst, everyMs } = STRANGERS_BUDGET;
    this.#tokens = Math.min(burst, this.#tokens + Math.max(0, nowMs - this.#atMs) / everyMs);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** A full disk or a guarded journal keeps nobody out: they are who mends it. The log of the program says what is missing. */
  async #record(input: Parameters<ConsoleDeps['audit']>[0]): Promise<void> {
    try {
      await this.#deps.audit(input);
    } catch (error) {
      this.#deps.events.requestFailed(`audit record ${input.event} of ${input.actor ?? 'nobody'}`, error);
    }
  }
}
