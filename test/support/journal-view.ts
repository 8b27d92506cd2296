/** Looks into a journal file from outside, as any program may; changes nothing. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { JOURNAL_FILE } from '../../src/journal/files.ts';

/** What is held of a feed: one line per entry, in feed order. */
export interface FeedLine {
  readonly fact_id: string;
  readonly cid: string;
}

export interface PulledFeed {
  /** End of the newest page. */
  readonly cursor: number;
  /** Facts taken, by the pages' own count and by the entries that are there. */
  readonly accepted: number;
  readonly refused: number;
  readonly held: number;
}

/** The entries of one feed: of the node's own, or of those received from a peer. */
export function feedLines(dir: string, feed: string): readonly FeedLine[] {
  return look(dir, (db) =>
    db
      .prepare<[string], FeedLine>(
        `SELECT fact_id, lower(hex(cid)) AS cid FROM entries
         WHERE feed_id = (SELECT feed_id FROM feeds WHERE name = ?) ORDER BY feed_seq`,
      )
      .all(feed),
  );
}

/** How far a feed of a peer has been pulled, all in one snapshot. */
export function pulledFeed(dir: string, peerNodeId: string, feed: string): PulledFeed {
  const authority = peerNodeId.slice('stigmem://'.length);
  return look(dir, (db) => {
    const pages = db
      .prepare<[string, string], Omit<PulledFeed, 'held'>>(
        `SELECT coalesce(max(to_seq), 0) AS cursor, coalesce(sum(accepted), 0) AS accepted,
           coalesce(sum(refused), 0) AS refused FROM pages WHERE peer = ? AND feed = ?`,
      )
      .get(peerNodeId, feed);
    const held = db
      .prepare<[string], number>(
        'SELECT count(*) FROM entries WHERE feed_id = (SELECT feed_id FROM feeds WHERE name = ?)',
      )
      .pluck()
      .get(`from/${authority}/${feed}`);
    if (pages === undefined) throw new Error('no answer');
    return { ...pages, held: held ?? 0 };
  });
}

/** Up to which entry of its own feed a node has recorded, without a hole from the first, what it gave to a peer. */
export function recordedTo(dir: string, peerNodeId: string, feed: string): number {
  const runs = look(dir, (db) =>
    db
      .prepare<[string, string], { after_seq: number; to_seq: number }>(
        'SELECT after_seq, to_seq FROM disclosures WHERE peer = ? AND feed = ? ORDER BY after_seq',
      )
      .all(peerNodeId, feed),
  );
  return runs.reduce((end, { after_seq, to_seq }) => (after_seq <= end ? Math.max(end, to_seq) : end), 0);
}

function look<T>(dir: string, work: (db: Database.Database) => T): T {
  const db = new Database(join(dir, JOURNAL_FILE), { readonly: true, fileMustExist: true, timeout: 5_000 });
  try {
    db.exec('BEGIN');
    return work(db);
  } finally {
    db.close();
  }
}
