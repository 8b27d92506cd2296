/** This node's own signed declaration, from the keys of its data folder. */
import { createLogSigner } from '../merkle/ed25519.ts';
import { declareSelf } from '../pull/declare.ts';
import type { DeclaredKey } from '../wire/declaration.ts';
import type { Base } from './base.ts';
import type { OwnKey } from './own-keys.ts';

/** @param issuedAt ISO time; the same one gives the same bytes */
export function declarationOf(base: Pick<Base, 'identity' | 'peerId' | 'keys'>, issuedAt: string): string {
  const { identity, peerId, keys } = base;
  const nodeSigner = createLogSigner(identity.nodeId, keys.node.seed);
  return declareSelf({ identity, peerId, nodeSigner, keys: declaredKeys(keys) }, issuedAt);
}

/** The keys in use first, then those that still sign beside them. */
function declaredKeys({ log, anchor, witness }: Base['keys']): DeclaredKey[] {
  const declare = (use: DeclaredKey['use'], { vkey, since, former }: OwnKey): DeclaredKey[] => [
    { algorithm: ALGORITHM[use], not_after: null, not_before: since, use, vkey },
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

const ALGORITHM: Readonly<Record<DeclaredKey['use'], DeclaredKey['algorithm']>> = {
  log: 'ed25519',
  anchor: 'ecdsa-p256',
  witness: 'cosignature-v1',
};
