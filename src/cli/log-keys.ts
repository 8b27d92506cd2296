/** Verifier keys of a log, as options give them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readSeedFile } from '../config/secret-file.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import { ALG_ED25519 } from '../merkle/note.ts';
import { parseVerifierKey } from '../merkle/verifier-key.ts';
import { CliError } from './exit.ts';

export interface GivenLogKey {
  readonly origin: string;
  readonly publicKey: Uint8Array;
}

/** @throws CliError `usage` for one that is none */
export function logKeyOf(text: string): GivenLogKey {
  const key = parseVerifierKey(text.trim());
  if (key.ok && key.value.algorithm === ALG_ED25519) return { origin: key.value.name, publicKey: key.value.publicKey };
  const message = `expected the verifier key of a log (name+hash+base64), got ${JSON.stringify(text.slice(0, 80))}`;
  throw new CliError({
    exit: 'usage',
    message,
    fix: 'It stands in the node’s declaration, which every fact bundle carries.',
  });
}

/** Public key of the `log.key` in a folder of keys; null: there is none. @throws CliError `unavailable` */
export function logKeyIn(folder: string): Uint8Array | null {
  const file = join(folder, 'log.key');
  if (!existsSync(file)) return null;
  const seed = readSeedFile(file, 'log');
  if (!seed.ok) {
    const { where, message, fix } = seed.error;
    throw new CliError({ exit: 'unavailable', message: `${where}: ${message}`, fix });
  }
  // The name a signer carries is not part of its key.
  return createLogSigner('restore', seed.value).publicKey;
}
