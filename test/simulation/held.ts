/** What one journal holds after a run, read out of its file by plain SQL. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { JOURNAL_FILE } from '../../src/journal/files.ts';
import type { SimNode } from './mesh.ts';

export interface EntryLine {
  readonly chain_seq: number;
  readonly fact_id: string;
  readonly entity: string;
  readonly value_v: string;
  readonly scope: string;
  readonly origin_node_id: string | null;
  readonly origin_chain_seq: number | null;
  readonly feed: string;
}

export interface AuditLine {
  readonly seq: number;
  readonly body: string;
  readonly event: string;
  readonly reason: string | null;
  readonly peer: string | null;
  readonly fact_id: string | null;
}

export interface PageLine {
  readonly peer: string;
  readonly feed: string;
  readonly after_seq: number;
  readonly to_seq: number;
  readonly header: Uint8Array;
  readonly accepted: number;
  readonly refused: number;
}

export interface HeadLine {
  readonly origin: string;
  readonly tree_size: number;
  readonly root: string;
}

/** A run of a feed. */
export interface RunLine {
  readonly peer: string;
  readonly feed: string;
  readonly after_seq: number;
  readonly to_seq: number;
}

export interface DisclosureLine extends RunLine {
  readonly sent_us: number;
  /** The grant, as JSON. */
  readonly text: string;
}

/** Refused facts without a record of their own: a summary, written or to come, stands for them. */
export interface CountedLine {
  readonly peer: string;
  readonly reason: string;
  readonly count: number;
}

/** Everything that the checks look at in one journal. */
export interface Held {
  readonly node: SimNode;
  readonly nodeId: string;
  readonly isStuck: boolean;
  readonly entries: readonly EntryLine[];
  readonly audit: readonly AuditLine[];
  readonly pages: readonly PageLine[];
  readonly heads: readonly HeadLine[];
  readonly evidence: ReadonlySet<string>;
  readonly disclosures: readonly DisclosureLine[];
  readonly receipts: readonly RunLine[];
  readonly counted: readonly CountedLine[];
}

/** Pages that were refused as a whole name no entry. */
const COUNTED = `SELECT peer, reason, pending AS count FROM refusal_groups
  WHERE pending > 0 AND json_extract(open, '$.from') IS NOT NULL
  UNION ALL
  SELECT peer, reason, json_extract(body, '$.detail.count') - json_array_length(body, '$.detail.exemplars')
  FROM audit WHERE event = 'refusals_summarized' AND json_extract(body, '$.detail.from_seq') IS NOT NULL`;

export function held(node: SimNode, isStuck: boolean): Held {
  return look(node, (db) => ({
    node,
    nodeId: node.made.nodeId,
    isStuck,
    entries: db
      .prepare<[], EntryLine>(
        'SELECT e.*, f.name AS feed FROM entries e JOIN feeds f USING (feed_id) ORDER BY chain_seq',
      )
      .all(),
    audit: db.prepare<[], AuditLine>('SELECT * FROM audit ORDER BY seq').all(),
    pages: db.prepare<[], PageLine>('SELECT * FROM pages ORDER BY page_id').all(),
    heads: db
      .prepare<[], HeadLine>(
        `SELECT substr(note, 1, instr(note, char(10)) - 1) AS origin, tree_size, lower(hex(root)) AS root FROM (
           SELECT note, tree_size, root FROM checkpoints UNION SELECT note, tree_size, root FROM peer_checkpoints
           UNION SELECT note, tree_size, root FROM cosigned UNION SELECT note, tree_size, root FROM seen_checkpoints)`,
      )
      .all(),
    evidence: new Set(db.prepare<[], string>("SELECT 'sha256:' || lower(hex(digest)) FROM evidence").pluck().all()),
    disclosures: db
      .prepare<[], DisclosureLine>(
        'SELECT peer, feed, after_seq, to_seq, sent_us, text FROM disclosures JOIN grant_texts USING (grant_id)',
      )
      .all(),
    counted: db.prepare<[], CountedLine>(COUNTED).all(),
    receipts: db.prepare<[], RunLine>('SELECT peer, feed, after_seq, to_seq FROM page_receipts').all(),
  }));
}

export function look<T>(node: SimNode, work: (db: Database.Database) => T): T {
  const db = new Database(join(node.disk.folder, JOURNAL_FILE), { readonly: true, fileMustExist: true });
  try {
    return work(db);
  } finally {
    db.close();
  }
}
