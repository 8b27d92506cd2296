import { witnessName } from '../core/node-id.ts';
import { isoMicros } from '../core/time.ts';
import { createAnchorSigner } from '../merkle/ecdsa.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import { declareSelf } from '../pull/declare.ts';
import type { Base } from './base.ts';
import { SOFTWARE } from './version.ts';

/** This node's signed declaration, dated now. */
export function ownDeclaration(base: Base): string {
  const self = {
    identity: base.identity,
    peerId: base.peerId,
    nodeSigner: createLogSigner(base.identity.nodeId, base.nodeSeed),
    logKey: createLogSigner(base.identity.journalOrigin, base.logSeed).publicKey,
    witnessKey: createLogSigner(witnessName(base.identity.nodeId), base.witnessSeed).publicKey,
    anchorKey: createAnchorSigner(base.identity.journalOrigin, base.anchorSeed).publicKey,
    software: SOFTWARE,
  };
  return declareSelf(self, isoMicros(Date.now() * 1000));
}
