/** How long the keys of a declaration are good. Pure and total: the time is an argument. */
import { DEFAULT_MAX_FUTURE_SKEW_MS } from '../core/limits.ts';
import { DAY_MS, parseIsoInstant } from '../core/time.ts';
import { parseVerifierKey, verifierKeyId } from '../merkle/verifier-key.ts';
import type { Declaration, DeclaredKey } from '../wire/declaration.ts';
import { openOwnDeclaration } from './declared-log-key.ts';

/** Days before its end at which a key is warned of. */
const STEPS = [1, 7, 14, 30] as const;
/** The last step that was passed; 0: the key has ended. */
export type ExpiryStep = (typeof STEPS)[number] | 0;

export interface KeyLife {
  readonly key: DeclaredKey;
  /** What its verifier key is for: an origin, or the name of a witness. */
  readonly name: string;
  /** 8 hex digits; null: the verifier key cannot be read. */
  readonly keyId: string | null;
  /** `replaced`: another key of the same use and name goes on after its end. `unreadable`: one of its times is none. */
  readonly state: 'valid' | 'not_yet' | 'expired' | 'replaced' | 'unreadable';
  /** Milliseconds since 1970; null: no end, or none that can be read. */
  readonly endsMs: number | null;
  /** Whole days, rounded down: below 0 once it has ended. Null without an end. */
  readonly daysLeft: number | null;
  /** null: nothing to warn of. */
  readonly step: ExpiryStep | null;
}

/** The keys of a declaration, in its order. */
export function keyLives(keys: readonly DeclaredKey[], nowMs: number): readonly KeyLife[] {
  return keys.map((key) => {
    const { startsMs, endsMs } = timesOf(key);
    const base = { key, name: nameOf(key), keyId: keyIdOf(key) };
    if (startsMs === undefined || endsMs === undefined)
      return { ...base, state: 'unreadable', endsMs: null, daysLeft: null, step: null };
    const state = nowMs < startsMs ? 'not_yet' : 'valid';
    if (endsMs === null) return { ...base, state, endsMs, daysLeft: null, step: null };
    const daysLeft = Math.floor((endsMs - nowMs) / DAY_MS);
    if (keys.some((other) => replaces(other, key, endsMs)))
      return { ...base, state: 'replaced', endsMs, daysLeft, step: null };
    return { ...base, state: nowMs >= endsMs ? 'expired' : state, endsMs, daysLeft, step: stepOf(endsMs - nowMs) };
  });
}

/** Why a key does not count now, with the skew of clocks that is tolerated elsewhere; null: it counts. */
export function keyFault(key: DeclaredKey, nowMs: number): 'expired' | 'not_yet' | 'unreadable' | null {
  const { startsMs, endsMs } = timesOf(key);
  if (startsMs === undefined || endsMs === undefined) return 'unreadable';
  if (endsMs !== null && nowMs >= endsMs + DEFAULT_MAX_FUTURE_SKEW_MS) return 'expired';
  return nowMs < startsMs - DEFAULT_MAX_FUTURE_SKEW_MS ? 'not_yet' : null;
}

/** Milliseconds since 1970; null: no end. Undefined: no time that can be read. */
export function keyEndMs(key: DeclaredKey): number | null | undefined {
  return timesOf(key).endsMs;
}

/**
 * Whether a later declaration of a peer says of the keys that are pinned, and of no other, that they are good for another
 * time. Other keys are no renewal: whether they are to be trusted is decided elsewhere.
 */
export function isRenewal(pinned: string, later: string): boolean {
  const [before, after] = [openOwnDeclaration(pinned), openOwnDeclaration(later)];
  if (before === null || after === null || idOf(before) !== idOf(after)) return false;
  const [from, to] = [instantOf(before.issued_at), instantOf(after.issued_at)];
  if (from === undefined || to === undefined || to <= from) return false;
  const isSame =
    before.keys.length === after.keys.length && before.keys.every((key, i) => isSameKey(key, after.keys[i]));
  return isSame && before.keys.some((key, i) => !isSameTime(key, after.keys[i]));
}

function idOf({ node_id, peer_id, journal_origin, audit_origin }: Declaration): string {
  return JSON.stringify([node_id, peer_id, journal_origin, audit_origin]);
}

function isSameKey(key: DeclaredKey, other: DeclaredKey | undefined): boolean {
  return key.use === other?.use && key.vkey === other.vkey && key.algorithm === other.algorithm;
}

function isSameTime(key: DeclaredKey, other: DeclaredKey | undefined): boolean {
  return key.not_after === other?.not_after && key.not_before === other.not_before;
}

/** A key that is good when the other ends, and for longer: there is nothing to do about that end. */
function replaces(other: DeclaredKey, key: DeclaredKey, endsMs: number): boolean {
  if (other.use !== key.use || other.vkey === key.vkey || nameOf(other) !== nameOf(key)) return false;
  const times = timesOf(other);
  if (times.startsMs === undefined || times.endsMs === undefined) return false;
  return times.startsMs <= endsMs && (times.endsMs === null || times.endsMs > endsMs);
}

function stepOf(leftMs: number): ExpiryStep | null {
  if (leftMs <= 0) return 0;
  return STEPS.find((days) => leftMs <= days * DAY_MS) ?? null;
}

function nameOf({ vkey }: DeclaredKey): string {
  return vkey.slice(0, Math.max(0, vkey.indexOf('+')));
}

function keyIdOf({ vkey }: DeclaredKey): string | null {
  const key = parseVerifierKey(vkey);
  return key.ok ? verifierKeyId(key.value).toString(16).padStart(8, '0') : null;
}

interface Times {
  readonly startsMs: number | undefined;
  readonly endsMs: number | null | undefined;
}

function timesOf({ not_before, not_after }: DeclaredKey): Times {
  return { startsMs: instantOf(not_before), endsMs: not_after === null ? null : instantOf(not_after) };
}

/** Stricter than what Python reads: a time that says no offset would end at another moment for each reader. */
const STRICT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})$/;

function instantOf(text: string): number | undefined {
  const us = STRICT.test(text) ? parseIsoInstant(text) : undefined;
  // Rounded down: a key is never good for longer than it says.
  return us?.ok === true ? Math.floor(Number(us.value) / 1_000) : undefined;
}
