/**
 * The witness in the journal's thread: what it says about somebody's log never contradicts what it said or verified before.
 * Check and record are one step, durable before the signature leaves: two requests can never both be right about the past.
 */

import { DAY_MS } from '../core/time.ts';
import type { AuditReader } from '../journal/audit-reader.ts';
import type { Journal } from '../journal/journal.ts';
import type { VerifiedCheckpoint } from '../journal/peer-records.ts';
import { openCheckpoint } from '../merkle/checkpoint.ts';
import { checkConsistency } from '../merkle/consistency.ts';
import { cosign } from '../merkle/cosignature.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { EMPTY_ROOT, sameHash } from '../merkle/hash.ts';
import { formatSignatureLine } from '../merkle/note.ts';
import type { AddCheckpoint } from '../merkle/witness-body.ts';
import { RequestRates } from '../transport/request-rates.ts';
import type { ContradictionReason } from '../verify/contradiction.ts';
import { ownLines } from '../verify/own-lines.ts';
import type { CosignRefusal } from '../wire/witness.ts';
import type { Contradiction, SeenHeads } from './seen-heads.ts';

/** A log whose checkpoints this node judges, with the key that is pinned for it. */
export interface WitnessedLog {
  readonly origin: string;
  /** Raw Ed25519 key. */
  readonly key: Uint8Array;
  /** Node id of the peer whose journal it is; null for a log that is only configured. */
  readonly nodeId: string | null;
}

export type CosignOutcome =
  | { readonly kind: 'cosigned'; readonly lines: string; readonly size: number }
  /** The proof has to start at this size. */
  | { readonly kind: 'stale'; readonly size: number }
  | { readonly kind: 'refused'; readonly code: Exclude<CosignRefusal, 'unknown_log' | 'contradiction'> }
  /** Nothing is wrong with it; so many checkpoints of this log were cosigned that the next one has to wait. */
  | { readonly kind: 'busy'; readonly retryAfterMs: number }
  /** The log signed another root for the size that is stood for, or for a part of what it shows now. */
  | { readonly kind: 'contradiction'; readonly reason: ContradictionReason; readonly news: Contradiction | null };

/**
 * Of one log. Each is kept for good: what this node has vouched for is what shows that its log has another history for somebody
 * else, so that none is thinned out. A partner asks once for all that it appends in a quarter of a second, and has the day's
 * share at once: only one that appends for hours without a pause meets the end of it, and then waits a second or two.
 */
const COSIGNED_PER_DAY = 50_000;

const NOTHING: VerifiedCheckpoint = { size: 0, root: EMPTY_ROOT, note: '' };

export class Cosigner {
  readonly #journal: Journal;
  readonly #audit: AuditReader;
  readonly #signer: LogSigner;
  readonly #seen: SeenHeads;
  readonly #budget: RequestRates;

  /** @param perDay checkpoints of one log that are cosigned; counted since the start */
  constructor(
    journal: Journal,
    audit: AuditReader,
    signer: LogSigner,
    seen: SeenHeads,
    perDay: number = COSIGNED_PER_DAY,
  ) {
    this.#budget = new RequestRates({ perSecond: (perDay * 1_000) / DAY_MS, burst: perDay });
    this.#journal = journal;
    this.#audit = audit;
    this.#signer = signer;
    this.#seen = seen;
  }

  /**
   * Cosigns a checkpoint that extends the largest one that was cosigned or verified of that log.
   *
   * @see C2SP tlog-witness, add-checkpoint: the checks and their order
   */
  cosign(request: AddCheckpoint, log: WitnessedLog, nowMs: number): CosignOutcome {
    const opened = openCheckpoint(request.checkpoint, log);
    if (!opened.ok) return refused(opened.error === 'checkpoint_malformed' ? 'bad_request' : 'bad_signature');
    const next = { ...opened.value, note: ownLines(request.checkpoint, log) };
    if (request.oldSize > next.size) return refused('bad_request');
    if (log.nodeId !== null && this.#audit.suspension(log.nodeId) !== null) return refused('suspended');
    // Which of two heads is the past is not known: a signature over either might contradict the other.
    if (!this.#seen.isJoined(log)) return refused('unreconciled');

    const last = this.#seen.largest(log) ?? NOTHING;
    if (next.size === last.size && !sameHash(next.root, last.root)) {
      const shown = this.#seen.show(log, next, log.nodeId ?? '', nowMs);
      return { kind: 'contradiction', reason: 'checkpoint_split_view', news: shown.news };
    }
    if (request.oldSize !== last.size) return { kind: 'stale', size: last.size };
    if (!extendsLast(last, next, request.path))
      return this.#refuseProof(log, [last.note, next.note], request.path, nowMs);
    // The one that is stood for already is signed anew as often as it is asked for: it costs no row.
    const retryAfterMs = this.#isNew(log, last, next) ? this.#budget.take(log.origin, nowMs) : 0;
    return retryAfterMs > 0 ? { kind: 'busy', retryAfterMs } : this.#sign(log, last, next, nowMs);
  }

  #isNew(log: WitnessedLog, last: VerifiedCheckpoint, next: VerifiedCheckpoint): boolean {
    return next.size > last.size || (last.size === 0 && this.#journal.witness.cosigned(log.origin) === null);
  }

  /** A path that leads to the root the log has signed now shows what it says it was before: that is a contradiction. */
  #refuseProof(
    log: WitnessedLog,
    notes: readonly [string, string],
    path: readonly Uint8Array[],
    nowMs: number,
  ): CosignOutcome {
    const { kind, news } = this.#seen.judge(log, notes, path, log.nodeId ?? '', nowMs);
    if (kind !== 'contradiction') return refused('bad_proof');
    return { kind, reason: 'consistency_proof_invalid', news };
  }

  /** The newest checkpoint of that log that is stood for, cosigned anew; null: none. */
  monitored(log: WitnessedLog, nowMs: number): string | null {
    const last = this.#journal.witness.cosigned(log.origin);
    if (last === null) return null;
    const note = ownLines(last.note, log);
    return note + this.#lines(note, nowMs);
  }

  /** A crash before the commit leaves the old state and no signature; after it, a state that the log is asked to prove from. */
  #sign(log: WitnessedLog, last: VerifiedCheckpoint, next: VerifiedCheckpoint, nowMs: number): CosignOutcome {
    const { witness } = this.#journal;
    const before = witness.cosigned(log.origin);
    this.#journal.durably(() => {
      // What was verified by pulling is a link of what is stood for from now on.
      if (last.size > (before?.size ?? 0)) witness.saveCosigned(log.origin, last, nowMs * 1000);
      if (this.#isNew(log, last, next)) witness.saveCosigned(log.origin, next, nowMs * 1000);
    });
    this.#seen.extended(log);
    return { kind: 'cosigned', lines: this.#lines(next.note, nowMs), size: next.size };
  }

  #lines(note: string, nowMs: number): string {
    const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
    const seconds = Math.floor(nowMs / 1000);
    // In an overlap, who does not know the new key yet still finds the old one.
    return [this.#signer, ...this.#signer.former]
      .map((one) => formatSignatureLine(cosign(text, seconds, one)))
      .join('');
  }
}

function extendsLast(last: VerifiedCheckpoint, next: VerifiedCheckpoint, path: readonly Uint8Array[]): boolean {
  return checkConsistency(last.size, last.root, next.size, next.root, path) === 'ok';
}

function refused(code: Extract<CosignOutcome, { kind: 'refused' }>['code']): CosignOutcome {
  return { kind: 'refused', code };
}
