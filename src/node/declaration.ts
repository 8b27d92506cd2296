/** This node's own signed declaration, from the keys of its data folder. */
import { witnessName } from '../core/node-id.ts';
import { createAnchorSigner } from '../merkle/ecdsa.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import { declareSelf } from '../pull/declare.ts';
import type { Base } from './base.ts';
import { SOFTWARE } from './version.ts';

/** @param issuedAt ISO time; the same one gives the same bytes */
export function declarationOf(base: Base, issuedAt: string): string {
  const self = {
    identity: base.identity,
    peerId: base.peerId,
    nodeSigner: createLogSigner(base.identity.nodeId, base.nodeSeed),
    logKey: createLogSigner(base.identity.journalOrigin, base.logSeed).publicKey,
    witnessKey: createLogSigner(witnessName(base.identity.nodeId), base.witnessSeed).publicKey,
    anchorKey: createAnchorSigner(base.identity.journalOrigin, base.anchorSeed).publicKey,
    software: SOFTWARE,
  };
  return declareSelf(self, issuedAt);
}
