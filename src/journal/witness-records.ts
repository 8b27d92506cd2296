/** What this node has cosigned, the cosignatures that it has collected, and checkpoints of others' logs that it was shown. */
import { parseSignatureLine } from '../merkle/note.ts';
import { type NewRow, prepareAppend } from './appended.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { VerifiedCheckpoint } from './peer-records.ts';
import { LOGS, type LogName } from './tables.ts';

/** A head of somebody's log that came through a third node. */
export interface SeenHead extends VerifiedCheckpoint {
  readonly id: number;
  readonly origin: string;
  /** Node id of who showed it. */
  readonly seenFrom: string;
}

interface HeadRow {
  readonly tree_size: number;
  readonly root: Uint8Array;
  readonly note: string;
}

/** A page header has room for more; the newest of each witness is enough for any policy. */
const MAX_SERVED_COSIGNATURES = 48;

export class WitnessRecords {
  readonly #cosigned: Statement<[string], CosignedRow>;
  readonly #insertCosigned: (row: NewRow<'cosigned'>) => number;
  readonly #insertCosignature: (row: NewRow<'cosignatures'>) => number;
  readonly #insertSeen: (row: NewRow<'seen_checkpoints'>) => number;
  readonly #lines: Statement<[number, number], { witness: string; line: string }>;
  readonly #sizes: Statement<[number, number], number>;
  readonly #signed: Statement<[number, number], string>;
  readonly #anchored: Statement<[number, number], string>;
  readonly #seenAt: Statement<[string, number], SeenRow>;
  readonly #seenById: Statement<[number], SeenRow>;
  readonly #open: Statement<[string], SeenRow>;
  readonly #newest: Statement<[string], SeenRow>;
  readonly #peerAt: Statement<[string, number], HeadRow>;
  readonly #cosignedUpTo: Statement<[string, number], CosignedRow>;
  readonly #reconcile: Statement<unknown[]>;

