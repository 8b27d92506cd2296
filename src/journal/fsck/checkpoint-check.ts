import { encodeBase64 } from '../../merkle/base64.ts';
import { sameHash } from '../../merkle/hash.ts';
import type { SignedHead } from '../signed-heads.ts';
import { LOGS, type LogName } from '../tables.ts';
import { changedColumn, type Fault, type FsckContext, type StoredRow, walkTable } from './context.ts';
import { originOf, readCheckpoint } from './notes.ts';

/** The newest head of each log in `signed-heads.json`. */
export type Heads = Readonly<Record<LogName, SignedHead | null>>;

interface Newest {
  readonly size: number;
  readonly id: number;
  readonly note: string;
}

const NONE: Newest = { size: -1, id: 0, note: '' };

/**
 * Each signed checkpoint by itself: signature, columns against the note, sizes that only grow. Roots: log-tree.ts.
 *
 * @param heads null: there is no file of signed heads to compare with
 */
export function checkCheckpoints(ctx: FsckContext, heads: Heads | null): void {
  const newest: Record<LogName, Newest> = { journal: NONE, audit: NONE };
  walkTable(ctx, 'checkpoints', {
    judge: (row) => judge(ctx, row, newest),
    after: (row, id, changed) => {
      const log = logOf(row.log);
      if (log !== undefined && changed === undefined) newest[log] = { size: row.tree_size, id, note: row.note };
    },
  });
  if (heads === null) return;
  for (const log of ['journal', 'audit'] as const) checkHead(ctx, log, heads[log], newest[log]);
}

function judge(
  ctx: FsckContext,
  row: StoredRow<'checkpoints'>,
  newest: Readonly<Record<LogName, Newest>>,
): Fault | undefined {
  const log = logOf(row.log);
  if (log === undefined) return { code: 'log_unknown', field: 'log', detail: `there is no log ${row.log}` };
  const fault = compareNote(ctx, row, log);
  // After a change of keys a tree is signed once more, by the new one; that both are of one root is seen where the tree is derived.
  const { size, note } = newest[log];
  const isNext = row.tree_size > size || (row.tree_size === size && row.note !== note);
  if (fault !== undefined || isNext || changedColumn('checkpoints', row) !== undefined) return fault;
  const detail = `a checkpoint over ${row.tree_size} rows comes after one over ${newest[log].size}`;
  return { code: 'checkpoint_rollback', field: 'tree_size', detail };
}

function compareNote(ctx: FsckContext, row: StoredRow<'checkpoints'>, log: LogName): Fault | undefined {
  const origin = ctx.origins[log];
  if (origin === null) return undefined;
  const read = readCheckpoint(row.note, { origin, keys: ctx.logKeys });
  if (!read.ok) {
    const isOtherLog = read.error === 'checkpoint_origin_mismatch' && originOf(row.note, 0) === ctx.origins[other(log)];
    return { code: read.error, field: isOtherLog ? 'log' : 'note', detail: `the note is none of log ${origin}` };
  }
  const { size, root } = read.value;
  const says = `the note says size ${size}, root ${encodeBase64(root)}`;
  if (size !== row.tree_size) return { code: 'checkpoint_size_mismatch', field: 'tree_size', detail: says };
  return sameHash(root, row.root) ? undefined : { code: 'checkpoint_root_mismatch', field: 'root', detail: says };
}

function checkHead(ctx: FsckContext, log: LogName, head: SignedHead | null, newest: Newest): void {
  const fault = judgeHead(ctx, log, head, newest);
  if (fault !== undefined) ctx.findings.problem({ table: 'signed-heads.json', row: log, ...fault });
  if (fault !== undefined || head === null || head.size <= newest.size) return;
  // A crash between the file and the table leaves this; nothing is wrong with what was signed.
  ctx.findings.notice('checkpoint_not_recorded', `the ${log} checkpoint over ${head.size} rows is in the file alone`);
}

function judgeHead(ctx: FsckContext, log: LogName, head: SignedHead | null, newest: Newest): Fault | undefined {
  const behind = `checkpoint ${newest.id} over ${newest.size} rows was signed after it`;
  if (head === null) {
    return newest.id === 0 ? undefined : { code: 'signed_head_behind', field: 'note', detail: behind };
  }
  const origin = ctx.origins[log];
  const read = origin === null ? undefined : readCheckpoint(head.note, { origin, keys: ctx.logKeys });
  if (read?.ok === false) return { code: read.error, field: 'note', detail: `the note is none of log ${origin}` };
  if (read !== undefined) {
    const { size, root } = read.value;
    const detail = `the note says size ${size}, root ${encodeBase64(root)}`;
    if (size !== head.size) return { code: 'checkpoint_size_mismatch', field: 'size', detail };
    if (encodeBase64(root) !== head.root) return { code: 'checkpoint_root_mismatch', field: 'root', detail };
  }
  return head.size < newest.size ? { code: 'signed_head_behind', field: 'size', detail: behind } : undefined;
}

function logOf(log: number): LogName | undefined {
  return log === LOGS.journal ? 'journal' : log === LOGS.audit ? 'audit' : undefined;
}

function other(log: LogName): LogName {
  return log === 'journal' ? 'audit' : 'journal';
}
