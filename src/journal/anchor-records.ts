/** Checkpoints that go to transparency logs, what came back for them, and what is still to be submitted. */
import { sql } from 'kysely';
import { DAY_MS } from '../core/time.ts';
import type { AnchorBackendName, AnchorReceipt } from '../merkle/anchor-receipt.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { type NewRow, prepareAppend } from './appended.ts';
import { type Db, lastKey, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { hashText } from './entry-row.ts';
import { LOGS, type LogName, type Tables } from './tables.ts';

/** One checkpoint to be anchored. The note is durable before it is submitted: a second try sends the same bytes. */
export interface AnchorCheckpoint {
  readonly id: number;
  readonly log: LogName;
  readonly treeSize: number;
  /** base64 */
  readonly root: string;
  /** `sha256:…` of the last entry or record covered; null for the empty log. */
  readonly chainHash: string | null;
  /** Signed by log key and anchor key. */
  readonly note: string;
  readonly createdUs: number;
}

/** What a backend returned, as it is stored. */
export interface NewAnchorReceipt {
  readonly backend: AnchorBackendName;
  readonly logId: string;
  readonly logIndex: number;
  /** POSIX seconds */
  readonly integratedTime: number | null;
  /** Lower-case hex. */
  readonly leafHash: string;
  /** JSON text */
  readonly entry: string;
  /** The trust root that it was verified with, as text. */
  readonly trustRoot: string | null;
}

export interface AnchorFailure {
  readonly error: string;
  /** The log will never take it as it is: later ones are not held up by it. */
  readonly isPermanent: boolean;
  readonly nextRetryUs: number;
}

/** How far one backend is. */
export interface BackendStatus {
  readonly backend: string;
  readonly pending: number;
  /** When the oldest pending checkpoint was made, µs; null when none is pending. */
  readonly oldestPendingUs: number | null;
  /** Largest journal size submitted; 0 for none. */
  readonly watermark: number;
  /** Tries of the oldest pending one. */
  readonly attempts: number;
  readonly nextRetryUs: number | null;
  readonly lastError: string | null;
}

type Row = Tables['anchor_checkpoints'];
type Receipt = Tables['anchor_receipts'];
type Attempt = Tables['anchor_attempts'];

export class AnchorRecords {
  readonly #db: Db;
  readonly #add: (row: NewRow<'anchor_checkpoints'>) => number;
  readonly #addReceipt: (row: NewRow<'anchor_receipts'>) => number;
  readonly #byId: Statement<[number], Row>;
  readonly #latest: Statement<[number], Row>;
  readonly #receipts: Statement<[number], Receipt>;
  readonly #covering: Statement<[number, number], Row>;
  readonly #newest: Statement<[string], Receipt>;
  readonly #attempt: Statement<[number, string], Attempt>;
  readonly #saveAttempt: Statement<unknown[]>;
  readonly #dropAttempt: Statement<[number, string]>;
  readonly #without: Statement<[number, string], number>;
  /** By backend: checkpoints up to one that had no receipt when they were looked at. One that was refused for good stays. */
  readonly #waiting = new Map<string, { upTo: number; readonly ids: Set<number> }>();

  constructor(db: Db) {
    this.#db = db;
    this.#add = prepareAppend(db, 'anchor_checkpoints');
    this.#addReceipt = prepareAppend(db, 'anchor_receipts');
    const rows = sqlBuilder.selectFrom('anchor_checkpoints').selectAll();
    this.#byId = prepare(db, rows.where('anchor_id', '=', PARAM));
    this.#latest = prepare(db, rows.where('log', '=', PARAM).orderBy('anchor_id', 'desc').limit(ONE));
    this.#receipts = prepare(
      db,
      sqlBuilder.selectFrom('anchor_receipts').selectAll().where('anchor_id', '=', PARAM).orderBy('receipt_id'),
    );
    this.#covering = prepare(
      db,
      rows.where('log', '=', PARAM).where('tree_size', '>=', PARAM).orderBy('tree_size', 'desc'),
    );
    const receipts = sqlBuilder.selectFrom('anchor_receipts').selectAll();
    this.#newest = prepare(db, receipts.where('backend', '=', PARAM).orderBy('receipt_id', 'desc'));
    const ids = sqlBuilder.selectFrom('anchor_checkpoints').select('anchor_id').where('anchor_id', '>', PARAM);
    const receipt = sql<boolean>`NOT EXISTS (SELECT 1 FROM anchor_receipts r
      WHERE r.anchor_id = anchor_checkpoints.anchor_id AND r.backend = ${PARAM})`;
    this.#without = prepare<[number, string]>(db, ids.where(receipt).orderBy('anchor_id')).pluck() as Statement<
      [number, string],
      number
    >;
    const attempts = sqlBuilder.selectFrom('anchor_attempts').selectAll();
    this.#attempt = prepare(db, attempts.where('anchor_id', '=', PARAM).where('backend', '=', PARAM));
    this.#saveAttempt = prepare(db, sqlBuilder.replaceInto('anchor_attempts').values(ATTEMPT));
    const dropped = sqlBuilder.deleteFrom('anchor_attempts');
    this.#dropAttempt = prepare(db, dropped.where('anchor_id', '=', PARAM).where('backend', '=', PARAM));
  }

  /** The caller holds the transaction. @returns its id */
  add(log: LogName, checkpoint: Omit<AnchorCheckpoint, 'id' | 'log' | 'root' | 'chainHash'> & HashBytes): number {
    const { treeSize, root, chainHash, note, createdUs } = checkpoint;
    const row = { tree_size: treeSize, root, chain_hash: chainHash, note, created_us: createdUs };
    return this.#add({ log: LOGS[log], ...row });
  }

  latest(log: LogName): AnchorCheckpoint | null {
    const row = this.#latest.get(LOGS[log]);
    return row === undefined ? null : checkpointOf(row);
  }

  byId(id: number): AnchorCheckpoint | null {
    const row = this.#byId.get(id);
    return row === undefined ? null : checkpointOf(row);
  }

  /**
   * What `backend` has to take next: the oldest without a receipt. Null while that one waits for its retry; one that was
   * refused for good is passed over until its own time comes.
   */
  next(backend: string, nowUs: number): AnchorCheckpoint | null {
    for (const id of this.#pending(backend)) {
      const attempt = this.#attempt.get(id, backend);
      const waitUs = (attempt?.next_retry_us ?? 0) - nowUs;
      // Nobody backs off for a day: the clock was wrong when it failed.
      if (attempt === undefined || waitUs <= 0 || waitUs > DAY_MS * 1000) return this.byId(id);
      if (attempt.is_permanent === 0) return null;
    }
    return null;
  }

  /** The caller holds the transaction. A receipt that is there already is left alone: the log has it once. */
  addReceipt(id: number, receipt: NewAnchorReceipt, nowUs: number): void {
    const { backend } = receipt;
    if (!this.#hasReceipt(id, backend)) {
      this.#addReceipt({
        anchor_id: id,
        backend,
        log_id: receipt.logId,
        log_index: receipt.logIndex,
        integrated_time: receipt.integratedTime,
        leaf_hash: receipt.leafHash,
        entry: receipt.entry,
        trust_root: receipt.trustRoot,
        submitted_us: nowUs,
      });
    }
    this.#dropAttempt.run(id, backend);
  }

  fail(id: number, backend: string, { error, isPermanent, nextRetryUs }: AnchorFailure): void {
    const count = (this.#attempt.get(id, backend)?.attempt_count ?? 0) + 1;
    this.#saveAttempt.run([id, backend, count, nextRetryUs, isPermanent ? 1 : 0, error]);
  }

  /** Everything that waits is tried again at once. */
  retryNow(): void {
    this.#db.exec('UPDATE anchor_attempts SET next_retry_us = 0');
  }

  status(backend: string): BackendStatus {
    let [pending, watermark] = [0, 0];
    let first: number | undefined;
    for (const id of this.#pending(backend)) {
      pending++;
      first ??= id;
    }
    for (let id = (first ?? this.#last() + 1) - 1; id > 0 && watermark === 0; id--) {
      const checkpoint = this.byId(id);
      if (checkpoint?.log === 'journal') watermark = checkpoint.treeSize;
    }
    const attempt = first === undefined ? undefined : this.#attempt.get(first, backend);
    return {
      backend,
      pending,
      oldestPendingUs: first === undefined ? null : (this.byId(first)?.createdUs ?? null),
      watermark,
      attempts: attempt?.attempt_count ?? 0,
      nextRetryUs: attempt?.next_retry_us ?? null,
      lastError: attempt?.last_error ?? null,
    };
  }

  /** Newest first, from below `before`. @param pending only what no log has taken yet */
  page(before: number, limit: number, pending = false): Anchored[] {
    const found: Anchored[] = [];
    for (let id = Math.min(before - 1, this.#last()); id > 0 && found.length < limit; id--) {
      const checkpoint = this.byId(id);
      const anchored = checkpoint === null ? null : { checkpoint, receipts: this.receipts(checkpoint) };
      if (anchored !== null && !(pending && anchored.receipts.length > 0)) found.push(anchored);
    }
    return found;
  }

  receipts(checkpoint: AnchorCheckpoint): AnchorReceipt[] {
    return this.#receipts.all(checkpoint.id).map((receipt) => receiptOf(checkpoint, receipt));
  }

  /** Of the newest checkpoint of the journal that a log has: of an outside one if there is any. */
  newestReceipt(): AnchorReceipt | null {
    for (const backend of ['rekor', 'local'] satisfies AnchorBackendName[]) {
      for (const receipt of this.#newest.iterate(backend)) {
        const checkpoint = this.byId(receipt.anchor_id);
        if (checkpoint?.log === 'journal') return receiptOf(checkpoint, receipt);
      }
    }
    return null;
  }

  /** When a checkpoint was first taken by a log, µs; null for none. */
  submittedUs(id: number): number | null {
    return this.#receipts.get(id)?.submitted_us ?? null;
  }

  /** The newest checkpoint of the journal that covers entry `chainSeq` and is in a log. */
  anchoredFor(chainSeq: number): Anchored | null {
    for (const row of this.#covering.iterate(LOGS.journal, chainSeq)) {
      const checkpoint = checkpointOf(row);
      const receipts = this.receipts(checkpoint);
      if (receipts.length > 0) return { checkpoint, receipts };
    }
    return null;
  }

  *#pending(backend: string): Generator<number> {
    const waiting = this.#waiting.get(backend) ?? { upTo: 0, ids: new Set() };
    this.#waiting.set(backend, waiting);
    const last = this.#last();
    if (last > waiting.upTo) for (const id of this.#without.all(waiting.upTo, backend)) waiting.ids.add(id);
    waiting.upTo = Math.max(waiting.upTo, last);
    for (const id of waiting.ids) {
      if (this.#hasReceipt(id, backend)) waiting.ids.delete(id);
      else yield id;
    }
  }

  #hasReceipt(id: number, backend: string): boolean {
    return this.#receipts.all(id).some((receipt) => receipt.backend === backend);
  }

  #last(): number {
    return lastKey(this.#db, 'anchor_checkpoints', 'anchor_id');
  }
}

interface HashBytes {
  readonly root: Uint8Array;
  readonly chainHash: Uint8Array | null;
}

/** A checkpoint with what the logs returned for it, oldest first. */
export interface Anchored {
  readonly checkpoint: AnchorCheckpoint;
  readonly receipts: readonly AnchorReceipt[];
}

function receiptOf(checkpoint: AnchorCheckpoint, receipt: Receipt): AnchorReceipt {
  return {
    backend: receipt.backend as AnchorBackendName,
    checkpoint: checkpoint.note,
    entry: JSON.parse(receipt.entry),
    integrated_time: receipt.integrated_time,
    leaf_hash: receipt.leaf_hash,
    log_id: receipt.log_id,
    log_index: receipt.log_index,
    tree_size: checkpoint.treeSize,
    v: 1,
  };
}

function checkpointOf(row: Row): AnchorCheckpoint {
  return {
    id: row.anchor_id,
    log: row.log === LOGS.journal ? 'journal' : 'audit',
    treeSize: row.tree_size,
    root: encodeBase64(row.root),
    chainHash: row.chain_hash === null ? null : hashText(row.chain_hash),
    note: row.note,
    createdUs: row.created_us,
  };
}

const ATTEMPT: Attempt = {
  anchor_id: PARAM,
  backend: PARAM,
  attempt_count: PARAM,
  next_retry_us: PARAM,
  is_permanent: PARAM,
  last_error: PARAM,
};
