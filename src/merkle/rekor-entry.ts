/** What Rekor returns for a `hashedrekord`, v1 and v2, in one form; and whether it is the one that was meant. */
import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { decodeDecimal } from './decimal.ts';
import { HASH_BYTES, leafHash, sameHash, sha256 } from './hash.ts';
import { checkInclusion } from './inclusion.ts';
import { parseNote } from './note.ts';
import { isSignedBy, type TrustedLog } from './trusted-root.ts';

/** An entry as Rekor returned it; nothing of it is believed yet. */
export interface RekorEntry {
  readonly version: 1 | 2;
  /** The leaf: canonical JSON. */
  readonly body: Buffer;
  readonly logId: Buffer;
  /** Over all shards of the log. */
  readonly logIndex: number;
  /** POSIX seconds; null in v2, which states no time. */
  readonly integratedTime: number | null;
  readonly proof: RekorProof;
  /** v1's signed entry timestamp. */
  readonly timestamp: Buffer | null;
}

interface RekorProof {
  /** In the tree of its shard. */
  readonly index: number;
  readonly size: number;
  readonly root: Buffer;
  readonly hashes: readonly Buffer[];
  readonly checkpoint: string;
}

/** What was signed and sent. */
export interface SignedDigest {
  /** Text of the checkpoint, with its final newline. */
  readonly text: string;
  /** DER */
  readonly signature: Uint8Array;
  /** SPKI DER, P-256 */
  readonly publicKey: Uint8Array;
}

export type RekorFault =
  | 'rekor_malformed'
  | 'rekor_body_mismatch'
  | 'rekor_log_unknown'
  | 'rekor_inclusion_invalid'
  | 'rekor_checkpoint_invalid'
  | 'rekor_timestamp_invalid';

const MAX_PATH_HASHES = 64;

/** Reads an entry of v1 (`uuid` beside the members of the log entry) or of v2 (a TransparencyLogEntry). Total. */
export function readRekorEntry(value: unknown): Result<RekorEntry, 'rekor_malformed'> {
  if (!isRecord(value)) return err('rekor_malformed');
  const entry = 'canonicalizedBody' in value ? readV2(value) : readV1(value);
  return entry === undefined ? err('rekor_malformed') : ok(entry);
}

/** The leaf that Rekor makes of a `hashedrekord`: its own canonical JSON. */
export function rekorBody(version: 1 | 2, { text, signature, publicKey }: SignedDigest): string {
  const digest = sha256(Buffer.from(text));
  const content = encodeBase64(signature);
  if (version === 1) {
    const pem = encodeBase64(Buffer.from(pemOf(publicKey)));
    return `{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":{"algorithm":"sha256","value":"${digest.toString('hex')}"}},"signature":{"content":"${content}","publicKey":{"content":"${pem}"}}}}`;
  }
  const key = `{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":"${encodeBase64(publicKey)}"}}`;
  return `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"${encodeBase64(digest)}"},"signature":{"content":"${content}","verifier":${key}}}}}`;
}

/** PEM of an SPKI key, as OpenSSL writes it. */
export function pemOf(spki: Uint8Array): string {
  const lines = encodeBase64(spki).match(/.{1,64}/g) ?? [];
  return `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----\n`;
}

/**
 * Checks an entry against what was sent and the logs that are trusted: the leaf is recomputed and compared byte by byte,
 * its inclusion folds into a root that a trusted log signed, and v1's timestamp is that log's. Pure and total.
 */
export function checkRekorEntry(
  entry: RekorEntry,
  sent: SignedDigest,
  logs: readonly TrustedLog[],
): Result<{ readonly log: TrustedLog }, RekorFault> {
  if (entry.body.toString('utf8') !== rekorBody(entry.version, sent)) return err('rekor_body_mismatch');
  const { index, size, root, hashes } = entry.proof;
  if (checkInclusion(leafHash(entry.body), index, hashes, root, size) !== 'ok') return err('rekor_inclusion_invalid');
  const known = logs.filter((log) => sameKeyId(log, entry.logId));
  if (known.length === 0) return err('rekor_log_unknown');
  const log = known.find((one) => isRootSigned(entry.proof, one));
  if (log === undefined) return err('rekor_checkpoint_invalid');
  if (entry.timestamp !== null && !isTimestamped(entry, entry.timestamp, log)) return err('rekor_timestamp_invalid');
  // A time that nobody signed is no time.
  if (entry.timestamp === null && entry.integratedTime !== null) return err('rekor_timestamp_invalid');
  return ok({ log });
}

function sameKeyId(log: TrustedLog, id: Buffer): boolean {
  return id.length >= 4 && Buffer.from(log.keyId).equals(id);
}

