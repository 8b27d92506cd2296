import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../config/atomic-file.ts';
import {
  KEY_CLASSES,
  KEY_ROLES,
  type KeyClass,
  type KeyRole,
  PERMISSIONS,
  type Permission,
} from '../core/permissions.ts';
import { readPerson } from '../core/person.ts';
import { JournalError } from '../journal/errors.ts';
import { type JournalLock, takeLock } from '../journal/lock.ts';
import { AdminError } from './errors.ts';

/** A key as it stands in the file: everything but the secret. Times are ISO texts in UTC. */
export interface StoredKey {
  readonly id: string;
  readonly name: string;
  readonly secret_sha256: string;
  /** Keys of before there were classes are people's. */
  readonly class: KeyClass;
  /** The role it was made for; null: its permissions were named. */
  readonly role: KeyRole | null;
  readonly permissions: readonly Permission[];
  /** Whose it is, as the identity provider names them: `ISSUER#SUBJECT`; null: it names nobody. */
  readonly person: string | null;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
}

const INSTANT = z.iso.datetime();
const STORED_KEY = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{8}$/),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  secret_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  class: z.enum(KEY_CLASSES).default('human'),
  role: z.enum(KEY_ROLES).nullable().default(null),
  permissions: z.array(z.enum(PERMISSIONS)),
  person: z
    .string()
    .refine((text) => readPerson(text) !== null)
    .nullable()
    .default(null),
  created_at: INSTANT,
  expires_at: INSTANT.nullable(),
  revoked_at: INSTANT.nullable(),
});
const KEY_FILE = z.strictObject({ version: z.literal(1), keys: z.array(STORED_KEY) });

/** What the name of a lock of keys ends with: it holds nothing, and goes into no copy. */
export const KEY_LOCK_END = '.lock.db';

/** What changes whenever the file is replaced or rewritten; null when there is none. */
export function fileStamp(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? null : `${stat.ino}:${stat.size}:${stat.mtimeNs}`;
}

/**
 * Reads the keys; a missing file holds none.
 * @throws AdminError `key_file_unreadable`, `key_file_malformed`
 */
export function readKeyFile(path: string): readonly StoredKey[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new AdminError('key_file_unreadable', `cannot read the API keys in ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return parseKeyFile(path, text);
}

function parseKeyFile(path: string, text: string): readonly StoredKey[] {
  try {
    return KEY_FILE.parse(JSON.parse(text)).keys;
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    const message = `${path} is not a key file that this program wrote: ${reason}\nRestore it from a backup, or move it away and create new keys.`;
    throw new AdminError('key_file_malformed', message, { cause: error });
  }
}

/**
 * Reads, changes and replaces the file while no other process does. The new file is complete and on disk before it
 * takes the old one's name: a crash leaves one or the other.
 * @throws AdminError `key_file_locked` and those of {@link readKeyFile}
 */
export function changeKeyFile(path: string, change: (keys: readonly StoredKey[]) => readonly StoredKey[]): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lock = lockOf(path);
  try {
    const keys = change(readKeyFile(path));
    writeFileAtomically(path, `${JSON.stringify({ version: 1, keys: keys.map(written) }, null, 2)}\n`, 0o600);
  } finally {
    lock.release();
  }
}

/** Without a person, as before there were any: a program of then reads it still. */
function written({ person, ...key }: StoredKey): object {
  return person === null ? key : { ...key, person };
}

/** The system frees it when its holder dies: whoever was killed over it keeps nobody from revoking a key. */
function lockOf(path: string): JournalLock {
  const file = keyLockFile(path);
  // As everything that lies beside keys: who may open it could keep others from changing them.
  closeSync(openSync(file, 'a', 0o600));
  try {
    return takeLock(file);
  } catch (cause) {
    if (!(cause instanceof JournalError && cause.code === 'locked')) throw cause;
    throw new AdminError('key_file_locked', 'another process is changing the API keys; try again', { cause });
  }
}

/** @param path of the file of keys */
export function keyLockFile(path: string): string {
  return path.replace(/\.json$/, KEY_LOCK_END);
}
