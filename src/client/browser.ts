/** The public entry point `stigmem-peerd/client` in browsers. Documented in docs/client.md; what is not here is not public. */

export { BrowserPositions, BrowserStore } from './browser-stores.ts';
export type { Change, ChangesOptions, ErasedChange, FactChange, HiddenChange } from './changes.ts';
export {
  type AuditFilter,
  type AuditPage,
  type ClientOptions,
  type FactFilter,
  type Page,
  type ReadOptions,
  type Recalled,
  type RecallOptions,
  StigmemClient,
  type VerifyMode,
} from './client.ts';
export { type ErasedFact, FactErasedError, factIdDigest } from './erased.ts';
export { ApiError, VerificationError } from './errors.ts';
export type { Fact, FactProof } from './facts.ts';
export type { NewFact } from './new-fact.ts';
export {
  type CheckpointStore,
  MemoryPositions,
  MemoryStore,
  type OwedFact,
  type PositionStore,
  type SeenCheckpoint,
} from './stores.ts';
export type { TrustOptions } from './trust.ts';
export {
  type VerifiedAnchor,
  type VerifiedCheckpoint,
  verifyAnchor,
  verifyCheckpoint,
  verifyErasureProof,
  verifyEvidence,
  verifyEvidencePacket,
  verifyFactBundle,
  verifyFactChainProof,
  verifyFactCid,
} from './verify.ts';
