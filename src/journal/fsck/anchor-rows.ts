/** Anchors that the journal keeps: each note against its columns, chain and tree; each receipt names one of them. */
import { ANCHOR_BACKENDS, readAnchorReceipt } from '../../merkle/anchor-receipt.ts';
import { encodeBase64 } from '../../merkle/base64.ts';
import { sameHash } from '../../merkle/hash.ts';
import { parseNote } from '../../merkle/note.ts';
import { rootAt } from '../../merkle/tiles.ts';
import { lastKey, PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import { StoredTiles } from '../stored-tiles.ts';
import { LOGS, type LogName } from '../tables.ts';
import { changedColumn, type Fault, type FsckContext, type StoredRow, walkTable } from './context.ts';
import { readCheckpoint } from './notes.ts';

export function checkAnchorRows(ctx: FsckContext): void {
  const tree = new AnchoredTree(ctx);
  const sizes = new Map<number, number>();
  const known = new Map<number, { readonly note: string; readonly size: number }>();
  walkTable(ctx, 'anchor_checkpoints', {
    judge: (row) => judgeCheckpoint(ctx, row, tree) ?? judgeGrowth(row, sizes.get(row.log) ?? 0),
    after: (row, id) => {
      known.set(id, { note: row.note, size: row.tree_size });
      if (changedColumn('anchor_checkpoints', row) === undefined) sizes.set(row.log, row.tree_size);
    },
  });
  walkTable(ctx, 'anchor_receipts', { judge: (row) => judgeReceipt(ctx, row, known.get(row.anchor_id)) });
}

/** What the tree and the chain say at a size. */
class AnchoredTree {
  readonly #tiles: Readonly<Record<LogName, StoredTiles>>;
  readonly #rows: Readonly<Record<LogName, number>>;
  readonly #chain: Statement<[number], Uint8Array>;
  readonly #isWhole: boolean;

  constructor({ db, findings }: FsckContext) {
    this.#tiles = { journal: new StoredTiles(db, 'journal'), audit: new StoredTiles(db, 'audit') };
    this.#rows = { journal: lastKey(db, 'entries', 'chain_seq'), audit: lastKey(db, 'audit', 'seq') };
    const links = sqlBuilder.selectFrom('entries').select('chain_hash').where('chain_seq', '=', PARAM);
    this.#chain = prepare<[number]>(db, links).pluck() as Statement<[number], Uint8Array>;
    this.#isWhole = !findings.isDamaged('entries', 'audit', 'tiles', 'tile_edges');
  }

  compare(log: LogName, row: StoredRow<'anchor_checkpoints'>): Fault | undefined {
    // What is wrong with the rows has been told: a tree of them says nothing about an anchor.
    if (!this.#isWhole) return undefined;
    const rows = this.#rows[log];
    if (row.tree_size > rows) {
      const detail = `it covers ${row.tree_size} rows of the ${log}, which has ${rows}`;
      return { code: 'anchor_beyond_tree', field: 'tree_size', detail };
    }
    if (!sameHash(row.root, rootAt(row.tree_size, this.#tiles[log])))
      return { code: 'anchor_root_mismatch', field: 'root', detail: `the ${log} had another root at this size` };
    const link = log === 'journal' ? this.#chain.get(row.tree_size) : undefined;
    if (link === undefined || (row.chain_hash !== null && sameHash(link, row.chain_hash))) return undefined;
    return { code: 'anchor_chain_mismatch', field: 'chain_hash', detail: `entry ${row.tree_size} has another one` };
  }
}

function judgeCheckpoint(
  ctx: FsckContext,
  row: StoredRow<'anchor_checkpoints'>,
  tree: AnchoredTree,
): Fault | undefined {
  const log = row.log === LOGS.journal ? 'journal' : row.log === LOGS.audit ? 'audit' : undefined;
  if (log === undefined) return { code: 'log_unknown', field: 'log', detail: `there is no log ${row.log}` };
  const origin = ctx.origins[log];
  if (origin === null) return undefined;
  const read = readCheckpoint(row.note, { origin, keys: ctx.logKeys });
  if (!read.ok) return { code: read.error, field: 'note', detail: `the note is none of log ${origin}` };
  const { size, root } = read.value;
  const detail = `the note says size ${size}, root ${encodeBase64(root)}`;
  if (size !== row.tree_size) return { code: 'checkpoint_size_mismatch', field: 'tree_size', detail };
  if (!sameHash(root, row.root)) return { code: 'checkpoint_root_mismatch', field: 'root', detail };
  const note = parseNote(row.note);
  const lines = note.ok ? note.value.signatures.filter(({ name }) => name === origin).length : 0;
  if (lines < 2) return { code: 'anchor_line_missing', field: 'note', detail: 'the anchor key has not signed it' };
  return tree.compare(log, row);
}

function judgeGrowth({ tree_size }: StoredRow<'anchor_checkpoints'>, before: number): Fault | undefined {
  if (tree_size > before) return undefined;
  return { code: 'anchor_rollback', field: 'tree_size', detail: `${tree_size} comes after ${before}` };
}

function judgeReceipt(
  { receipts, findings }: FsckContext,
  row: StoredRow<'anchor_receipts'>,
  anchor: { readonly note: string; readonly size: number } | undefined,
): Fault | undefined {
  if (anchor === undefined)
    return { code: 'anchor_unknown', field: 'anchor_id', detail: `there is no anchor ${row.anchor_id}` };
  if (!ANCHOR_BACKENDS.some((name) => name === row.backend))
    return { code: 'anchor_backend_unknown', field: 'backend', detail: `there is no log ${row.backend}` };
  const entry = parseOrUndefined(row.entry);
  const receipt = {
    backend: row.backend,
    checkpoint: anchor.note,
    entry,
    integrated_time: row.integrated_time,
    leaf_hash: row.leaf_hash,
    log_id: row.log_id,
    log_index: row.log_index,
    tree_size: anchor.size,
    v: 1,
  };
  const read = readAnchorReceipt(receipt);
  if (typeof entry !== 'object' || entry === null || !read.ok)
    return { code: 'anchor_receipt_malformed', field: 'entry', detail: 'it is no receipt' };
  const detail = receipts.faultOf(read.value, anchor.note.split('\n')[0] ?? '', findings);
  return detail === undefined ? undefined : { code: 'anchor_receipt_invalid', field: 'entry', detail };
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
