/** This node's public keys as verifiers take them: to give to a partner, or to put into a policy. */
import { existsSync } from 'node:fs';
import { dataPaths } from '../config/data-dir.ts';
import { readSeedFile, type SeedUse } from '../config/secret-file.ts';
import { witnessName } from '../core/node-id.ts';
import type { JournalIdentity } from '../journal/files.ts';
import { createAnchorSigner } from '../merkle/ecdsa.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import { ALG_COSIGNATURE_V1, ALG_ECDSA, ALG_ED25519 } from '../merkle/note.ts';
import { formatVerifierKey } from '../merkle/verifier-key.ts';
import { CliError } from './exit.ts';
import { fingerprint } from './peer-trust-key.ts';

export interface OwnVkey {
  readonly use: 'log' | 'audit' | 'witness' | 'anchor';
  readonly vkey: string;
  /** `sha256:` and the hash of the raw public key, hex. */
  readonly fingerprint: string;
}

/** Keys that the daemon makes when it first runs are left out before. @throws CliError `unavailable` */
export function ownVkeys(dir: string, { nodeId, journalOrigin, auditOrigin }: JournalIdentity): readonly OwnVkey[] {
  const paths = dataPaths(dir);
  const [log, witness] = [seedIn(paths.logKey, 'log'), seedIn(paths.witnessKey, 'witness')];
  const anchor = seedIn(paths.anchorKey, 'anchor');
  const edwards = (use: OwnVkey['use'], seed: Uint8Array | null, name: string, algorithm: number): OwnVkey[] =>
    seed === null ? [] : [own(use, { name, algorithm, publicKey: createLogSigner(name, seed).publicKey })];
  return [
    ...edwards('log', log, journalOrigin, ALG_ED25519),
    ...edwards('audit', log, auditOrigin, ALG_ED25519),
    ...edwards('witness', witness, witnessName(nodeId), ALG_COSIGNATURE_V1),
    ...(anchor === null ? [] : [own('anchor', anchorKeyOf(journalOrigin, anchor))]),
  ];
}

/** As comments of a peer file. */
export function vkeyComments(keys: readonly OwnVkey[]): string {
  const lines = keys.map(({ use, vkey, fingerprint: hash }) => `# ${use.padEnd(7)} ${vkey}  ${hash}`);
  return ['# verifier keys, with the SHA-256 of each:', ...lines].join('\n');
}

function anchorKeyOf(name: string, seed: Uint8Array): Parameters<typeof formatVerifierKey>[0] {
  return { name, algorithm: ALG_ECDSA, publicKey: createAnchorSigner(name, seed).publicKey };
}

function own(use: OwnVkey['use'], key: Parameters<typeof formatVerifierKey>[0]): OwnVkey {
  const vkey = formatVerifierKey(key);
  return { use, vkey, fingerprint: fingerprint(vkey) };
}

function seedIn(path: string, use: SeedUse): Uint8Array | null {
  if (!existsSync(path)) return null;
  const seed = readSeedFile(path, use);
  if (seed.ok) return seed.value;
  const { where, message, fix } = seed.error;
  throw new CliError({ exit: 'unavailable', message: `${where}: ${message}`, fix });
}
