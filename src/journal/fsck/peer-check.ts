/** What was verified about peers' logs: each note against its columns, and that no log ever went back. */
import { encodeBase64 } from '../../merkle/base64.ts';
import { sameHash } from '../../merkle/hash.ts';
import { parseNote } from '../../merkle/note.ts';
import { feedKey } from './audit-check.ts';
import { changedColumn, type Fault, type FsckContext, type StoredRow, walkTable } from './context.ts';
import { originOf, readCheckpoint, readFeedHead } from './notes.ts';
import type { PeerLogs } from './peer-logs.ts';

export function checkPeers(ctx: FsckContext, logs: PeerLogs): void {
  const sizes = new Map<string, number>();
  walkTable(ctx, 'peer_declarations', { judge: judgeDeclaration });
  walkTable(ctx, 'peer_checkpoints', {
    judge: (row) => judgeCheckpoint(row, logs) ?? judgeGrowth(sizes.get(row.peer), row.tree_size, 'tree_size'),
    after: (row) => {
      if (changedColumn('peer_checkpoints', row) === undefined) sizes.set(row.peer, row.tree_size);
    },
  });
  const lengths = new Map<string, number>();
  walkTable(ctx, 'peer_feed_heads', {
    judge: (row) =>
      judgeFeedHead(row, logs) ?? judgeGrowth(lengths.get(feedKey(row.peer, row.feed)), row.length, 'length'),
    after: (row) => {
      if (changedColumn('peer_feed_heads', row) === undefined) lengths.set(feedKey(row.peer, row.feed), row.length);
    },
  });
}

function judgeDeclaration({ peer, note }: StoredRow<'peer_declarations'>): Fault | undefined {
  if (!parseNote(note).ok) return { code: 'declaration_malformed', field: 'note', detail: 'the note is none' };
  const node = originOf(note, 1);
  return node === peer ? undefined : { code: 'declaration_mismatch', field: 'peer', detail: `it is that of ${node}` };
}

function judgeCheckpoint(row: StoredRow<'peer_checkpoints'>, logs: PeerLogs): Fault | undefined {
  const origin = originOf(row.note, 0);
  if (origin === undefined) return { code: 'checkpoint_malformed', field: 'note', detail: 'the note is none' };
  const log = logs.logOf(row.peer, origin);
  if (log === undefined) return { code: 'checkpoint_origin_mismatch', field: 'peer', detail: `it is one of ${origin}` };
  const read = readCheckpoint(row.note, log);
  if (!read.ok) return { code: read.error, field: 'note', detail: 'the note does not verify' };
  const { size, root } = read.value;
  const detail = `the note says size ${size}, root ${encodeBase64(root)}`;
  if (size !== row.tree_size) return { code: 'checkpoint_size_mismatch', field: 'tree_size', detail };
  return sameHash(root, row.root) ? undefined : { code: 'checkpoint_root_mismatch', field: 'root', detail };
}

function judgeFeedHead(row: StoredRow<'peer_feed_heads'>, logs: PeerLogs): Fault | undefined {
  const origin = originOf(row.note, 1);
  if (origin === undefined) return { code: 'feed_head_malformed', field: 'note', detail: 'the note is none' };
  const log = logs.logOf(row.peer, origin);
  if (log === undefined) return { code: 'feed_head_origin_mismatch', field: 'peer', detail: `it is one of ${origin}` };
  const read = readFeedHead(row.note, log);
  if (!read.ok) return { code: read.error, field: 'note', detail: 'the note does not verify' };
  const { feed, length, size } = read.value;
  const field =
    feed !== row.feed ? 'feed' : length !== row.length ? 'length' : size !== row.tree_size ? 'tree_size' : undefined;
  if (field === undefined) return undefined;
  return { code: 'feed_head_mismatch', field, detail: `the note says ${feed}, length ${length}, size ${size}` };
}

function judgeGrowth(before: number | undefined, now: number, field: string): Fault | undefined {
  if (before === undefined || now > before) return undefined;
  return { code: 'peer_log_rollback', field, detail: `${now} comes after ${before}` };
}
