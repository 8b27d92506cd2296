/**
 * The public entry point, `stigmem-peerd/core`: the pure functions of the journal format and of the protocol. Nothing
 * here does I/O, reads a clock or draws randomness. Documented in docs/library.md; what is not here is not public.
 */

// JSON and text as Python prints it
export { canonicalJson, type PlainJson } from '../core/canonical-json.ts';
// hash chain
export {
  type ChainMismatch,
  type ChainReport,
  type ChainRow,
  chainHash,
  type EventFields,
  eventHash,
  eventHashOfText,
  eventText,
  type LinkFields,
  linkText,
  verifyChain,
} from '../core/chain.ts';
// facts
export {
  type CidText,
  cidBody,
  cidBodyText,
  cidOfText,
  computeCid,
  type FactBody,
  isCid,
  looksLikeCid,
  parseCid,
  tryComputeCid,
} from '../core/cid.ts';
export { type EntityError, isInformal, normalizeEntity } from '../core/entity.ts';
// entries, leaves
export {
  type Attestation,
  decodeEntry,
  type Entry,
  type EntryRefusal,
  encodeEntry,
  type Origin,
} from '../core/entry.ts';
export { ENTRY_KEYS } from '../core/entry-record.ts';
// outcomes
export { CoreError, type CoreErrorCode } from '../core/errors.ts';
// clock
export {
  checkSkew,
  compareHlc,
  DEFAULT_SKEW_LIMITS,
  formatHlc,
  HLC_ZERO,
  type Hlc,
  isStrictHlc,
  parseStrictHlc,
  receive,
  type SkewLimits,
  type SkewRejection,
  tick,
} from '../core/hlc.ts';
export { isUuid, uuidV7 } from '../core/ids.ts';
export {
  isJsonNumber,
  isJsonObject,
  type JsonError,
  type JsonLimits,
  JsonNumber,
  type JsonObject,
  type JsonValue,
  jsonText,
  parseJson,
} from '../core/json.ts';
export { authorityOf, isAuthority, isNodeId, type NodeId, nodeIdOf, parseNodeId } from '../core/node-id.ts';
export {
  asciiJsonString,
  isWellFormed,
  pythonFloatText,
  pythonJsonFloatText,
  pythonJsonString,
  pythonNumberText,
  pythonRepr,
  pythonStr,
  sha256OfText,
} from '../core/python-text.ts';
// what the Stigmem reference does, where our own rules are others
export {
  type AssertError,
  type AssertedFact,
  candidateValueTexts,
  readAssertRequest,
  referenceWireValue,
} from '../core/reference/assert-fact.ts';
export {
  afterAppend,
  type Cadence,
  type ChainHead,
  type CheckpointRow,
  type CheckpointSettings,
  checkpointLeafHash,
  checkpointPayload,
  isCheckpointDue,
  type SubmitCheckpoint,
} from '../core/reference/checkpoint.ts';
export {
  type Declaration as ReferenceDeclaration,
  declarationText as referenceDeclarationText,
  keyFingerprint,
  signDeclaration as signReferenceDeclaration,
  verifyDeclaration as verifyReferenceDeclaration,
} from '../core/reference/declaration.ts';
export { type InboundError, type InboundFact, readInboundFact } from '../core/reference/inbound-fact.ts';
export {
  checkReferenceSkew,
  compareAsSqliteText,
  compareReferenceHlc,
  formatReferenceHlc,
  parseReferenceHlc,
  type ReferenceHlc,
  type ReferenceSkew,
  receiveReference,
  tickReference,
} from '../core/reference/lenient-hlc.ts';
export {
  checkLocalInclusion,
  type InclusionError,
  type LogLine,
  localLogId,
  nextLogLine,
  payloadLeafHash,
} from '../core/reference/local-log.ts';
export {
  type AcceptedToken,
  mintPeerToken,
  type PeerTokenClaims,
  peerTokenPayload,
  permittedScopes,
  type ScopeRefusal,
  type TokenAudit,
  type TokenContext,
  type TokenPeer,
  type TokenRefusal,
  verifyPeerToken,
} from '../core/reference/peer-token.ts';
export { pythonFloatOf } from '../core/reference/python-number.ts';
export { checkSdkProof, type SdkRefusal } from '../core/reference/sdk-proof.ts';
export { err, ok, type Result } from '../core/result.ts';
export {
  type FeedName,
  feedOf,
  gardenSlug,
  isFeed,
  isScope,
  parseFeed,
  receivedFeed,
  SCOPES,
  type Scope,
} from '../core/scope.ts';
export { isoMicros, parseIsoInstant, pythonIsoFormat, pythonIsoFormatOfMs } from '../core/time.ts';
export { isValidUntilExtension } from '../core/valid-until.ts';
export { decodeValue, encodeValue, isValueType, VALUE_TYPES, type ValueType } from '../core/value.ts';
// what a node decides
export {
  type Difference,
  FACT_EVENT,
  type FactReason,
  type PageReason,
  PENALTY,
  type QuarantineReason,
  type Reason,
  type RefusalEvent,
} from '../core/verdict.ts';
// keys and notes
export { decodeBase64, encodeBase64 } from '../merkle/base64.ts';
// checkpoints, cosignatures, feed heads
export {
  type Checkpoint,
  type CheckpointError,
  formatCheckpoint,
  type OpenedCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
} from '../merkle/checkpoint.ts';
export { commitment, entryLeafHash, leafData, SALT_BYTES } from '../merkle/commitment.ts';
// trees and proofs
export { type ConsistencyCheck, checkConsistency } from '../merkle/consistency.ts';
export {
  appendSignature,
  checkCosignature,
  cosign,
  cosignatureTime,
  cosignatureVerifier,
} from '../merkle/cosignature.ts';
export { createLogSigner, isEd25519Key, type LogSigner, verifyEd25519 } from '../merkle/ed25519.ts';
// tiles
export { decodeEntryBundle, encodeEntryBundle } from '../merkle/entry-bundle.ts';
export {
  type FeedHead,
  type FeedHeadError,
  formatFeedHead,
  openFeedHead,
  parseFeedHead,
  signFeedHead,
} from '../merkle/feed-head.ts';
export {
  EMPTY_ROOT,
  HASH_BYTES,
  leafHash,
  nodeHash,
  packHashes,
  sameHash,
  sha256,
  unpackHashes,
} from '../merkle/hash.ts';
export { checkInclusion, type InclusionCheck, inclusionLength } from '../merkle/inclusion.ts';
export { consistencyProof, inclusionProof, pageProof, rootOf, rootOfPage, tilesOf } from '../merkle/leaf-list.ts';
export {
  ALG_COSIGNATURE_V1,
  ALG_ECDSA,
  ALG_ED25519,
  ed25519Verifier,
  formatNote,
  formatSignatureLine,
  isKeyName,
  MAX_NOTE_BYTES,
  MAX_NOTE_SIGNATURES,
  type NoteError,
  type NoteSignature,
  type NoteVerifier,
  noteKeyId,
  parseNote,
  parseSignatureLine,
  type SignedNote,
  signEd25519,
  verifyNote,
} from '../merkle/note.ts';
export { foldPage, inclusionFromPage, type PageProofError } from '../merkle/page-proof.ts';
export {
  proveConsistency,
  proveInclusion,
  provePage,
  rootAt,
  TILE_HASHES,
  type TileSource,
  tilePath,
  tileWidth,
} from '../merkle/tiles.ts';
export { type FullTile, type PartialTile, TreeBuilder, type TreeSnapshot } from '../merkle/tree-builder.ts';
export {
  formatVerifierKey,
  noteVerifier,
  parseVerifierKey,
  type VerifierKey,
  verifierKeyId,
} from '../merkle/verifier-key.ts';
// messages between peers
export {
  type Declaration,
  type DeclaredKey,
  openDeclaration,
  signDeclaration,
} from '../wire/declaration.ts';
export { decodeHello, encodeHello, type Hello, type KnownHead } from '../wire/hello.ts';
export {
  type DecodedPage,
  decodePage,
  encodePage,
  framesAfterHeader,
  type PageContent,
  type PageFrames,
} from '../wire/page.ts';
export { decodePageHeader, encodePageHeader, type PageEncoding, type PageHeader } from '../wire/page-header.ts';
export {
  type ConsistencyAnswer,
  type ConsistencyRequest,
  decodeProofAnswer,
  decodeProofRequest,
  encodeProofAnswer,
  encodeProofRequest,
  type InclusionAnswer,
  type InclusionRequest,
  type ProofAnswer,
  type ProofRequest,
  type TileAnswer,
  type TileRequest,
} from '../wire/proof.ts';
export { HELLO_PROTOCOL, PROOF_PROTOCOL, PROTOCOLS, PULL_PROTOCOL, WATCH_PROTOCOL } from '../wire/protocols.ts';
export { decodePullEnd, encodePullEnd, isPullEnd, type PullEnd, type PullError } from '../wire/pull-end.ts';
export { decodePullRequest, encodePullRequest, type FeedCursor, type PullRequest } from '../wire/pull-request.ts';
export type { Malformed } from '../wire/shape.ts';
export {
  decodeWatchRequest,
  decodeWatchUpdate,
  encodeWatchRequest,
  encodeWatchUpdate,
  type WatchRequest,
  type WatchUpdate,
} from '../wire/watch.ts';
