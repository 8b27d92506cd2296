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
  readonly feed_seq: number;
  readonly relation: string;
  /** Milliseconds of its author's logical clock times 1,000, and the counter. */
  readonly hlc: number;
  readonly received_from: string | null;
  readonly leaf_hash: Buffer;
  readonly origin_leaf_hash: Buffer | null;
  /** Empty where the body was erased. */
  readonly event_hash: Buffer;
}

/** The newest step of an erasure. */
export interface ErasureLine {
  readonly fact: Buffer;
  readonly node_id: string;
  readonly step: string;
  readonly due_us: number | null;
  /** 1: of its page something was refused. */
  readonly is_evidence: number;
}

/** A peer's word that it has erased what a tombstone of ours names. */
export interface AckLine {
  readonly peer: string;
  readonly tombstone_seq: number;
}

interface EvidenceLine {
  readonly digest: string;
  readonly body: Uint8Array;
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
  readonly entries: Uint8Array | null;
  readonly proof: Uint8Array | null;
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
  /** As it is stored, by its digest. */
  readonly evidence: ReadonlyMap<string, Uint8Array>;
  readonly disclosures: readonly DisclosureLine[];
  readonly receipts: readonly RunLine[];
  readonly counted: readonly CountedLine[];
  readonly statements: readonly { readonly node_id: string; readonly note: string }[];
  readonly declarations: readonly { readonly peer: string; readonly note: string }[];
  readonly erasures: readonly ErasureLine[];
  readonly acks: readonly AckLine[];
  readonly progress: Progress;
}

/** How far a node has come with the others. */
export interface Progress {
  readonly cursors: ReadonlyMap<string, number>;
  /** Why the liar is suspended here, if it is. */
  readonly suspensions: ReadonlySet<string>;
  readonly liarHeads: ReadonlyMap<number, string>;
  readonly erasures: readonly ErasureLine[];
}

export const LIAR = 'stigmem://liar.example';

/** Pages that were refused as a whole name no entry. */
const COUNTED = `SELECT peer, reason, pending AS count FROM refusal_groups
  WHERE pending > 0 AND json_extract(open, '$.from') IS NOT NULL
  UNION ALL
  SELECT peer, reason, json_extract(body, '$.detail.count') - json_array_length(body, '$.detail.exemplars')
  FROM audit WHERE event = 'refusals_summarized' AND json_extract(body, '$.detail.from_seq') IS NOT NULL`;

const ERASURES = `SELECT fact, node_id, step, due_us,
  EXISTS (SELECT 1 FROM page_refusals r WHERE r.page_id = s.page_id) AS is_evidence FROM erasure_steps s WHERE NOT EXISTS
  (SELECT 1 FROM erasure_steps n WHERE n.fact = s.fact AND n.node_id = s.node_id AND n.step_id > s.step_id)`;

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
    evidence: new Map(
      db
        .prepare<[], EvidenceLine>("SELECT 'sha256:' || lower(hex(digest)) AS digest, body FROM evidence")
        .all()
        .map(({ digest, body }) => [digest, body]),
    ),
    disclosures: db
      .prepare<[], DisclosureLine>(
        'SELECT peer, feed, after_seq, to_seq, sent_us, text FROM disclosures JOIN grant_texts USING (grant_id)',
      )
      .all(),
    counted: db.prepare<[], CountedLine>(COUNTED).all(),
    progress: progressIn(db)(),
    erasures: db.prepare<[], ErasureLine>(ERASURES).all(),
    statements: db
      .prepare<[], Held['statements'][number]>('SELECT node_id, note FROM key_statements ORDER BY statement_id')
      .all(),
    declarations: db
      .prepare<[], Held['declarations'][number]>('SELECT peer, note FROM peer_declarations ORDER BY declaration_id')
      .all(),
    acks: db.prepare<[], AckLine>('SELECT peer, tombstone_seq FROM erasure_acks').all(),
    receipts: db.prepare<[], RunLine>('SELECT peer, feed, after_seq, to_seq FROM page_receipts').all(),
  }));
}

/** Looks at the progress of nodes that run, again and again: opening a file costs more than what is asked of it. */
export class Watch implements Disposable {
  readonly #open = new Map<string, { readonly db: Database.Database; readonly progress: () => Progress }>();

  progressOf({ disk }: SimNode): Progress {
    const known = this.#open.get(disk.folder);
    if (known !== undefined) return known.progress();
    const db = openIn(disk.folder);
    const progress = progressIn(db);
    this.#open.set(disk.folder, { db, progress });
    return progress();
  }

  [Symbol.dispose](): void {
    for (const { db } of this.#open.values()) db.close();
  }
}

function progressIn(db: Database.Database): () => Progress {
  const pages = db.prepare<[], PageLine>('SELECT peer, feed, max(to_seq) AS to_seq FROM pages GROUP BY peer, feed');
  const suspended = db.prepare<[string], { reason: string }>(
    "SELECT reason FROM audit WHERE event = 'peer_suspended' AND peer = ?",
  );
  const heads = db.prepare<[string], { tree_size: number; root: Buffer }>(
    'SELECT tree_size, root FROM peer_checkpoints WHERE peer = ?',
  );
  const erasures = db.prepare<[], ErasureLine>(ERASURES);
  return () => ({
    cursors: new Map(pages.all().map(({ peer, feed, to_seq }) => [`${peer} ${feed}`, to_seq])),
    suspensions: new Set(suspended.all(LIAR).map(({ reason }) => reason)),
    liarHeads: new Map(heads.all(LIAR).map(({ tree_size, root }) => [tree_size, root.toString('hex')])),
    erasures: erasures.all(),
  });
}

export function look<T>(node: SimNode, work: (db: Database.Database) => T): T {
  const db = openIn(node.disk.folder);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

function openIn(folder: string): Database.Database {
  return new Database(join(folder, JOURNAL_FILE), { readonly: true, fileMustExist: true });
}
