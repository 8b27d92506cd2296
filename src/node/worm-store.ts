/** The store that records are shipped to, as the configuration names it. */
import type { WormPlace } from '../config/backup-settings.ts';
import { credentialFor } from '../config/secret-file.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { parseVerifierKey } from '../merkle/verifier-key.ts';
import type { HttpClient } from '../outbound/http-client.ts';
import { s3Credentials, s3CredentialsIn } from '../publish/s3-credentials.ts';
import type { OpenedSuccession } from '../wire/succession.ts';
import { FolderStore } from '../worm/folder-store.ts';
import { S3Store } from '../worm/s3-store.ts';
import { WormError, type WormStore } from '../worm/store.ts';

const PROFILE = 'default';

/** @throws WormError `store_unusable` */
export function openWormStore(place: WormPlace, http: HttpClient): WormStore {
  if (place.kind === 'folder') return new FolderStore(place.path);
  const { bucket, credentialsFile, endpoint, prefix, region } = place;
  const read =
    credentialsFile === null
      ? s3Credentials(process.env)
      : s3CredentialsIn(credentialFor(credentialsFile) ?? credentialsFile, PROFILE);
  if (!read.ok) throw new WormError('store_unusable', `${read.error.where}: ${read.error.message}. ${read.error.fix}`);
  const { accessKeyId, secretAccessKey, sessionToken } = read.value;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const message =
      'no credentials of the store: set worm.credentials_file, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
    throw new WormError('store_unusable', message);
  }
  const given = sessionToken === undefined ? {} : { sessionToken };
  return new S3Store({ bucket, prefix, endpoint, region, accessKeyId, secretAccessKey, ...given, http });
}

/** For messages and for the file that remembers what was shipped. */
export function wormTarget(place: WormPlace): string {
  return place.kind === 'folder' ? place.path : `s3://${place.bucket}/${place.prefix}`;
}

/** Raw log keys that have signed for a node: its own now, and those before it. */
export function logKeysOf(signer: LogSigner, statements: readonly OpenedSuccession[]): readonly Uint8Array[] {
  const before = statements.filter(({ use }) => use === 'log').flatMap((one) => [one.old, one.new]);
  const raw = before.flatMap((vkey) => {
    const key = parseVerifierKey(vkey);
    return key.ok ? [key.value.publicKey] : [];
  });
  return [signer.publicKey, ...raw];
}