/** Rekor's origin may hold spaces (`host - tree id`): its checkpoint is read by lines, not as one of our own. */
function isRootSigned(proof: RekorProof, log: TrustedLog): boolean {
  const note = parseNote(proof.checkpoint);
  if (!note.ok) return false;
  const [, size = '', root = ''] = note.value.text.split('\n');
  if (decodeDecimal(size) !== proof.size || !sameHash(decodeBase64(root) ?? new Uint8Array(0), proof.root))
    return false;
  const hint = Buffer.from(log.keyId).readUInt32BE();
  const text = Buffer.from(note.value.text);
  const own = note.value.signatures.filter((line) => line.keyId === hint && log.baseUrl.includes(line.name));
  // As in any note: a bad line of a known key refuses it, whatever stands beside.
  return own.length > 0 && own.every((line) => isSignedBy(log, text, line.signature));
}

function isTimestamped(entry: RekorEntry, signature: Buffer, log: TrustedLog): boolean {
  const { body, integratedTime, logId, logIndex } = entry;
  const signed = `{"body":"${encodeBase64(body)}","integratedTime":${integratedTime},"logID":"${logId.toString('hex')}","logIndex":${logIndex}}`;
  return isSignedBy(log, Buffer.from(signed), signature);
}

function readV1(value: Record<string, unknown>): RekorEntry | undefined {
  const verification = value['verification'];
  const proof = isRecord(verification) ? verification['inclusionProof'] : undefined;
  const stamp = isRecord(verification) ? base64Of(verification['signedEntryTimestamp']) : undefined;
  const [body, logId] = [base64Of(value['body']), hexOf(value['logID'])];
  const [logIndex, integratedTime] = [integerOf(value['logIndex']), integerOf(value['integratedTime'])];
  if (!isRecord(proof) || body === undefined || logId === undefined || stamp === undefined) return undefined;
  if (logIndex === undefined || integratedTime === undefined) return undefined;
  const hashes = listOf(proof['hashes'], hexOf);
  const read = proofOf(proof, integerOf, hexOf(proof['rootHash']), hashes, proof['checkpoint']);
  return read && { version: 1, body, logId, logIndex, integratedTime, proof: read, timestamp: stamp };
}

function readV2(value: Record<string, unknown>): RekorEntry | undefined {
  const { logId, kindVersion, inclusionProof, canonicalizedBody, logIndex, integratedTime } = value as Record<
    string,
    unknown
  >;
  const [body, index] = [base64Of(canonicalizedBody), countOf(logIndex)];
  const keyId = isRecord(logId) ? base64Of(logId['keyId']) : undefined;
  if (body === undefined || index === undefined || keyId === undefined || !isRecord(inclusionProof)) return undefined;
  const isKind = isRecord(kindVersion) && kindVersion['kind'] === 'hashedrekord' && kindVersion['version'] === '0.0.2';
  if (!isKind || countOf(integratedTime) !== 0) return undefined;
  const checkpoint = isRecord(inclusionProof['checkpoint']) ? inclusionProof['checkpoint']['envelope'] : undefined;
  const hashes = listOf(inclusionProof['hashes'], base64Of);
  const proof = proofOf(inclusionProof, countOf, base64Of(inclusionProof['rootHash']), hashes, checkpoint);
  // One log is one tree in v2: the place in the log is the one that is proven.
  if (proof?.index !== index) return undefined;
  return { version: 2, body, logId: keyId, logIndex: index, integratedTime: null, proof, timestamp: null };
}

function proofOf(
  proof: Record<string, unknown>,
  numberOf: (value: unknown) => number | undefined,
  root: Buffer | undefined,
  hashes: Buffer[] | undefined,
  checkpoint: unknown,
): RekorProof | undefined {
  const [index, size] = [numberOf(proof['logIndex']), numberOf(proof['treeSize'])];
  if (index === undefined || size === undefined || root?.length !== HASH_BYTES) return undefined;
  if (hashes === undefined || typeof checkpoint !== 'string') return undefined;
  return { index, size, root, hashes, checkpoint };
}

/** Protobuf's JSON leaves out empty lists. */
function listOf(value: unknown, read: (item: unknown) => Buffer | undefined): Buffer[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > MAX_PATH_HASHES) return undefined;
  const items = value.map(read);
  return items.every((item) => item?.length === HASH_BYTES) ? (items as Buffer[]) : undefined;
}

/** Protobuf's JSON writes 64-bit numbers as text, and leaves zero out. */
function countOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return 0;
  return typeof value === 'string' ? decodeDecimal(value) : integerOf(value);
}

function integerOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function base64Of(value: unknown): Buffer | undefined {
  return typeof value === 'string' ? decodeBase64(value) : undefined;
}

function hexOf(value: unknown): Buffer | undefined {
  return typeof value === 'string' && /^(?:[0-9a-f]{2})+$/.test(value) ? Buffer.from(value, 'hex') : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
