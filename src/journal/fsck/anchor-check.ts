/**
 * What others hold of this journal against what it says now. The journal's own checkpoints can be made again by whoever
 * has its key; an anchor cannot. The tree was derived from the rows before, so that its roots are those of the rows.
 */
import type { AnchorReceipt } from '../../merkle/anchor-receipt.ts';
import { encodeBase64 } from '../../merkle/base64.ts';
import { sameHash } from '../../merkle/hash.ts';
import { rootAt } from '../../merkle/tiles.ts';
import { lastKey, PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import { hashText } from '../entry-row.ts';
import { JournalError } from '../errors.ts';
import { StoredTiles } from '../stored-tiles.ts';
import { LOGS, type LogName } from '../tables.ts';
import type { FsckContext } from './context.ts';
import { readCheckpoint } from './notes.ts';

/** One statement about a log's past, from outside of it or with a receipt from outside. */
export interface AnchorClaim {
  /** For people: `anchors.jsonl line 12`, `receipt 3 (rekor 1234)`. */
  readonly source: string;
  /** Signed checkpoint; null for a line of the reference's form, which has a chain hash alone. */
  readonly note: string | null;
  /** The receipt that the note came in, if it did. */
  readonly receipt?: AnchorReceipt;
  /** Chain hash at an entry; null for the audit log. */
  readonly chain: { readonly seq: number; readonly hash: string } | null;
}

interface Placed extends AnchorClaim {
  readonly log: LogName;
  readonly size: number;
  readonly root: Uint8Array | null;
}

/** Compares every claim, then every anchor that the file holds itself, with the tree and the chain. */
export function checkAnchors(ctx: FsckContext, claims: readonly AnchorClaim[]): void {
  const placed = claims.flatMap((claim) => place(ctx, claim) ?? []).sort((a, b) => a.size - b.size);
  for (const log of ['journal', 'audit'] as const) {
    const check = new AnchorCheck(ctx, log);
    const ofLog = placed.filter((claim) => claim.log === log);
    for (const [i, claim] of ofLog.entries()) {
      ctx.step('anchors', i, ofLog.length);
      check.check(claim);
    }
    check.finish(ofLog.at(-1));
  }
  const stored = { journal: new AnchorCheck(ctx, 'journal'), audit: new AnchorCheck(ctx, 'audit') };
  for (const claim of storedClaims(ctx)) {
    const own = place(ctx, claim);
    if (own !== undefined) stored[own.log].check(own);
  }
}

class AnchorCheck {
  readonly #ctx: FsckContext;
  readonly #log: LogName;
  readonly #tiles: StoredTiles;
  readonly #chain: Statement<[number], Uint8Array>;
  readonly #table: 'entries' | 'audit';
  readonly #rows: number;
  #agreed = 0;

  constructor(ctx: FsckContext, log: LogName) {
    this.#ctx = ctx;
    this.#log = log;
    this.#tiles = new StoredTiles(ctx.db, log);
    this.#table = log === 'journal' ? 'entries' : 'audit';
    this.#rows = lastKey(ctx.db, this.#table, log === 'journal' ? 'chain_seq' : 'seq');
    this.#chain = prepare<[number]>(
      ctx.db,
      sqlBuilder.selectFrom('entries').select('chain_hash').where('chain_seq', '=', PARAM),
    ).pluck() as Statement<[number], Uint8Array>;
  }

  /** Claims come in the order of their sizes. */
  check(claim: Placed): void {
    this.#ctx.findings.checked.anchors++;
    this.#checkReceipt(claim);
    if (this.#agrees(claim)) this.#agreed = claim.size;
  }

  #checkReceipt({ source, receipt }: Placed): void {
    const { findings, origins, receipts } = this.#ctx;
    const fault = receipt && receipts.faultOf(receipt, origins[this.#log] ?? '', findings);
    if (fault === undefined) return;
    const detail = `${source}: ${fault}`;
    findings.problem({ table: 'anchors', row: source, field: 'entry', code: 'anchor_receipt_invalid', detail });
  }

  /** @param newest the last claim that came */
  finish(newest: Placed | undefined): void {
    if (newest === undefined || this.#agreed !== newest.size || this.#rows === newest.size) return;
    const rest = this.#rows - newest.size;
    const detail = `the newest anchor of the ${this.#log} covers ${newest.size} of ${this.#rows} rows; nobody outside vouches for the last ${rest}`;
    this.#ctx.findings.notice('rows_behind_anchor', detail);
  }

  #agrees(claim: Placed): boolean {
    if (claim.size > this.#rows) {
      const detail = `${claim.source} anchors ${claim.size} rows, the ${this.#log} ends at row ${this.#rows}: its tail was cut off`;
      return this.#contradicts(this.#rows + 1, 'truncated', detail);
    }
    const chain = claim.chain === null ? undefined : this.#chain.get(claim.chain.seq);
    if (claim.chain !== null && (chain === undefined || hashText(chain) !== claim.chain.hash)) {
      const has = chain === undefined ? 'none' : hashText(chain);
      const detail = `${claim.source} anchors chain hash ${claim.chain.hash} at entry ${claim.chain.seq}, which has ${has}: ${this.#span(claim)}`;
      return this.#contradicts(claim.chain.seq, 'anchor_contradicted', detail, 'chain_hash');
    }
    const root = claim.root === null ? undefined : this.#rootAt(claim.size);
    if (claim.root === null || root === undefined || sameHash(root, claim.root)) return true;
    const detail = `${claim.source} anchors root ${encodeBase64(claim.root)} over ${claim.size} rows, these give ${encodeBase64(root)}: ${this.#span(claim)}`;
    return this.#contradicts(this.#agreed + 1, 'anchor_contradicted', detail, 'leaf_hash');
  }

  #span({ size }: Placed): string {
    return `rows ${this.#agreed + 1} to ${size} are not those that were anchored`;
  }

  #contradicts(row: number, code: string, detail: string, field?: string): false {
    const key = this.#log === 'journal' ? 'chain_seq' : 'seq';
    this.#ctx.findings.problem({ table: this.#table, row, field: field ?? key, code, detail });
    return false;
  }

  /** Undefined if a tile is not there: that was reported where the tree was derived. */
  #rootAt(size: number): Buffer | undefined {
    try {
      return rootAt(size, this.#tiles);
    } catch (error) {
      if (error instanceof JournalError || error instanceof RangeError) return undefined;
      throw error;
    }
  }
}

