/** This node's public keys as verifiers take them: to give to a partner, or to put into a policy. */
import { dataPaths, keyFile } from '../config/data-dir.ts';
import { readSeedFile, type SeedUse, secretExists } from '../config/secret-file.ts';
import type { JournalIdentity } from '../journal/files.ts';
import { vkeyOf } from '../node/own-keys.ts';
import { CliError } from './exit.ts';
import { fingerprint } from './peer-trust-key.ts';

export interface OwnVkey {
  readonly use: 'log' | 'audit' | 'witness' | 'anchor';
  readonly vkey: string;
  /** `sha256:` and the hash of the raw public key, hex. */
  readonly fingerprint: string;
}

/** Keys that the daemon makes when it first runs are left out before. @throws CliError `unavailable` */
export function ownVkeys(dir: string, identity: JournalIdentity): readonly OwnVkey[] {
  const paths = dataPaths(dir);
  const shown = (use: 'log' | 'witness' | 'anchor'): readonly OwnVkey[] => {
    const seed = seedIn(keyFile(paths, use), use);
    if (seed === null) return [];
    // One key signs both logs, each under its own name.
    const audit = { ...identity, journalOrigin: identity.auditOrigin };
    return [own(use, vkeyOf(use, seed, identity)), ...(use === 'log' ? [own('audit', vkeyOf(use, seed, audit))] : [])];
  };
  return [...shown('log'), ...shown('witness'), ...shown('anchor')];
}

/** As comments of a peer file. */
export function vkeyComments(keys: readonly OwnVkey[]): string {
  const lines = keys.map(({ use, vkey, fingerprint: hash }) => `# ${use.padEnd(7)} ${vkey}  ${hash}`);
  return ['# verifier keys, with the SHA-256 of each:', ...lines].join('\n');
}

function own(use: OwnVkey['use'], vkey: string): OwnVkey {
  return { use, vkey, fingerprint: fingerprint(vkey) };
}

function seedIn(path: string, use: SeedUse): Uint8Array | null {
  if (!secretExists(path)) return null;
  const seed = readSeedFile(path, use);
  if (seed.ok) return seed.value;
  const { where, message, fix } = seed.error;
  throw new CliError({ exit: 'unavailable', message: `${where}: ${message}`, fix });
}
