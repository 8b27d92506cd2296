/**
 * The one code of an invitation: who invites, where, until when, and what each side would read, with a secret that proves
 * that its holder was given it. It is for one partner: whoever has it can come as that partner, and is then compared by
 * words.
 */
import { hash, hkdfSync } from 'node:crypto';
import { decodeBase32, encodeBase32 } from '../core/base32.ts';
import { isAuthority } from '../core/node-id.ts';
import { err, ok, type Result } from '../core/result.ts';

export const INVITE_SECRET_BYTES = 16;
/** Addresses, and feeds per direction. */
export const MAX_INVITE_TEXTS = 16;
/** Longest address or feed in a code, UTF-8 bytes. */
export const MAX_INVITE_TEXT_BYTES = 255;
const PREFIX = 'stigmem1';
const VERSION = 1;
const KEY_BYTES = 32;
const SUM_BYTES = 4;
const SEED_BYTES = 32;
const DOMAIN = 'stigmem-invite/v1';
/** Three full lists, the rest of a code, and the line breaks of a mail. */
const MAX_CODE_CHARS = 24_576;

export interface InviteCode {
  /** Identity key of the node that invites, 32 bytes. */
  readonly nodeKey: Uint8Array;
  /** 16 random bytes. */
  readonly secret: Uint8Array;
  /** Unix seconds. */
  readonly expiresS: number;
  readonly authority: string;
  readonly addresses: readonly string[];
  /** Feeds of the inviter that the partner may read. */
  readonly share: readonly string[];
  /** Feeds of the partner that the inviter takes. */
  readonly accept: readonly string[];
  /** End of these grants, Unix seconds; null: none. */
  readonly untilS: number | null;
}

/** `garbled`: a character was lost or changed on the way. */
export type InviteCodeFault = 'no_code' | 'garbled' | 'unknown_version';

/** @throws RangeError for what does not fit into a code */
export function encodeInviteCode(code: InviteCode): string {
  const isWhole = code.nodeKey.length === KEY_BYTES && code.secret.length === INVITE_SECRET_BYTES;
  if (!isWhole || !isAuthority(code.authority)) throw new RangeError('no code of an invitation');
  const body = Buffer.concat([
    Buffer.from([VERSION]),
    code.nodeKey,
    code.secret,
    uint32(code.expiresS),
    counted(code.authority),
    ...[code.addresses, code.share, code.accept].flatMap((texts) => [listLength(texts), ...texts.map(counted)]),
    uint32(code.untilS ?? 0),
  ]);
  return PREFIX + encodeBase32(Buffer.concat([body, checksum(body)]));
}

/** Reads a code. Pure and total; white space is passed over, since codes travel in mails, and nothing else is. */
export function decodeInviteCode(text: string): Result<InviteCode, InviteCodeFault> {
  if (text.length > MAX_CODE_CHARS) return err('no_code');
  const code = text.replace(/\s+/g, '');
  if (!code.startsWith(PREFIX)) return err('no_code');
  const bytes = decodeBase32(code.slice(PREFIX.length));
  if (bytes === undefined || bytes.length <= SUM_BYTES) return err('garbled');
  const body = bytes.subarray(0, -SUM_BYTES);
  if (!checksum(body).equals(bytes.subarray(-SUM_BYTES))) return err('garbled');
  if (body[0] !== VERSION) return err('unknown_version');
  return readBody(new Cursor(body.subarray(1)));
}

/**
 * Seed of the identity under which the holder of a code connects. The inviter keeps its peer id alone: whoever reads the
 * inviter's files cannot come as the guest.
 */
export function guestSeedOf({ secret, nodeKey }: Pick<InviteCode, 'secret' | 'nodeKey'>): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, nodeKey, DOMAIN, SEED_BYTES));
}

function readBody(from: Cursor): Result<InviteCode, InviteCodeFault> {
  const nodeKey = from.take(KEY_BYTES);
  const secret = from.take(INVITE_SECRET_BYTES);
  const expiresS = from.uint32();
  const authority = from.text();
  const [addresses, share, accept] = [from.texts(), from.texts(), from.texts()];
  const untilS = from.uint32();
  if (!from.isDone || !isAuthority(authority)) return err('garbled');
  return ok({
    nodeKey,
    secret,
    expiresS,
    authority,
    addresses,
    share,
    accept,
    untilS: untilS === 0 ? null : untilS,
  });
}

/** Reads from the front; what is missing is noted once, and read as nothing. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;
  #failed = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Everything was there, and nothing is left. */
  get isDone(): boolean {
    return !this.#failed && this.#at === this.#bytes.length;
  }

  take(length: number): Buffer {
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    if (part.length < length) this.#failed = true;
    return part.length < length ? Buffer.alloc(length) : part;
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  text(): string {
    const bytes = this.take(this.take(1)[0] ?? 0);
    const text = bytes.toString('utf8');
    if (text === '' || !Buffer.from(text).equals(bytes)) this.#failed = true;
    return text;
  }

  texts(): string[] {
    const count = this.take(1)[0] ?? 0;
    if (count > MAX_INVITE_TEXTS) this.#failed = true;
    return this.#failed ? [] : Array.from({ length: count }, () => this.text());
  }
}

function checksum(body: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(`${DOMAIN}\0`), body]), 'buffer').subarray(0, SUM_BYTES);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length === 0 || bytes.length > MAX_INVITE_TEXT_BYTES)
    throw new RangeError('a text does not fit into a code');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function listLength(texts: readonly string[]): Buffer {
  if (texts.length > MAX_INVITE_TEXTS) throw new RangeError(`a code has at most ${MAX_INVITE_TEXTS} texts of a kind`);
  return Buffer.from([texts.length]);
}
