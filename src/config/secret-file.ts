/** Files that hold secrets: seeds of keys and the command line's token. Each is one line, readable by its owner alone. */
import { createECDH, randomBytes } from 'node:crypto';
import { closeSync, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { err, ok, type Result } from '../core/result.ts';
import { writeFileAtomically } from './atomic-file.ts';
import type { ConfigProblem } from './problem.ts';

const SECRET_MODE = 0o600;
const OTHERS = 0o077;
/** The service manager hands credentials over with a list of who may read: its mask shows as the group's bits. */
const GROUP_READ = 0o040;

const MAX_SECRET_BYTES = 4_096;
const SEED_BYTES = 32;

/** What a seed is for. A seed of one purpose is refused for the other: the keys are never shared. */
export type SeedUse = 'node' | 'log' | 'witness' | 'anchor';
/** Besides keys that sign: the one that restore notes are sealed under, which nobody else ever sees. */
export type SeedFileUse = SeedUse | 'restore';

/** Writes a 32-byte seed as `stigmem-<use>-seed/v1 <base64>`, mode 0600. @throws TypeError unless it has 32 bytes */
export function writeSeedFile(path: string, use: SeedFileUse, seed: Uint8Array): void {
  if (seed.byteLength !== SEED_BYTES) throw new TypeError(`a seed has ${SEED_BYTES} bytes, not ${seed.byteLength}`);
  writeFileAtomically(path, `${seedHead(use)}${Buffer.from(seed).toString('base64')}\n`, SECRET_MODE);
}

/** 32 random bytes for a key of that use; for the anchor key a scalar that P-256 can use. */
export function randomSeed(use: SeedFileUse): Uint8Array {
  if (use !== 'anchor') return randomBytes(SEED_BYTES);
  const key = createECDH('prime256v1');
  key.generateKeys();
  // Leading zero bytes are left out of what it gives.
  return Buffer.concat([Buffer.alloc(SEED_BYTES), key.getPrivateKey()]).subarray(-SEED_BYTES);
}

/**
 * Where the service manager put a secret of this name (`LoadCredential=log.key:…`); null: it handed over none.
 *
 * @param path of the secret in the data folder
 */
export function credentialFor(path: string): string | null {
  const folder = process.env['CREDENTIALS_DIRECTORY'];
  if (folder === undefined || folder === '') return null;
  const credential = join(folder, basename(path));
  return existsSync(credential) ? credential : null;
}

/** Tells whether there is such a secret, in the data folder or among the credentials. */
export function secretExists(path: string): boolean {
  return existsSync(path) || credentialFor(path) !== null;
}

/** Reads a seed file, or the credential in its place. What stands in it is never part of an error. */
export function readSeedFile(path: string, use: SeedFileUse): Result<Uint8Array, ConfigProblem> {
  const line = readSecretFile(path, `the ${use} key made by init`);
  if (!line.ok) return line;
  const head = seedHead(use);
  const base64 = line.value.slice(head.length);
  const seed = Buffer.from(base64, 'base64');
  if (!line.value.startsWith(head) || seed.byteLength !== SEED_BYTES || seed.toString('base64') !== base64) {
    const message = `expected one line "${head}<32 bytes in base64>", got something else`;
    return refused(
      path,
      message,
      'Restore the file from a backup: a node without its key cannot go on as the same node.',
    );
  }
  return ok(new Uint8Array(seed));
}

/** Writes one line that is nobody else's business, mode 0600. */
export function writeSecretFile(path: string, line: string): void {
  writeFileAtomically(path, `${line}\n`, SECRET_MODE);
}

/** Reads the one line of a secret file, or the credential in its place. @param what names the secret in errors: "the node key made by init" */
export function readSecretFile(path: string, what: string): Result<string, ConfigProblem> {
  const credential = credentialFor(path);
  if (credential !== null && existsSync(path)) {
    const message = `expected ${what} in one place, got it here and as the credential ${credential}`;
    return refused(
      path,
      message,
      'Take it away here, or out of the unit: nobody could say which of the two is in use.',
    );
  }
  const text = readPrivateFile(credential ?? path, what, MAX_SECRET_BYTES);
  return text.ok ? ok(text.value.replace(/\n$/, '')) : text;
}

/** Reads a file of text, refusing one that others may read or write. What stands in it is never part of an error. */
export function readPrivateFile(path: string, what: string, maxBytes: number): Result<string, ConfigProblem> {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
    const missing = code === 'ENOENT';
    const fix = missing ? 'Restore it from a backup.' : 'Run as the user that owns the data folder.';
    return refused(path, `expected ${what}, got ${missing ? 'no such file' : code}`, fix);
  }
  try {
    // The open file is asked, not its name: a name can be swapped between the question and the reading.
    const { mode, size, uid } = fstatSync(file);
    const own = process.getuid?.() ?? 0;
    // Root reads everything as it is, and looks after nodes of other users.
    if (own !== 0 && uid !== 0 && uid !== own) {
      const message = `expected ${what} to belong to user ${own}, who runs this, got a file of user ${uid}`;
      return refused(path, message, `Run: chown ${own} ${path} (and replace the key: its owner could read it).`);
    }
    if ((mode & forOthers(path)) !== 0) {
      const got = (mode & 0o777).toString(8).padStart(4, '0');
      const message = `expected ${what} to be readable by its owner alone (0600), got ${got}`;
      return refused(path, message, `Run: chmod 600 ${path} (and replace the key if others may have read it).`);
    }
    if (size > maxBytes) return refused(path, `expected ${what}, got ${size} bytes`, 'Restore it from a backup.');
    return ok(readFileSync(file, 'utf8'));
  } finally {
    closeSync(file);
  }
}

function forOthers(path: string): number {
  const credentials = process.env['CREDENTIALS_DIRECTORY'];
  return credentials !== undefined && dirname(path) === credentials ? OTHERS & ~GROUP_READ : OTHERS;
}

function seedHead(use: SeedFileUse): string {
  return `stigmem-${use}-seed/v1 `;
}

function refused(where: string, message: string, fix: string): Result<never, ConfigProblem> {
  return err({ where, key: null, message, fix });
}
