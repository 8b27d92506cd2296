import { createHash } from 'node:crypto';
import type { PeerStatus } from '../core/peer-status.ts';
import { parseVerifierKey } from '../merkle/verifier-key.ts';
import { type ActOptions, actedOutcome } from './acting.ts';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import type { Context, Outcome } from './cli.ts';
import { requirePeer } from './peer-manage.ts';

interface TrustKeyOptions extends ActOptions {
  readonly key: readonly string[];
}

/** `peer trust-key`: an operator's word that the new keys are the partner's. */
export async function runTrustKey(
  context: Context,
  [name = '']: readonly string[],
  { key, reason }: TrustKeyOptions,
): Promise<Outcome> {
  requirePeer(context.dir(), name);
  const path = `/v1/federation/peers/${name}`;
  const { changes, answer } = await withApi(context, async (api) => {
    const before = JSON.parse(expectOk(await api.get(path))) as PeerStatus;
    const body = JSON.stringify({ keys: key, reason });
    return { changes: before.key_changes, answer: await api.post(`${path}/trust-key`, body) };
  });
  const lines = changes.flatMap(keyLines);
  const outcome = actedOutcome(answer, `What ${name} signs with now is trusted; it is asked at once.`);
  return { ...outcome, human: [...lines, outcome.human].join('\n') };
}

/** Both keys, each with the SHA-256 of its public key. */
export function keyLines({ pinned, declared }: PeerStatus['key_changes'][number]): string[] {
  return [`old ${pinned} ${fingerprint(pinned)}`, `new ${declared} ${fingerprint(declared)}`];
}

/** SHA-256 of a key's raw bytes. */
export function fingerprint(vkey: string): string {
  const key = parseVerifierKey(vkey);
  return key.ok ? `sha256:${createHash('sha256').update(key.value.publicKey).digest('hex')}` : '(unreadable)';
}
