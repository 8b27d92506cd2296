/** This node's own signed declaration, from the keys of its data folder. */
import { isoMicros } from '../core/time.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import { declareSelf } from '../pull/declare.ts';
import type { DeclaredKey } from '../wire/declaration.ts';
import type { Base } from './base.ts';
import type { OwnKey } from './own-keys.ts';

/** @param issuedAt ISO time; the same one gives the same bytes */
export function declarationOf(base: Pick<Base, 'identity' | 'peerId' | 'keys' | 'config'>, issuedAt: string): string {
  const { identity, peerId, keys, config } = base;
  const nodeSigner = createLogSigner(identity.nodeId, keys.node.seed);
  return declareSelf({ identity, peerId, nodeSigner, keys: declaredKeys(keys, config.keys.validMs) }, issuedAt);
}

/** The keys in use first, then those that still sign beside them. */
function declaredKeys({ log, anchor, witness }: Base['keys'], validMs: number | null): DeclaredKey[] {
  const declare = (use: DeclaredKey['use'], { vkey, since, former }: OwnKey): DeclaredKey[] => [
    {
      algorithm: ALGORITHM[use],
      not_after: validMs === null ? null : laterBy(since, validMs),
      not_before: since,
      use,
      vkey,
    },
    ...former.map((one) => ({
      algorithm: ALGORITHM[use],
      not_after: one.until,
      not_before: one.since,
      use,
      vkey: one.vkey,
    })),
  ];
  return [...declare('log', log), ...declare('anchor', anchor), ...declare('witness', witness)];
}

function laterBy(since: string, ms: number): string {
  return isoMicros((Date.parse(since) + ms) * 1000);
}

const ALGORITHM: Readonly<Record<DeclaredKey['use'], DeclaredKey['algorithm']>> = {
  log: 'ed25519',
  anchor: 'ecdsa-p256',
  witness: 'cosignature-v1',
};
