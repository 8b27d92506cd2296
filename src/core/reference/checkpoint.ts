import { hash } from 'node:crypto';
import { pythonJsonString } from '../python-text.ts';
import { parseIsoInstant, pythonIsoFormat } from '../time.ts';

const KIND = 'stigmem.fact_chain_checkpoint';

export interface ChainHead {
  readonly tenant_id: string;
  readonly chain_seq: number | bigint;
  readonly chain_hash: string;
  readonly created_at: string;
}

/** The text of a checkpoint's payload; `created_at` is the checkpoint's own, not the head's. */
export function checkpointPayload(head: ChainHead): string {
  return `{"chain_hash":${pythonJsonString(head.chain_hash)},"covered_chain_seq":${head.chain_seq},"created_at":${pythonJsonString(head.created_at)},"kind":"${KIND}","tenant_id":${pythonJsonString(head.tenant_id)},"version":1}`;
}

/** Leaf hash of a payload: bare hex of the same text. */
export function checkpointLeafHash(payload: string): string {
  return hash('sha256', payload, 'hex');
}

export interface Cadence {
  /** Entries; less than 1 acts as 1. */
  readonly interval: number;
  /** Seconds; less than 1 acts as 1. */
  readonly max_age_s: number;
}

/**
 * When the reference makes a checkpoint: after `interval` entries, or `max_age_s` after the latest one. Without one
 * the age is the head's own, which it only looks at just after appending: so the first never comes by age.
 */
export function isCheckpointDue(
  head: { readonly seq: number; readonly createdAt: string },
  latest: { readonly covered_chain_seq: number; readonly created_at: string } | null,
  now: string,
  cadence: Cadence,
): boolean {
  const covered = latest?.covered_chain_seq ?? 0;
  if (head.seq <= covered) return false;
  if (head.seq - covered >= Math.max(1, cadence.interval)) return true;
  const since = parseIsoInstant(latest?.created_at ?? head.createdAt);
  const until = parseIsoInstant(now);
  if (!since.ok || !until.ok) return false;
  return until.value - since.value >= BigInt(Math.max(1, cadence.max_age_s)) * 1_000_000n;
}

export interface CheckpointRow {
  readonly covered_chain_seq: number;
  readonly status: 'pending' | 'submitted';
  readonly attempt_count: number;
  readonly created_at: string;
  readonly submitted_at: string | null;
  readonly next_retry_at: string | null;
  readonly last_error: string | null;
  readonly tl_log_index: number | null;
}

export interface CheckpointSettings extends Cadence {
  readonly retry_s: number;
}

/** Submits the checkpoint that covers `seq`; the log's index for it, or why it failed. */
export type SubmitCheckpoint = (seq: number) => { readonly index: number } | { readonly error: string };

/**
 * What the reference does after each append: retries at most one pending row, the oldest that is due, then makes
 * and submits one for the head if the cadence says so.
 * @param rows  ascending by `covered_chain_seq`
 * @param nowUs microseconds since 1970
 */
export function afterAppend(
  rows: readonly CheckpointRow[],
  head: { readonly seq: number; readonly createdAt: string },
  nowUs: number,
  settings: CheckpointSettings,
  submit: SubmitCheckpoint,
): CheckpointRow[] {
  const now = pythonIsoFormat(nowUs);
  const retry = rows.findIndex(
    (row) => row.status === 'pending' && (row.next_retry_at === null || row.next_retry_at <= now),
  );
  const next = rows.map((row, place) => (place === retry ? attempt(row, nowUs, settings, submit) : row));
  if (!isCheckpointDue(head, next.at(-1) ?? null, now, settings)) return next;
  return [...next, attempt(newRow(head.seq, now), nowUs, settings, submit)];
}

function newRow(seq: number, now: string): CheckpointRow {
  return {
    covered_chain_seq: seq,
    status: 'pending',
    attempt_count: 0,
    created_at: now,
    submitted_at: null,
    next_retry_at: null,
    last_error: null,
    tl_log_index: null,
  };
}

function attempt(
  row: CheckpointRow,
  nowUs: number,
  settings: CheckpointSettings,
  submit: SubmitCheckpoint,
): CheckpointRow {
  const attempt_count = row.attempt_count + 1;
  const outcome = submit(row.covered_chain_seq);
  if ('error' in outcome) {
    const next_retry_at = pythonIsoFormat(nowUs + Math.max(1, settings.retry_s) * 1_000_000);
    return { ...row, attempt_count, next_retry_at, last_error: outcome.error };
  }
  const submitted_at = pythonIsoFormat(nowUs);
  return {
    ...row,
    status: 'submitted',
    attempt_count,
    submitted_at,
    next_retry_at: null,
    last_error: null,
    tl_log_index: outcome.index,
  };
}
