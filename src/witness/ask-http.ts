/**
 * Asks a witness over HTTP what it has cosigned of our own log: its newest checkpoint, or else the size alone. Nothing is
 * judged here.
 */
import { hash } from 'node:crypto';
import { askWitnessOver, submitCheckpoint } from './submit-http.ts';

export type CosignedAnswer =
  /** A signed note, as the witness gave it. */
  | { readonly kind: 'note'; readonly note: string }
  /** The witness's word: nothing is signed. */
  | { readonly kind: 'size'; readonly size: number }
  | { readonly kind: 'failed' };

export interface OwnLog {
  readonly origin: string;
  /** The newest checkpoint of ours that is here; null when nothing was signed. */
  readonly signed: string | null;
}

/**
 * Reads the checkpoint from the monitoring side; a witness without one is asked by an add-checkpoint from size zero, whose
 * 409 names the size. The checkpoint in it was signed before: a witness that has cosigned a larger one refuses it.
 *
 * @see C2SP tlog-witness
 * @throws the signal's reason
 */
export async function askCosigned(url: string, log: OwnLog, signal: AbortSignal): Promise<CosignedAnswer> {
  const shown = await askWitnessOver(url, `${hash('sha256', log.origin)}/checkpoint`, { method: 'GET' }, signal);
  if (shown.kind === 'failed' && shown.why === 'unreachable') return { kind: 'failed' };
  // A page about something else is no checkpoint, and says nothing of ours.
  if (shown.kind === 'answered' && shown.response.status === 200 && shown.body.startsWith(`${log.origin}\n`))
    return { kind: 'note', note: shown.body };
  if (log.signed === null) return { kind: 'failed' };
  const outcome = await submitCheckpoint(url, { oldSize: 0, path: [], checkpoint: log.signed }, signal);
  if (outcome.kind === 'stale') return { kind: 'size', size: outcome.size };
  // It knew of nothing before, and nothing that it says now is kept: cosignatures are collected when all is clear.
  return outcome.kind === 'cosigned' ? { kind: 'size', size: 0 } : { kind: 'failed' };
}
