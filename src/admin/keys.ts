import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { humanOnly, type KeyClass, type KeyRole, type Permission } from '../core/permissions.ts';
import { issuerOf, readPerson } from '../core/person.ts';
import { DAY_MS } from '../core/time.ts';
import { AdminError } from './errors.ts';
import { changeKeyFile, fileStamp, readKeyFile, type StoredKey } from './key-file.ts';
import { openKeyUse } from './key-use.ts';

const KEY = /^smk_([0-9a-f]{8})_([A-Za-z0-9_-]{43})$/;
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const SECRET_BYTES = 32;

/** As the reference: a key that nobody renews for a quarter is one that nobody watches. */
export const DEFAULT_KEY_DAYS = 90;
/** Longest life of a key. */
export const MAX_KEY_DAYS = 3_650;

export type { StoredKey } from './key-file.ts';

export interface NewKey {
  readonly name: string;
  /** Default: automation, unless it is given what only a person may hold, or names one. */
  readonly class?: KeyClass;
  readonly role?: KeyRole | null;
  readonly permissions: readonly Permission[];
  /** Whose it is: `ISSUER#SUBJECT`. */
  readonly person?: string | null;
  /** Days until the key expires; default {@link DEFAULT_KEY_DAYS}. */
  readonly days?: number;
}

export interface CreatedKey {
  readonly key: StoredKey;
  /** `smk_<id>_<secret>`: shown once, kept nowhere. */
  readonly secret: string;
}

export interface KeyStore {
  /** @returns the key that a presented text is, or null if it is unknown, expired or revoked */
  authenticate(presented: string, nowMs: number): StoredKey | null;
  /** @returns the key with this id, or null if it is unknown, expired or revoked. It counts as used. */
  inForce(id: string, nowMs: number): StoredKey | null;
  /** @throws AdminError `key_invalid`, `key_name_taken`, and those of the key file */
  create(key: NewKey, nowMs: number): CreatedKey;
  list(): readonly StoredKey[];
  /** When a key was last taken for good, ISO; null: never, or not since this was noted. */
  lastUsed(id: string): string | null;
  /** @returns the key as revoked, or null if there is none with this id */
  revoke(id: string, nowMs: number): StoredKey | null;
  /** Writes what is not written yet. */
  close(): void;
}

/** Tells whether a key is in force. */
export function keyState(key: StoredKey, nowMs: number): 'active' | 'expired' | 'revoked' {
  if (key.revoked_at !== null) return 'revoked';
  return key.expires_at !== null && Date.parse(key.expires_at) <= nowMs ? 'expired' : 'active';
}

/**
 * Opens the keys kept in one file. The file is looked at before every use and read again when it has changed, so
 * that a key revoked by another process is dead at the next request.
 *
 * @param issuer whose persons new keys may name; null: anybody's
 */
export function openKeyStore(path: string, issuer: string | null = null): KeyStore {
  const current = cachedKeys(path);
  const use = openKeyUse(path.replace(/\.json$/, '.used.json'));
  return {
    authenticate(presented, nowMs) {
      const key = authenticate(current(), presented, nowMs);
      if (key !== null) use.note(key.id, nowMs);
      return key;
    },
    inForce(id, nowMs) {
      const key = current().get(id);
      if (key === undefined || keyState(key, nowMs) !== 'active') return null;
      use.note(key.id, nowMs);
      return key;
    },
    list: () => [...current().values()],
    lastUsed: (id) => use.last(id),
    close: () => use.close(),
    create(request, nowMs) {
      const created = newKey(request, nowMs);
      refuseOtherIssuer(request, issuer);
      changeKeyFile(path, (keys) => {
        refuseTakenName(keys, request.name, nowMs);
        return [...keys, created.key];
      });
      return created;
    },
    revoke(id, nowMs) {
      let revoked: StoredKey | null = null;
      changeKeyFile(path, (keys) =>
        keys.map((key) => {
          if (key.id !== id) return key;
          revoked = key.revoked_at === null ? { ...key, revoked_at: isoOf(nowMs) } : key;
          return revoked;
        }),
      );
      return revoked;
    },
  };
}

