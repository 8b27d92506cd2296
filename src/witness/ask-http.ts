/**
 * Asks a witness over HTTP what it has cosigned of our own log: its newest checkpoint, and the size alone. Nothing is judged
 * here.
 */
import { hash } from 'node:crypto';
import { statedSize } from '../merkle/checkpoint.ts';
import type { HttpClient } from '../outbound/http-client.ts';
import { askWitnessOver, submitCheckpoint } from './submit-http.ts';

export interface CosignedAnswer {
  /** A signed note, as the witness gave it; null: it shows none. */
  readonly note: string | null;
  /** The witness's word, which nobody has signed; 0: it says nothing, or that it knows nothing. */
  readonly size: number;
}

export interface OwnLog {
  readonly origin: string;
  /** The newest checkpoint of ours that is here; null when nothing was signed. */
  readonly signed: string | null;
}

/**
 * Reads the checkpoint from the monitoring side, and asks for the size by an add-checkpoint from size zero, whose 409 names
 * it: what is monitored may be an hour old. The checkpoint in it was signed before: a witness that has cosigned a larger one
 * refuses it.
 *
 * @see C2SP tlog-witness
 * @returns null when there is no answer that says anything
 * @throws the signal's reason
 */
export async function askCosigned(
  http: HttpClient,
  url: string,
  log: OwnLog,
  signal: AbortSignal,
): Promise<CosignedAnswer | null> {
  const path = `${hash('sha256', log.origin)}/checkpoint`;
  const shown = await askWitnessOver(http, url, path, { method: 'GET' }, signal);
  if (shown.kind === 'failed' && shown.why !== 'malformed') return null;
  // A page about something else is no checkpoint, and says nothing of ours.
  const isShown =
    shown.kind === 'answered' && shown.response.status === 200 && shown.body.startsWith(`${log.origin}\n`);
  const note = isShown ? shown.body : null;
  const isLarger = note !== null && statedSize(note) > statedSize(log.signed ?? '');
  const size = log.signed === null || isLarger ? undefined : await cosignedSize(http, url, log.signed, signal);
  return note === null && size === undefined ? null : { note, size: size ?? 0 };
}

/** @returns undefined when it does not say */
async function cosignedSize(
  http: HttpClient,
  url: string,
  checkpoint: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const outcome = await submitCheckpoint(http, url, { oldSize: 0, path: [], checkpoint }, signal);
  if (outcome.kind === 'stale') return outcome.size;
  // It knew of nothing before. Its cosignature is not kept: those are collected when all is clear.
  return outcome.kind === 'cosigned' ? 0 : undefined;
}