/** A claim with the log and the size it is about; a problem is reported if it is about none of ours. */
function place(ctx: FsckContext, claim: AnchorClaim): Placed | undefined {
  const { note, chain } = claim;
  if (note === null) return chain === null ? undefined : { ...claim, log: 'journal', size: chain.seq, root: null };
  const refusals: string[] = [];
  for (const log of ['journal', 'audit'] as const) {
    const origin = ctx.origins[log];
    if (origin === null) continue;
    const read = readCheckpoint(note, { origin, keys: ctx.logKeys });
    if (read.ok) return { ...claim, log, size: read.value.size, root: read.value.root };
    refusals.push(read.error);
  }
  const isSigned = refusals.includes('checkpoint_signature_invalid');
  const detail = isSigned
    ? `${claim.source} is not signed by the log key that was given`
    : `${claim.source} anchors ${JSON.stringify(note.split('\n')[0])}, this file is ${ctx.origins.journal}`;
  const code = isSigned ? 'checkpoint_signature_invalid' : 'anchor_of_other_log';
  ctx.findings.problem({ table: 'anchors', row: claim.source, field: 'note', code, detail });
  return undefined;
}

/** Anchors that the journal keeps itself: no more than a cross-check, since whoever changes rows can change these. */
function* storedClaims({ db, findings }: FsckContext): Generator<AnchorClaim> {
  const rows = db
    .prepare<
      [],
      {
        anchor_id: number;
        log: number;
        tree_size: number;
        root: Uint8Array;
        chain_hash: Uint8Array | null;
        note: string;
      }
    >(
      sqlBuilder
        .selectFrom('anchor_checkpoints')
        .select(['anchor_id', 'log', 'tree_size', 'root', 'chain_hash', 'note'])
        .orderBy('anchor_id')
        .compile().sql,
    )
    .iterate();
  for (const { anchor_id, log, tree_size, chain_hash, note } of rows) {
    const source = `anchor ${anchor_id} of this file`;
    const isJournal = log === LOGS.journal;
    const chain = !isJournal || chain_hash === null ? null : { seq: tree_size, hash: hashText(chain_hash) };
    if (findings.isDamaged('anchor_checkpoints')) return;
    yield { source, note, chain };
  }
}