  constructor(db: Db) {
    this.#insertCosigned = prepareAppend(db, 'cosigned');
    this.#insertCosignature = prepareAppend(db, 'cosignatures');
    this.#insertSeen = prepareAppend(db, 'seen_checkpoints');
    const cosigned = sqlBuilder
      .selectFrom('cosigned')
      .select(['cosigned_id', 'tree_size', 'root', 'note'])
      .where('origin', '=', PARAM)
      .orderBy('cosigned_id', 'desc')
      .limit(ONE);
    this.#cosigned = prepare(db, cosigned);
    this.#cosignedUpTo = prepare(db, cosigned.where('cosigned_id', '<=', PARAM));
    this.#lines = prepare(db, linesOf);
    this.#sizes = prepare<[number, number]>(db, sizesOf).pluck() as Statement<[number, number], number>;
    this.#signed = prepare<[number, number]>(db, signedNote).pluck() as Statement<[number, number], string>;
    this.#anchored = prepare<[number, number]>(db, anchoredNote).pluck() as Statement<[number, number], string>;
    this.#seenAt = prepare(db, seenOf.where('tree_size', '=', PARAM).orderBy('seen_id'));
    this.#seenById = prepare(db, seenRows.where('seen_id', '=', PARAM));
    this.#newest = prepare(db, seenOf.orderBy('tree_size', 'desc').limit(ONE));
    this.#open = prepare(db, seenOf.where('seen_id', 'not in', reconciled).orderBy('seen_id'));
    this.#peerAt = prepare(
      db,
      sqlBuilder
        .selectFrom('peer_checkpoints')
        .select(['tree_size', 'root', 'note'])
        .where('peer', '=', PARAM)
        .where('tree_size', '=', PARAM)
        .limit(ONE),
    );
    this.#reconcile = prepare(db, sqlBuilder.replaceInto('seen_reconciled').values({ seen_id: PARAM }));
  }

  /** The checkpoint of that log that was cosigned last. */
  cosigned(origin: string): VerifiedCheckpoint | null {
    return headOf(this.#cosigned.get(origin));
  }

  saveCosigned(origin: string, { size, root, note }: VerifiedCheckpoint, nowUs: number): void {
    this.#insertCosigned({ origin, tree_size: size, root, note, cosigned_us: nowUs });
  }

  /** Cosignature lines of a checkpoint of our own, one per witness, in the order in which they came. */
  cosignatures(log: LogName, size: number): readonly { readonly witness: string; readonly line: string }[] {
    return this.#lines.all(LOGS[log], size);
  }

  /** Sizes of own checkpoints with a cosignature, newest first. */
  cosignedSizes(log: LogName, limit: number): readonly number[] {
    return this.#sizes.all(LOGS[log], limit);
  }

  /** @returns false if that witness's line is there already */
  saveCosignature(log: LogName, size: number, witness: string, line: string, nowUs: number): boolean {
    const keyId = parseSignatureLine(line.trimEnd())?.keyId;
    const isThere = this.cosignatures(log, size).some(
      (one) => one.witness === witness && parseSignatureLine(one.line.trimEnd())?.keyId === keyId,
    );
    if (!isThere) this.#insertCosignature({ log: LOGS[log], tree_size: size, witness, line, received_us: nowUs });
    return !isThere;
  }

  /**
   * A checkpoint that this node signed, with the anchor key's line if it is anchored and all cosignatures collected.
   *
   * @returns undefined if no checkpoint of that size was signed
   */
  cosignedNote(log: LogName, size: number): string | undefined {
    const note = this.#anchored.get(LOGS[log], size) ?? this.#signed.get(LOGS[log], size);
    return note === undefined ? undefined : this.withCosignatures(log, size, note);
  }

  /** @param note a checkpoint of that size with the lines of our own keys */
  withCosignatures(log: LogName, size: number, note: string): string {
    const lines = this.cosignatures(log, size).slice(0, MAX_SERVED_COSIGNATURES);
    return note + lines.map(({ line }) => line).join('');
  }

  /** A checkpoint that was cosigned at that size. Each is larger than the one before it: a few look-ups, however many there are. */
  cosignedAt(origin: string, size: number): VerifiedCheckpoint | null {
    let before = 0;
    let upTo = this.#cosigned.get(origin)?.cosigned_id ?? 0;
    while (before < upTo) {
      const middle = Math.ceil((before + upTo) / 2);
      const row = this.#cosignedUpTo.get(origin, middle);
      if (row?.tree_size === size) return headOf(row);
      if (row === undefined || row.tree_size < size) before = middle;
      else upTo = row.cosigned_id - 1;
    }
    return null;
  }

  /** A checkpoint that was verified of a peer at that size. */
  verifiedAt(peer: string, size: number): VerifiedCheckpoint | null {
    return headOf(this.#peerAt.get(peer, size));
  }

  /** What third nodes have shown of that log and size. */
  seenAt(origin: string, size: number): readonly SeenHead[] {
    return this.#seenAt.all(origin, size).map(seenHead);
  }

  seenById(id: number): SeenHead | undefined {
    const row = this.#seenById.get(id);
    return row === undefined ? undefined : seenHead(row);
  }

  /** Any head of that log and size that is held, however it came. @param peer node id of the log's owner, if it is a peer */
  headsAt(origin: string, peer: string | null, size: number): readonly VerifiedCheckpoint[] {
    const verified = peer === null ? null : this.verifiedAt(peer, size);
    const seen = this.#seenAt.all(origin, size).map(headOf);
    return [verified, this.cosignedAt(origin, size), ...seen].filter((head) => head !== null);
  }

  saveSeen(origin: string, { size, root, note }: VerifiedCheckpoint, seenFrom: string, nowUs: number): number {
    return this.#insertSeen({ origin, tree_size: size, root, note, seen_from: seenFrom, received_us: nowUs });
  }

  /** The largest head of that log that a third node has shown. */
  largestSeen(origin: string): SeenHead | null {
    const row = this.#newest.get(origin);
    return row === undefined ? null : seenHead(row);
  }

  /** Heads that have not been joined with what we verified ourselves. */
  unreconciled(origin: string): readonly SeenHead[] {
    return this.#open.all(origin).map(seenHead);
  }

  reconciled(seenId: number): void {
    this.#reconcile.run([seenId]);
  }
}

interface CosignedRow extends HeadRow {
  readonly cosigned_id: number;
}

interface SeenRow extends HeadRow {
  readonly seen_id: number;
  readonly origin: string;
  readonly seen_from: string;
}

function headOf(row: HeadRow | undefined): VerifiedCheckpoint | null {
  return row === undefined ? null : { size: row.tree_size, root: row.root, note: row.note };
}

function seenHead(row: SeenRow): SeenHead {
  const { tree_size: size, root, note, origin } = row;
  return { id: row.seen_id, origin, size, root, note, seenFrom: row.seen_from };
}

const seenRows = sqlBuilder
  .selectFrom('seen_checkpoints')
  .select(['seen_id', 'origin', 'tree_size', 'root', 'note', 'seen_from']);

const seenOf = seenRows.where('origin', '=', PARAM);

const reconciled = sqlBuilder.selectFrom('seen_reconciled').select('seen_id');

const linesOf = sqlBuilder
  .selectFrom('cosignatures')
  .select(['witness', 'line'])
  .where('log', '=', PARAM)
  .where('tree_size', '=', PARAM)
  .orderBy('cosignature_id');

const sizesOf = sqlBuilder
  .selectFrom('cosignatures')
  .select('tree_size')
  .distinct()
  .where('log', '=', PARAM)
  .orderBy('tree_size', 'desc')
  .limit(PARAM);

const signedNote = sqlBuilder
  .selectFrom('checkpoints')
  .select('note')
  .where('log', '=', PARAM)
  .where('tree_size', '=', PARAM)
  .orderBy('checkpoint_id', 'desc')
  .limit(ONE);

const anchoredNote = sqlBuilder
  .selectFrom('anchor_checkpoints')
  .select('note')
  .where('log', '=', PARAM)
  .where('tree_size', '=', PARAM)
  .orderBy('anchor_id', 'desc')
  .limit(ONE);
