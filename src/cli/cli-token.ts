import type { KeyStore, StoredKey } from '../admin/keys.ts';
import { dataPaths } from '../config/data-dir.ts';
import { writeSecretFile } from '../config/secret-file.ts';

const NAME = 'cli';
/** Whoever can read the token can write the folder; a short life would only lock the operator out. */
const DAYS = 3_650;

/** Makes the command line's key and writes it to keys/cli.token; an older one is revoked first. */
export function mintCliToken(dir: string, keys: KeyStore, nowMs: number): StoredKey {
  for (const old of keys.list()) {
    if (old.name === NAME && old.revoked_at === null) keys.revoke(old.id, nowMs);
  }
  const { key, secret } = keys.create(
    { name: NAME, class: 'human', role: 'admin', permissions: ['admin'], days: DAYS },
    nowMs,
  );
  writeSecretFile(dataPaths(dir).cliToken, secret);
  return key;
}
