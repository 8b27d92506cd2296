/** Which checkpoint a fact is proved against: the one that most outsiders have put their word to. */
import { sql } from 'kysely';
import type { AnchorReceipt } from '../merkle/anchor-receipt.ts';
import { type AnchorCheckpoint, AnchorRecords } from './anchor-records.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { LOGS } from './tables.ts';

/** Anchored checkpoints that are looked at for one that is cosigned, too. */
const RECENT_ANCHORED = 16;
const MAX_COSIGNATURES = 32;

/** A signed checkpoint of the journal to prove against. */
export interface ProofCheckpoint {
  readonly size: number;
  /** Signed note with the lines of the log key, the anchor key and the witnesses, as far as there are any. */
  readonly note: string;
  /** Of transparency logs; none if no log has it. */
  readonly receipts: readonly AnchorReceipt[];
}

/** The newest checkpoint that a transparency log has. */
export interface SubmittedCheckpoint {
  readonly checkpoint: AnchorCheckpoint;
  readonly receipts: readonly AnchorReceipt[];
  readonly submittedUs: number;
}

/** Finds checkpoints in a number of steps that does not depend on how many there are. */
export class ProofCheckpoints {
  readonly #anchors: AnchorRecords;
  readonly #recent: Statement<[number, number], number>;
  readonly #lines: Statement<[number, number, number], string>;
  readonly #cosigned: Statement<[number], number>;
  readonly #signed: Statement<[number, number], string>;

  constructor(db: Db) {
    this.#anchors = new AnchorRecords(db);
    const receipt = sql<boolean>`EXISTS (SELECT 1 FROM anchor_receipts r WHERE r.anchor_id = anchor_checkpoints.anchor_id)`;
    // Not a join with receipts: they would be sorted, all that there ever were.
    const recent = sqlBuilder
      .selectFrom('anchor_checkpoints')
      .select('anchor_id')
      .where('log', '=', PARAM)
      .where(receipt)
      .orderBy('tree_size', 'desc')
      .limit(PARAM);
    this.#recent = prepare<[number, number]>(db, recent).pluck() as Statement<[number, number], number>;
    const lines = sqlBuilder
      .selectFrom('cosignatures')
      .select('line')
      .where('log', '=', PARAM)
      .where('tree_size', '=', PARAM)
      .orderBy('cosignature_id')
      .limit(PARAM);
    this.#lines = prepare<[number, number, number]>(db, lines).pluck() as Statement<[number, number, number], string>;
    const cosigned = sqlBuilder.selectFrom('cosignatures').select('tree_size').where('log', '=', PARAM);
    const newest = cosigned.orderBy('tree_size', 'desc').limit(ONE);
    this.#cosigned = prepare<[number]>(db, newest).pluck() as Statement<[number], number>;
    const signed = sqlBuilder.selectFrom('checkpoints').select('note').where('log', '=', PARAM);
    this.#signed = prepare<[number, number]>(
      db,
      signed.where('tree_size', '=', PARAM).orderBy('checkpoint_id', 'desc').limit(ONE),
    ).pluck() as Statement<[number, number], string>;
  }

  /**
   * The newest checkpoints that are anchored and cosigned, anchored, cosigned, and last the newest one signed. The first
   * of them that covers an entry is the one to prove it against.
   */
  candidates(head: { readonly size: number; readonly note: string }): ProofCheckpoint[] {
    const anchored = this.#anchored();
    const both = anchored.find(({ treeSize }) => this.#cosignatures(treeSize) !== '');
    const found = [both, anchored[0]].flatMap((checkpoint) =>
      checkpoint === undefined ? [] : [this.#withWitnesses(checkpoint)],
    );
    const cosignedSize = this.#cosigned.get(LOGS.journal);
    const cosigned = cosignedSize === undefined ? undefined : this.#signed.get(LOGS.journal, cosignedSize);
    if (cosigned !== undefined && cosignedSize !== undefined) {
      found.push({ size: cosignedSize, note: cosigned + this.#cosignatures(cosignedSize), receipts: [] });
    }
    return [...found, { ...head, receipts: [] }];
  }

  /** The newest checkpoint of the journal that a transparency log has. */
  submitted(): SubmittedCheckpoint | null {
    const checkpoint = this.#anchored()[0];
    if (checkpoint === undefined) return null;
    const submittedUs = this.#anchors.submittedUs(checkpoint.id) ?? checkpoint.createdUs;
    return { checkpoint, receipts: this.#anchors.receipts(checkpoint), submittedUs };
  }

  /** The largest first. */
  #anchored(): AnchorCheckpoint[] {
    return this.#recent.all(LOGS.journal, RECENT_ANCHORED).flatMap((id) => this.#anchors.byId(id) ?? []);
  }

  #withWitnesses(checkpoint: AnchorCheckpoint): ProofCheckpoint {
    const { treeSize, note } = checkpoint;
    const receipts = this.#anchors.receipts(checkpoint);
    return { size: treeSize, note: note + this.#cosignatures(treeSize), receipts };
  }

  #cosignatures(size: number): string {
    return this.#lines.all(LOGS.journal, size, MAX_COSIGNATURES).join('');
  }
}
