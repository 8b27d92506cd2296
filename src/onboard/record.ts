/** One onboarding as it is on disk: `onboarding/<id>.json`, replaced as a whole at each step. */
import { hash } from 'node:crypto';
import type { OnboardingState } from '../core/onboarding.ts';
import type { Result } from '../core/result.ts';
import { MAX_INVITE_TEXTS } from '../wire/invite-code.ts';
import { decodeMessage, encodeMessage } from '../wire/message.ts';
import { MAX_PEER_NOTE_CHARS } from '../wire/peer-note.ts';
import { integer, list, literal, type Malformed, nullable, object, oneOf, type Shape, text } from '../wire/shape.ts';

const MAX_TEXT_CHARS = 512;
const MAX_PROTOCOLS = 64;
/** Longest record: a note with everything around it. */
export const MAX_RECORD_BYTES = 131_072;
const ID_CHARS = 16;

/** What a partner said when it came, and how it came. */
export interface Meeting {
  /** Its clock, Unix ms. */
  readonly clock_ms: number;
  /** Facts that it would give, as it says. */
  readonly entries: number;
  /** Our clock then, Unix ms. */
  readonly met_ms: number;
  readonly protocols: readonly string[];
  /** Multiaddr that it came from, or that we reached it at. */
  readonly seen_at: string;
  readonly software: string;
}

export interface OnboardingRecord {
  readonly accept: readonly string[];
  readonly by: 'invite' | 'join' | 'file';
  /** Whose yes it was; null before. */
  readonly confirmed_by: string | null;
  /** Unix ms; null for a file. */
  readonly expires_ms: number | null;
  /** Peer id that the holder of the code connects with; null for a file. The code itself is kept nowhere. */
  readonly guest: string | null;
  readonly id: string;
  readonly made_ms: number;
  readonly meeting: Meeting | null;
  readonly name: string | null;
  /** The partner's signed note; null while nobody has come. */
  readonly peer: string | null;
  readonly share: readonly string[];
  readonly state: Exclude<OnboardingState, 'expired'>;
  /** End of the grants, Unix ms; null: none. */
  readonly until_ms: number | null;
  readonly v: 1;
}

/** A record in which somebody has come. */
export type MetRecord = OnboardingRecord & { readonly name: string; readonly peer: string };

const TEXT = text(MAX_TEXT_CHARS);
const RECORD: Shape<OnboardingRecord> = object<OnboardingRecord>({
  accept: list(TEXT, MAX_INVITE_TEXTS),
  by: oneOf('invite', 'join', 'file'),
  confirmed_by: nullable(TEXT),
  expires_ms: nullable(integer()),
  guest: nullable(TEXT),
  id: TEXT,
  made_ms: integer(),
  meeting: nullable(
    object<Meeting>({
      clock_ms: integer(),
      entries: integer(),
      met_ms: integer(),
      protocols: list(TEXT, MAX_PROTOCOLS),
      seen_at: TEXT,
      software: TEXT,
    }),
  ),
  name: nullable(TEXT),
  peer: nullable(text(MAX_PEER_NOTE_CHARS)),
  share: list(TEXT, MAX_INVITE_TEXTS),
  state: oneOf('open', 'pending', 'confirming', 'confirmed', 'rejected', 'revoked'),
  until_ms: nullable(integer()),
  v: literal(1),
});

export function encodeRecord(record: OnboardingRecord): string {
  return Buffer.from(encodeMessage(RECORD, record)).toString('utf8');
}

/** Pure and total. */
export function decodeRecord(bytes: Uint8Array): Result<OnboardingRecord, Malformed> {
  return decodeMessage(bytes, RECORD, MAX_RECORD_BYTES);
}

/** The same on both sides of an invitation: it is made of the peer id of the guest, or of the partner in a file. */
export function recordId(peerId: string): string {
  return hash('sha256', peerId, 'hex').slice(0, ID_CHARS);
}

/** Somebody has come and nobody has decided yet, or the decision is being carried out. */
export function isWaiting(record: OnboardingRecord): record is MetRecord {
  return isMet(record) && (record.state === 'pending' || record.state === 'confirming');
}

export function isMet(record: OnboardingRecord): record is MetRecord {
  return record.peer !== null && record.name !== null;
}

/** The code is no more good for anybody who has not come with it before. */
export function isExpired({ expires_ms }: OnboardingRecord, nowMs: number): boolean {
  return expires_ms !== null && nowMs >= expires_ms;
}
