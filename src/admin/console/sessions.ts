/** Who is signed in. In memory alone: a restart signs everybody out, and nothing on disk opens a session. */

import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { HOUR_MS } from '../../core/time.ts';
import type { Party } from '../party.ts';

export const SESSION_LIMITS: {
  readonly idleMs: number;
  readonly absoluteMs: number;
  readonly max: number;
  readonly maxOfKey: number;
} = {
  /** Without a request that a person made; what a page fetches by itself does not count. */
  idleMs: 30 * 60_000,
  absoluteMs: 12 * HOUR_MS,
  /** Beyond these the one that was used longest ago ends. */
  max: 1_000,
  /** The same of one key, so that none ends the sessions of others. */
  maxOfKey: 20,
};

const TOKEN_BYTES = 32;
const ID_BYTES = 4;

/**
 * Who the session is: looked up anew at every request, so that a key that is revoked or has expired is out at once, and a person
 * from whom a role was taken away has it no more.
 */
export type Who = () => Party | null;

export interface Session {
  /** Names the session, and opens nothing. */
  readonly id: string;
  readonly csrf: string;
  readonly holder: Party;
  readonly endsMs: number;
  /** Tells the person something on the next page. */
  tell(notice: Notice): void;
  /** What was to be told, once. */
  told(): Notice | null;
}

export interface Notice {
  readonly kind: 'done' | 'failed';
  readonly text: string;
}

/** How somebody came. */
export interface SignedIn {
  readonly party: Party;
  readonly method: SignInMethod;
  readonly network: string;
  /** At most; {@link SESSION_LIMITS}.absoluteMs unless told otherwise. */
  readonly maxMs?: number;
}

export type SignInMethod = 'api_key' | 'oidc' | 'link';

/** As an administrator sees it. Times are ISO texts. */
export interface ShownSession {
  /** Names the session, and opens nothing. */
  readonly id: string;
  readonly name: string;
  readonly actor: string;
  readonly method: SignInMethod;
  readonly network: string;
  readonly started_at: string;
  readonly used_at: string;
  readonly ends_at: string;
}

interface Stored {
  readonly id: string;
  readonly csrf: string;
  readonly came: SignedIn;
  readonly who: Who;
  readonly startedMs: number;
  readonly endsMs: number;
  lastMs: number;
  notice: Notice | null;
}

export class Sessions {
  /** By SHA-256 of the token: what leaks from memory opens nothing. In the order of last use. */
  readonly #byHash = new Map<string, Stored>();

  /** @returns the token for the cookie */
  start(came: SignedIn, who: Who, nowMs: number): string {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const ofParty = [...this.#byHash].filter(([, stored]) => stored.came.party.id === came.party.id);
    if (ofParty.length >= SESSION_LIMITS.maxOfKey) this.#byHash.delete(ofParty[0]?.[0] ?? '');
    if (this.#byHash.size >= SESSION_LIMITS.max) this.#byHash.delete(this.#byHash.keys().next().value ?? '');
    const csrf = randomBytes(TOKEN_BYTES).toString('base64url');
    const id = randomBytes(ID_BYTES).toString('hex');
    const endsMs = nowMs + (came.maxMs ?? SESSION_LIMITS.absoluteMs);
    const times = { startedMs: nowMs, lastMs: nowMs, endsMs };
    this.#byHash.set(nameOf(token), { id, csrf, came, who, ...times, notice: null });
    return token;
  }

  /** @param counts whether a person asked, which puts off the end for want of use */
  find(token: string, nowMs: number, counts: boolean): Session | null {
    const name = nameOf(token);
    const stored = this.#byHash.get(name);
    if (stored === undefined) return null;
    const holder = this.#holder(name, stored, nowMs);
    if (holder === null) return null;
    if (counts) {
      stored.lastMs = nowMs;
      this.#byHash.delete(name);
      this.#byHash.set(name, stored);
    }
    return sessionOf(stored, holder);
  }

  end(token: string): void {
    this.#byHash.delete(nameOf(token));
  }

  /** Those that are not over. */
  list(nowMs: number): readonly ShownSession[] {
    return [...this.#byHash].flatMap(([name, stored]) =>
      this.#holder(name, stored, nowMs) === null ? [] : [shownOf(stored)],
    );
  }

  /** @returns the session that was ended, or null if there is none of this id */
  endNamed(id: string, nowMs: number): ShownSession | null {
    const ended = this.list(nowMs).find((one) => one.id === id) ?? null;
    for (const [name, stored] of this.#byHash) if (stored.id === id) this.#byHash.delete(name);
    return ended;
  }

  #holder(name: string, stored: Stored, nowMs: number): Party | null {
    const holder = isOver(stored, nowMs) ? null : stored.who();
    if (holder === null) this.#byHash.delete(name);
    return holder;
  }
}

function shownOf({ id, came, startedMs, lastMs, endsMs }: Stored): ShownSession {
  const { party, method, network } = came;
  const iso = (ms: number): string => new Date(ms).toISOString();
  const times = { started_at: iso(startedMs), used_at: iso(lastMs), ends_at: iso(endsMs) };
  return { id, name: party.name, actor: party.actor, method, network, ...times };
}

/** Constant time: how far two tokens agree must not show. */
export function isSameToken(given: string, expected: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', expected, 'buffer'));
}

export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

function sessionOf(stored: Stored, holder: Party): Session {
  return {
    id: stored.id,
    csrf: stored.csrf,
    holder,
    endsMs: stored.endsMs,
    tell: (notice) => {
      stored.notice = notice;
    },
    told: () => {
      const { notice } = stored;
      stored.notice = null;
      return notice;
    },
  };
}

function isOver({ endsMs, lastMs }: Stored, nowMs: number): boolean {
  return nowMs >= endsMs || nowMs - lastMs >= SESSION_LIMITS.idleMs;
}

function nameOf(token: string): string {
  return hash('sha256', token, 'hex');
}
