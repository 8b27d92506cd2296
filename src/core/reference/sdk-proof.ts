import { hash } from 'node:crypto';
import { isJsonNumber, isJsonObject, JsonNumber, type JsonObject, type JsonValue, parseJson } from '../json.ts';
import { err, ok, type Result } from '../result.ts';
import { HASHED_STYLE, pythonJson } from './python-json.ts';
import { pythonFloatOf, pythonIntOf } from './python-number.ts';

/** Why the Python SDK turns a `chain_proof` down; `model` means that it could not read it at all. */
export type SdkRefusal =
  | 'model'
  | 'missing_proof'
  | 'negative_entries'
  | 'missing_head'
  | 'missing_checkpoint'
  | 'tenant_mismatch'
  | 'head_mismatch'
  | 'covers_too_much'
  | 'not_submitted'
  | 'missing_leaf_hash'
  | 'missing_log_index'
  | 'leaf_hash_mismatch'
  | 'payload_mismatch';

interface Proof {
  readonly tenant_id: string;
  readonly checked_entries: bigint;
  readonly head_hash: string | null;
  readonly checkpoint: Checkpoint | null;
}

interface Checkpoint {
  readonly tenant_id: string;
  readonly covered_chain_seq: bigint;
  readonly chain_hash: string;
  readonly status: string;
  readonly created_at: string;
  readonly tl_leaf_hash: string | null;
  readonly tl_log_index: bigint | null;
  readonly payload: JsonValue | undefined;
}

/**
 * What `verify_fact_chain_proof` of the Python SDK says, first failure first. A checkpoint behind the head is refused;
 * one without its payload is accepted with any leaf hash.
 * @param proofText JSON of the `chain_proof` member; null: there was none
 */
export function checkSdkProof(proofText: string | null, requireCheckpoint: boolean): Result<true, SdkRefusal> {
  if (proofText === null) return err('missing_proof');
  const parsed = parseJson(proofText);
  if (!parsed.ok) return err('model');
  if (parsed.value === null) return err('missing_proof');
  const proof = readProof(parsed.value);
  if (proof === null) return err('model');
  if (proof.checked_entries < 0n) return err('negative_entries');
  if (proof.checked_entries > 0n && !proof.head_hash) return err('missing_head');
  if (proof.checkpoint === null) return requireCheckpoint ? err('missing_checkpoint') : ok(true);
  return checkCheckpoint(proof, proof.checkpoint);
}

function checkCheckpoint(proof: Proof, checkpoint: Checkpoint): Result<true, SdkRefusal> {
  if (checkpoint.tenant_id !== proof.tenant_id) return err('tenant_mismatch');
  if (proof.head_hash !== null && checkpoint.chain_hash !== proof.head_hash) return err('head_mismatch');
  if (checkpoint.covered_chain_seq > proof.checked_entries) return err('covers_too_much');
  if (checkpoint.status !== 'submitted') return err('not_submitted');
  if (!checkpoint.tl_leaf_hash) return err('missing_leaf_hash');
  if (checkpoint.tl_log_index === null) return err('missing_log_index');
  if (!isJsonObject(checkpoint.payload)) return ok(true);
  const leaf = hash('sha256', pythonJson(checkpoint.payload, HASHED_STYLE), 'hex');
  if (leaf !== checkpoint.tl_leaf_hash) return err('leaf_hash_mismatch');
  return isPayloadOf(checkpoint.payload, checkpoint) ? ok(true) : err('payload_mismatch');
}

function isPayloadOf(payload: JsonObject, checkpoint: Checkpoint): boolean {
  return (
    payload.size === 6 &&
    payload.get('chain_hash') === checkpoint.chain_hash &&
    equalsNumber(payload.get('covered_chain_seq'), checkpoint.covered_chain_seq) &&
    payload.get('created_at') === checkpoint.created_at &&
    payload.get('kind') === 'stigmem.fact_chain_checkpoint' &&
    payload.get('tenant_id') === checkpoint.tenant_id &&
    equalsNumber(payload.get('version'), 1n)
  );
}

