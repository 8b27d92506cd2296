import { createHash } from 'node:crypto';
import { parseVerifierKey } from '../merkle/verifier-key.ts';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import type { CommonOptions, Context, Outcome } from './cli.ts';
import { requirePeer } from './peer-manage.ts';
import type { PeerStatus } from './wire-shapes.ts';

interface TrustKeyOptions extends CommonOptions {
  readonly logKey: string;
}

/** `peer trust-key`: an operator's word that the new log key is the partner's. */
export async function runTrustKey(
  context: Context,
  [name = '']: readonly string[],
  { logKey }: TrustKeyOptions,
): Promise<Outcome> {
  requirePeer(context.dir(), name);
  const path = `/v1/federation/peers/${name}`;
  const { change, json } = await withApi(context, async (api) => {
    const before = JSON.parse(expectOk(await api.get(path))) as PeerStatus;
    const answer = expectOk(await api.post(`${path}/trust-key`, JSON.stringify({ log_key: logKey })));
    return { change: before.log_key_change, json: answer };
  });
  const lines = change === null ? [] : keyLines(change);
  return { json, human: [...lines, `The new log key of ${name} is trusted; it is asked at once.`].join('\n') };
}

/** Both keys, each with the SHA-256 of its 32 raw bytes. */
export function keyLines({ pinned, declared }: NonNullable<PeerStatus['log_key_change']>): string[] {
  return [`old ${pinned} ${fingerprint(pinned)}`, `new ${declared} ${fingerprint(declared)}`];
}

/** SHA-256 of a key's raw bytes. */
export function fingerprint(vkey: string): string {
  const key = parseVerifierKey(vkey);
  return key.ok ? `sha256:${createHash('sha256').update(key.value.publicKey).digest('hex')}` : '(unreadable)';
}
