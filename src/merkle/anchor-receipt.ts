/** What shows to anybody that a checkpoint was in a transparency log: the signed checkpoint and what the log returned. */
import { hash } from 'node:crypto';
import { canonicalJson, isCanonicalJson, type PlainJson } from '../core/canonical-json.ts';
import { err, ok, type Result } from '../core/result.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { leafHash } from './hash.ts';
import { parseNote, verifyNote } from './note.ts';
import { checkRekorEntry, type RekorFault, readRekorEntry } from './rekor-entry.ts';
import type { TrustedLog } from './trusted-root.ts';
import { noteVerifier } from './verifier-key.ts';

export const ANCHOR_BACKENDS = ['local', 'rekor'] as const;
export type AnchorBackendName = (typeof ANCHOR_BACKENDS)[number];

export interface AnchorReceipt {
  readonly backend: AnchorBackendName;
  /** Signed note; its second line is the anchor key's. */
  readonly checkpoint: string;
  /** What the log returned, whole. Local: the line. Rekor: the entry, with `uuid` in v1. */
  readonly entry: unknown;
  /** POSIX seconds; null where the log states none. */
  readonly integrated_time: number | null;
  /** Lower-case hex. */
  readonly leaf_hash: string;
  readonly log_id: string;
  readonly log_index: number;
  readonly tree_size: number;
  readonly v: 1;
}

/** Whose anchor it has to be, and which logs are believed. */
export interface AnchorTrust {
  /** Origin of the log that is anchored. */
  readonly origin: string;
  /** SPKI DER of its anchor key, P-256. */
  readonly anchorKey: Uint8Array;
  readonly logs: readonly TrustedLog[];
}

export interface CheckedAnchor {
  readonly backend: AnchorBackendName;
  readonly treeSize: number;
  /** 32 bytes */
  readonly root: Uint8Array;
  readonly logIndex: number;
  /** POSIX seconds, as a trusted log signed it; null where there is none. A local line's time is nobody's word. */
  readonly integratedTime: number | null;
}

export type AnchorFault =
  | 'anchor_malformed'
  | 'anchor_origin_mismatch'
  | 'anchor_signature_invalid'
  | 'anchor_line_invalid'
  | RekorFault;

/** Largest receipt, as JSON text: an entry of v1 with its proof is some 5 KB. */
export const MAX_ANCHOR_RECEIPT_CHARS = 65_536;

/** The one text of a receipt. @throws RangeError if the log's entry holds a number that is no safe integer */
export function formatAnchorReceipt(receipt: AnchorReceipt): string {
  return canonicalJson({ ...receipt, entry: receipt.entry as PlainJson });
}

/** Reads the text of a receipt. Total; only the canonical one is taken. */
export function parseAnchorReceipt(text: string): Result<AnchorReceipt, 'anchor_malformed'> {
  if (text.length > MAX_ANCHOR_RECEIPT_CHARS) return err('anchor_malformed');
  try {
    const value: unknown = JSON.parse(text);
    return isCanonicalJson(value, text) ? readAnchorReceipt(value) : err('anchor_malformed');
  } catch {
    return err('anchor_malformed');
  }
}

/** Reads a receipt. Total; whether it holds, {@link checkAnchorReceipt} says. */
export function readAnchorReceipt(value: unknown): Result<AnchorReceipt, 'anchor_malformed'> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return err('anchor_malformed');
  const r = value as Record<string, unknown>;
  const isCount = (n: unknown): boolean => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0;
  const texts = [r['checkpoint'], r['leaf_hash'], r['log_id']].every((text) => typeof text === 'string');
  const counts = isCount(r['log_index']) && isCount(r['tree_size']);
  const time = r['integrated_time'] === null || isCount(r['integrated_time']);
  const backend = r['backend'] === 'local' || r['backend'] === 'rekor';
  const isWhole = Object.hasOwn(r, 'entry') && Object.keys(r).length === MEMBERS;
  return texts && counts && time && backend && r['v'] === 1 && isWhole
    ? ok(value as AnchorReceipt)
    : err('anchor_malformed');
}

const MEMBERS = 9;

/**
 * Checks a receipt: the anchor key has signed the checkpoint, and the log has that very signature. Pure and total. A local
 * line is only as good as the storage that it lies on: that it is well-formed and says the same is all that can be checked.
 */
export function checkAnchorReceipt(receipt: AnchorReceipt, trust: AnchorTrust): Result<CheckedAnchor, AnchorFault> {
  const note = parseNote(receipt.checkpoint);
  const checkpoint = note.ok ? parseCheckpoint(note.value.text) : note;
  if (!note.ok || !checkpoint.ok || checkpoint.value.size !== receipt.tree_size) return err('anchor_malformed');
  if (checkpoint.value.origin !== trust.origin) return err('anchor_origin_mismatch');

  const verifier = noteVerifier({ name: trust.origin, algorithm: 2, publicKey: trust.anchorKey });
  const signed = verifier.ok ? verifyNote(note.value, [verifier.value]) : verifier;
  const [line] = signed.ok ? signed.value : [];
  if (line === undefined) return err('anchor_signature_invalid');
  const { size, root } = checkpoint.value;
  const found = { backend: receipt.backend, treeSize: size, root };
  if (receipt.backend === 'local') {
    const index = lineIndex(receipt);
    return index === undefined ? err('anchor_line_invalid') : ok({ ...found, logIndex: index, integratedTime: null });
  }

  const entry = readRekorEntry(receipt.entry);
  if (!entry.ok) return entry;
  const sent = { text: note.value.text, signature: line.signature, publicKey: trust.anchorKey };
  const checked = checkRekorEntry(entry.value, sent, trust.logs);
  if (!checked.ok) return checked;
  const { logIndex, integratedTime, logId } = entry.value;
  const leaf = leafHash(entry.value.body).toString('hex');
  const isSame = logIndex === receipt.log_index && integratedTime === receipt.integrated_time;
  const isNamed = leaf === receipt.leaf_hash && logId.toString('hex') === receipt.log_id;
  if (!isSame || !isNamed) return err('anchor_malformed');
  return ok({ ...found, logIndex, integratedTime });
}

/** The index of a local line that hangs together and covers the checkpoint. */
function lineIndex(receipt: AnchorReceipt): number | undefined {
  const { entry, checkpoint, integrated_time, tree_size, log_index, leaf_hash: stated } = receipt;
  if (typeof entry !== 'object' || entry === null) return undefined;
  const line = entry as Record<string, unknown>;
  const payload = line['payload'] as Record<string, unknown> | null | undefined;
  if (typeof payload !== 'object' || payload === null) return undefined;
  const text = canonicalPayload(payload);
  const previous = line['prev_hash'];
  // A line states no time that anybody else has signed.
  if (text === undefined || typeof previous !== 'string' || integrated_time !== null) return undefined;
  const leaf = hash('sha256', text, 'hex');
  const chain = hash('sha256', `${previous}${leaf}`, 'hex');
  const isWhole =
    line['leaf_hash'] === leaf && stated === leaf && line['chain_hash'] === chain && line['note'] === checkpoint;
  const covers = payload['covered_chain_seq'] === tree_size && line['index'] === log_index;
  return isWhole && covers ? log_index : undefined;
}

/** Sorted members, no white space; payloads hold texts and whole numbers only, undefined for others. */
function canonicalPayload(payload: Record<string, unknown>): string | undefined {
  try {
    return canonicalJson(payload as PlainJson);
  } catch {
    return undefined;
  }
}
