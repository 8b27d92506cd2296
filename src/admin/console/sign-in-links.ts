/** Links that sign somebody in to the console with the key that made them: once, and soon. In memory, as sessions are. */
import { hash, randomBytes } from 'node:crypto';
import { err, ok, type Result } from '../../core/result.ts';

export const LINK_LIMITS: {
  readonly lifeMs: number;
  readonly remembersMs: number;
  readonly max: number;
  readonly maxOfKey: number;
} = {
  /** As long as it takes a browser to open. */
  lifeMs: 60_000,
  /** After its end: whoever comes with it then is told why it opens nothing, and so is the audit log. */
  remembersMs: 600_000,
  /** Beyond these the oldest is forgotten. */
  max: 1_000,
  /** The same of one key, so that none ends the links of others. */
  maxOfKey: 20,
};

/** Where a link leads; the token is behind a `#`, which no browser sends to anybody. */
export const LINK_PATH = '/console/sign-in/link';
const TOKEN_BYTES = 32;

/** Stands in audit records, as the reason of a refused sign-in. */
export type LinkRefusal =
  /** No link was made with this token, or it is long gone. */
  | 'link_unknown'
  /** Somebody was signed in with it before. */
  | 'link_used'
  | 'link_expired';

export interface MadeLink {
  readonly token: string;
  readonly endsMs: number;
}

interface Kept {
  readonly keyId: string;
  readonly madeMs: number;
  isUsed: boolean;
}

export class SignInLinks {
  /** By SHA-256 of the token: what leaks from memory opens nothing. In the order that they were made in. */
  readonly #byHash = new Map<string, Kept>();

  make(keyId: string, nowMs: number): MadeLink {
    this.#forget(keyId, nowMs);
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    this.#byHash.set(nameOf(token), { keyId, madeMs: nowMs, isUsed: false });
    return { token, endsMs: nowMs + LINK_LIMITS.lifeMs };
  }

  /** @returns the key that made it, this once */
  take(token: string, nowMs: number): Result<string, LinkRefusal> {
    const kept = this.#byHash.get(nameOf(token));
    if (kept === undefined) return err('link_unknown');
    if (kept.isUsed) return err('link_used');
    // A clock that was put back would make it live on.
    if (nowMs >= kept.madeMs + LINK_LIMITS.lifeMs || nowMs < kept.madeMs) return err('link_expired');
    kept.isUsed = true;
    return ok(kept.keyId);
  }

  #forget(keyId: string, nowMs: number): void {
    const isOld = ({ madeMs }: Kept): boolean =>
      nowMs < madeMs || nowMs >= madeMs + LINK_LIMITS.lifeMs + LINK_LIMITS.remembersMs;
    for (const [name, kept] of this.#byHash) if (isOld(kept)) this.#byHash.delete(name);
    const own = [...this.#byHash].filter(([, kept]) => kept.keyId === keyId);
    if (own.length >= LINK_LIMITS.maxOfKey) this.#byHash.delete(own[0]?.[0] ?? '');
    if (this.#byHash.size >= LINK_LIMITS.max) this.#byHash.delete(this.#byHash.keys().next().value ?? '');
  }
}

function nameOf(token: string): string {
  return hash('sha256', token, 'hex');
}