/** Python's `==`: 1, 1.0 and True are equal. */
function equalsNumber(value: JsonValue | undefined, wanted: bigint): boolean {
  if (typeof value === 'boolean') return wanted === (value ? 1n : 0n);
  if (!isJsonNumber(value)) return false;
  if (/^-?[0-9]+$/.test(value.lexeme)) return BigInt(value.lexeme) === wanted;
  const x = Number(value.lexeme);
  return Number.isInteger(x) && BigInt(x) === wanted;
}

function readProof(value: JsonValue): Proof | null {
  if (!isJsonObject(value)) return null;
  const raw = value.get('checkpoint') ?? null;
  const checkpoint = raw === null ? null : readCheckpoint(raw);
  const checked_entries = integer(value.get('checked_entries'));
  const [tenant_id, head_hash] = [value.get('tenant_id'), optional(value.get('head_hash'), string)];
  if (typeof tenant_id !== 'string' || checked_entries === undefined || head_hash === undefined) return null;
  return raw !== null && checkpoint === null ? null : { tenant_id, checked_entries, head_hash, checkpoint };
}

function readCheckpoint(value: JsonValue): Checkpoint | null {
  if (!isJsonObject(value)) return null;
  const [tenant_id, chain_hash, status] = [
    string(value.get('tenant_id')),
    string(value.get('chain_hash')),
    string(value.get('status')),
  ];
  const created_at = string(value.get('created_at'));
  const covered_chain_seq = integer(value.get('covered_chain_seq'));
  const tl_leaf_hash = optional(value.get('tl_leaf_hash'), string);
  const tl_log_index = optional(value.get('tl_log_index'), integer);
  const raw = value.has('tl_raw') ? value.get('tl_raw') : new Map<string, JsonValue>();
  if (tenant_id === undefined || chain_hash === undefined || status === undefined || created_at === undefined)
    return null;
  if (covered_chain_seq === undefined || tl_leaf_hash === undefined || tl_log_index === undefined) return null;
  if (!isJsonObject(raw) || !restIsReadable(value)) return null;
  const payload = raw.get('payload');
  return { tenant_id, covered_chain_seq, chain_hash, status, created_at, tl_leaf_hash, tl_log_index, payload };
}

/** Members that the SDK reads but does not look at. */
function restIsReadable(value: JsonObject): boolean {
  const inclusion = value.get('tl_inclusion_proof');
  return (
    string(value.get('id')) !== undefined &&
    string(value.get('tl_backend')) !== undefined &&
    integer(value.get('attempt_count')) !== undefined &&
    ['submitted_at', 'last_error', 'tl_log_id'].every((key) => optional(value.get(key), string) !== undefined) &&
    optional(value.get('tl_integrated_time'), integer) !== undefined &&
    (inclusion === undefined || isJsonObject(inclusion))
  );
}

function string(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function optional<T>(value: JsonValue | undefined, read: (value: JsonValue) => T | undefined): T | null | undefined {
  return value === undefined || value === null ? null : read(value);
}

/** Pydantic reads integers from integral floats, booleans and numeric text too. */
function integer(value: JsonValue | undefined): bigint | undefined {
  if (value === undefined || value === null || (!isScalar(value) && !isJsonNumber(value))) return undefined;
  const asFloat = pythonFloatOf(value);
  const whole = isJsonNumber(value) && asFloat.ok && !Number.isInteger(asFloat.value) ? undefined : pythonIntOf(value);
  if (whole?.ok) return whole.value;
  const isIntegralText = typeof value === 'string' && /^\s*[-+]?[0-9]+\.0*\s*$/.test(value);
  const cut = isIntegralText ? pythonIntOf(new JsonNumber(value.trim().replace(/^\+|\..*$/g, ''))) : undefined;
  return cut?.ok ? cut.value : undefined;
}

function isScalar(value: JsonValue): boolean {
  return typeof value === 'string' || typeof value === 'boolean';
}
