/** Sign-ins that have begun: each is taken up once, by the browser it began in, and soon. In memory alone. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { err, ok, type Result } from '../core/result.ts';
import type { Refused } from './refusal.ts';

export const ATTEMPT_LIMITS: { readonly lifeMs: number; readonly max: number } = {
  /** Long enough for a second factor that has to be looked for. */
  lifeMs: 10 * 60_000,
  /** Beyond these the oldest of the same network is forgotten, else the oldest: whoever floods the console makes himself begin anew. */
  max: 10_000,
};

const TOKEN_BYTES = 32;

/** What goes with the person to the provider, and what stays. */
export interface Begun {
  /** To the provider and back. */
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE: shown to the provider when the code is redeemed. */
  readonly verifier: string;
  /** For a cookie: only the browser that has it takes the sign-in up again. */
  readonly browser: string;
}

export interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Where in the console the person wanted to go. */
  readonly next: string;
}

interface Stored extends Attempt {
  readonly browserHash: Buffer;
  readonly beganMs: number;
  /** Where it began. */
  readonly network: string;
}

export class Attempts {
  /** By SHA-256 of the state: what leaks from memory opens nothing. Oldest first. */
  readonly #byHash = new Map<string, Stored>();

  begin({ next, network }: { readonly next: string; readonly network: string }, nowMs: number): Begun {
    const [state, nonce, verifier, browser] = [token(), token(), token(), token()];
    this.#makeRoom(network, nowMs);
    const browserHash = hash('sha256', browser, 'buffer');
    const kept = { state, nonce, verifier, next: copied(next), network: copied(network), browserHash, beganMs: nowMs };
    this.#byHash.set(hash('sha256', state, 'hex'), kept);
    return { state, nonce, verifier, browser };
  }

  /** How many are kept. */
  get size(): number {
    return this.#byHash.size;
  }

  #makeRoom(network: string, nowMs: number): void {
    for (const [name, { beganMs }] of this.#byHash) {
      if (nowMs - beganMs < ATTEMPT_LIMITS.lifeMs) break;
      this.#byHash.delete(name);
    }
    if (this.#byHash.size < ATTEMPT_LIMITS.max) return;
    const [oldest] = this.#byHash.keys();
    const [ofNetwork] = [...this.#byHash].find(([, stored]) => stored.network === network) ?? [];
    this.#byHash.delete(ofNetwork ?? oldest ?? '');
  }

  /** Takes up what began with this state. It is gone then, whoever asked: a state that others have seen is worth nothing. */
  take(state: string, browser: string, nowMs: number): Result<Attempt, Refused> {
    const name = hash('sha256', state, 'hex');
    const stored = this.#byHash.get(name);
    this.#byHash.delete(name);
    const age = stored === undefined ? Number.POSITIVE_INFINITY : nowMs - stored.beganMs;
    if (stored === undefined || age >= ATTEMPT_LIMITS.lifeMs)
      return err({ code: 'state_unknown', detail: 'no sign-in began here with this state in the last ten minutes' });
    if (!timingSafeEqual(hash('sha256', browser, 'buffer'), stored.browserHash))
      return err({ code: 'browser_differs', detail: 'the sign-in began in another browser' });
    return ok(stored);
  }
}

/** A part of a text keeps the whole in memory: a path that of the request's address. */
function copied(text: string): string {
  return Buffer.from(text).toString();
}

function token(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}
