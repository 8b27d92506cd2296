/** Tables of the migrations behind the second; how they are guarded, and in which order they run, stands in `schema.ts`. */

/** Migration 3: what was given to whom. Runs of feed positions, each under one grant; no two of a grant overlap. */
export const TABLES_3: string = `
CREATE TABLE grant_texts (
  grant_id INTEGER PRIMARY KEY, digest BLOB NOT NULL, text TEXT NOT NULL, sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX grant_texts_by_digest ON grant_texts (digest);

CREATE TABLE disclosures (
  disclosure_id INTEGER PRIMARY KEY, peer TEXT NOT NULL, feed TEXT NOT NULL, after_seq INTEGER NOT NULL,
  to_seq INTEGER NOT NULL, tree_size INTEGER NOT NULL, grant_id INTEGER NOT NULL, sent_us INTEGER NOT NULL,
  sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX disclosures_by_grant ON disclosures (peer, feed, grant_id, after_seq);
CREATE INDEX disclosures_by_end ON disclosures (peer, feed, to_seq);
`;

/**
 * Migration 4: refusals that wait for their summary, and what a peer's refusals have cost in its day. They change with each
 * page, so nothing guards them: fsck compares what waits with what the pages count.
 */
export const WAITING_4: string = `
CREATE TABLE refusal_groups (
  peer TEXT NOT NULL, reason TEXT NOT NULL, feed TEXT NOT NULL, key_id TEXT NOT NULL, seen INTEGER NOT NULL,
  last_record INTEGER NOT NULL, pending INTEGER NOT NULL, opened_us INTEGER, open TEXT,
  PRIMARY KEY (peer, reason, feed, key_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE refusal_budgets (
  peer TEXT NOT NULL PRIMARY KEY, since_us INTEGER NOT NULL, spent_bytes INTEGER NOT NULL, is_over INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;

/**
 * Migration 5: what the parties of a refusal have told each other about it: `told_refusals` counts what our audit log says we refused of a
 * peer, and up to which record it was told; `refusal_notices` has the newest word of each peer about facts of ours, signed
 * by it. Both are told again when a node starts, so nothing guards them.
 */
export const DERIVED_5: string = `
CREATE TABLE told_refusals (
  peer TEXT NOT NULL, feed TEXT NOT NULL, reason TEXT NOT NULL, refused INTEGER NOT NULL, resolved INTEGER NOT NULL,
  last_seq INTEGER NOT NULL, told_seq INTEGER NOT NULL, PRIMARY KEY (peer, feed, reason)
) STRICT, WITHOUT ROWID;
CREATE TABLE refusal_notices (
  peer TEXT NOT NULL, feed TEXT NOT NULL, reason TEXT NOT NULL, number INTEGER NOT NULL, refused INTEGER NOT NULL,
  resolved INTEGER NOT NULL, note TEXT NOT NULL, received_us INTEGER NOT NULL, PRIMARY KEY (peer, feed, reason)
) STRICT;
`;

/** Migration 6: where the entries of a page came to stand, and what is kept for peers. */
export const TABLES_6: string = `
CREATE TABLE page_places (
  place_id INTEGER PRIMARY KEY, page_id INTEGER NOT NULL, first_seq INTEGER NOT NULL, entries INTEGER NOT NULL,
  sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX page_places_by_page ON page_places (page_id);

CREATE TABLE kept_notes (
  kept_id INTEGER PRIMARY KEY, peer TEXT NOT NULL, feed TEXT NOT NULL, after_seq INTEGER NOT NULL,
  to_seq INTEGER NOT NULL, sealed BLOB NOT NULL, received_us INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX kept_notes_by_page ON kept_notes (peer, feed, to_seq);
`;

/**
 * Migration 7: the pages of a peer in their order, with what is asked of all of them. Without it each pull, and each question of a
 * peer for what it once gave, walked over every page that was ever taken from it.
 */
export const INDEX_7: string = `
CREATE INDEX pages_by_peer ON pages (peer, page_id, tree_size, accepted, refused);
`;

/**
 * Migration 8: how proposals are found in the audit log, by what they are about, and decisions by their proposal. Which entries
 * of a page were refused, by reason, and which of them were taken when they were judged again: places in the feed, as runs.
 */
export const TABLES_8: string = `
CREATE INDEX audit_proposals ON audit (json_extract(body, '$.detail.subject'), seq) WHERE event = 'approval_proposed';
CREATE INDEX audit_refused ON audit (peer, json_extract(body, '$.detail.feed_seq'), seq)
  WHERE json_extract(body, '$.detail.feed_seq') IS NOT NULL;
CREATE INDEX audit_decisions ON audit (json_extract(body, '$.detail.proposal'), seq) WHERE event = 'approval_decided';

CREATE TABLE page_refusals (
  refusal_id INTEGER PRIMARY KEY, page_id INTEGER NOT NULL, peer TEXT NOT NULL, feed TEXT NOT NULL, places TEXT NOT NULL,
  sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX page_refusals_by_peer ON page_refusals (peer, page_id);

CREATE TABLE page_retries (
  retry_id INTEGER PRIMARY KEY, page_id INTEGER NOT NULL, peer TEXT NOT NULL, feed TEXT NOT NULL,
  first_seq INTEGER NOT NULL, entries INTEGER NOT NULL, places TEXT NOT NULL,
  sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX page_retries_by_page ON page_retries (page_id);
CREATE INDEX page_retries_by_peer ON page_retries (peer, entries);
`;

/**
 * Where each receiver of the audit log is. What it says is no evidence: a place that is lost begins again, and what was sent
 * twice has the same id. Nothing guards it; fsck asks that no place lies beyond the log.
 */
export const SINKS_12: string = `
CREATE TABLE sinks (
  name TEXT NOT NULL PRIMARY KEY, since INTEGER NOT NULL, acked INTEGER NOT NULL, attempts INTEGER NOT NULL,
  failing_since_us INTEGER, last_error TEXT, acked_us INTEGER
) STRICT, WITHOUT ROWID;
`;

/** Migration 14: where a receiver was put, at its beginning or by an operator. Nothing before it is sent again of itself. */
export const SINK_PLACES_14: string = `
ALTER TABLE sinks ADD COLUMN placed INTEGER NOT NULL DEFAULT 0;
UPDATE sinks SET placed = acked;
`;

/**
 * Migration 15: what a tombstone, a pull, an erasure that is told, and one that is made are looked up by. Without them each walked through
 * all steps, declarations, refusals or retries that there ever were.
 */
export const INDEXES_15: string = `
CREATE INDEX erasure_steps_by_author ON erasure_steps (node_id, step, at_us);
CREATE INDEX peer_declarations_by_peer ON peer_declarations (peer, declaration_id);
CREATE INDEX page_refusals_by_page ON page_refusals (page_id);
CREATE INDEX page_retries_by_seq ON page_retries (first_seq);
`;