function cachedKeys(path: string): () => ReadonlyMap<string, StoredKey> {
  let stamp: string | null | undefined;
  let keys: ReadonlyMap<string, StoredKey> = new Map();
  return () => {
    const now = fileStamp(path);
    if (now !== stamp) {
      // The stamp is taken before the read: a change between the two is read twice, never missed.
      keys = new Map(readKeyFile(path).map((key) => [key.id, key]));
      stamp = now;
    }
    return keys;
  };
}

function authenticate(keys: ReadonlyMap<string, StoredKey>, presented: string, nowMs: number): StoredKey | null {
  const parts = KEY.exec(presented);
  if (parts === null) return null;
  const key = keys.get(parts[1] ?? '');
  if (key === undefined) return null;
  // Constant time: how far two hashes agree must not show. That an id exists may show; it is not a secret.
  const same = timingSafeEqual(Buffer.from(secretHash(presented), 'hex'), Buffer.from(key.secret_sha256, 'hex'));
  return same && keyState(key, nowMs) === 'active' ? key : null;
}

/**
 * A plain SHA-256 is right here. Slow, salted hashes protect secrets that people choose; this one is 256 random
 * bits, which no amount of guessing reaches, and it is checked on every request.
 */
function secretHash(secret: string): string {
  return hash('sha256', secret, 'hex');
}

function newKey(request: NewKey, nowMs: number): CreatedKey {
  refuseInvalid(request);
  const id = randomBytes(4).toString('hex');
  const secret = `smk_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  const key: StoredKey = {
    id,
    name: request.name,
    secret_sha256: secretHash(secret),
    class: classOf(request),
    role: request.role ?? null,
    permissions: [...new Set(request.permissions)].sort(),
    person: request.person ?? null,
    created_at: isoOf(nowMs),
    expires_at: isoOf(nowMs + (request.days ?? DEFAULT_KEY_DAYS) * DAY_MS),
    revoked_at: null,
  };
  return { key, secret };
}

function classOf({ class: keyClass, permissions, person }: NewKey): KeyClass {
  return keyClass ?? (humanOnly(permissions) === null && (person ?? null) === null ? 'automation' : 'human');
}

function refuseInvalid(request: NewKey): void {
  if (!NAME.test(request.name)) {
    throw new AdminError(
      'key_invalid',
      `key name '${request.name}': use 1 to 64 of a-z 0-9 . _ - and start with a letter or digit`,
    );
  }
  if (request.permissions.length === 0) {
    throw new AdminError('key_invalid', 'a key needs at least one permission');
  }
  const forPeople = humanOnly(request.permissions);
  if (classOf(request) === 'automation' && forPeople !== null) {
    throw new AdminError(
      'key_invalid',
      `a key of class automation cannot have ${forPeople}: that is decided by people; leave it out, or make a key of class human`,
    );
  }
  refuseInvalidPerson(request);
  const days = request.days ?? DEFAULT_KEY_DAYS;
  if (!(days > 0 && days <= MAX_KEY_DAYS)) {
    throw new AdminError('key_invalid', `a key lives more than 0 and at most ${MAX_KEY_DAYS} days, not ${days}`);
  }
}

function refuseInvalidPerson(request: NewKey): void {
  const { person = null } = request;
  if (person === null) return;
  if (readPerson(person) === null) {
    throw new AdminError(
      'key_invalid',
      `person '${person.slice(0, 200)}': expected ISSUER#SUBJECT as the console shows it to who is signed in, such as https://idp.acme.example#248289761001`,
    );
  }
  if (classOf(request) === 'automation') {
    throw new AdminError('key_invalid', 'a key of class automation names no person; make it of class human');
  }
}

/** A key of another issuer's person is told apart from nobody who signs in: it could not be one of two persons. */
function refuseOtherIssuer({ person = null }: NewKey, issuer: string | null): void {
  if (person === null || issuer === null || issuerOf(person) === issuer) return;
  throw new AdminError(
    'key_invalid',
    `person '${person.slice(0, 200)}': expected a person of oidc.issuer ${issuer}, got one of ${issuerOf(person)}; name the issuer as the console shows it, to the last slash`,
  );
}

/** Names stand in audit records; two living keys of one name could not be told apart by their readers. */
function refuseTakenName(keys: readonly StoredKey[], name: string, nowMs: number): void {
  const taken = keys.find((key) => key.name === name && keyState(key, nowMs) === 'active');
  if (taken === undefined) return;
  throw new AdminError(
    'key_name_taken',
    `key '${name}' (${taken.id}) is active; choose another name or revoke it first`,
  );
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
