/**
 * The SQL of `journal.db`. Append-only tables are guarded by triggers that refuse UPDATE, DELETE and overwriting INSERT
 * from any client of the file and leave a row in `mutation_attempts`: RAISE(FAIL) ends the statement but keeps what the
 * trigger wrote before it. `recursive_triggers` is off by default, so INSERT OR REPLACE would pass the UPDATE and DELETE
 * guards: the INSERT guard refuses every key but the next one, so that no gap can be opened either.
 *
 * Everything is written for SQLite 3.37 and later: the operator's `sqlite3` shell opens this file too.
 */
import { CASES_OF_DRILLS, DERIVED_11 } from './schema-cases.ts';
import { copyGuards, TABLES_10 } from './schema-copies.ts';
import { erasureGuards, TABLES_9 } from './schema-erasures.ts';
import {
  DERIVED_5,
  INDEX_7,
  INDEXES_15,
  SINK_PLACES_14,
  SINKS_12,
  TABLES_3,
  TABLES_6,
  TABLES_8,
  WAITING_4,
} from './schema-later.ts';

const TABLES = `
CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE feeds (
  feed_id INTEGER PRIMARY KEY, name TEXT NOT NULL, sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;

CREATE TABLE entries (
  chain_seq INTEGER PRIMARY KEY, fact_id TEXT NOT NULL,
  entity TEXT NOT NULL, relation TEXT NOT NULL, value_type TEXT NOT NULL, value_v TEXT NOT NULL,
  source TEXT NOT NULL, scope TEXT NOT NULL, confidence REAL NOT NULL,
  timestamp TEXT NOT NULL, hlc INTEGER NOT NULL, valid_until TEXT, interpret_as TEXT NOT NULL,
  garden_id TEXT, derived_from TEXT, attestation_key_id TEXT, attestation_signature TEXT,
  origin_node_id TEXT, origin_chain_seq INTEGER, origin_leaf_hash BLOB, received_from TEXT,
  feed_id INTEGER NOT NULL, feed_seq INTEGER NOT NULL,
  cid BLOB NOT NULL, event_hash BLOB NOT NULL, previous_hash BLOB, chain_hash BLOB NOT NULL,
  created_us INTEGER NOT NULL, salt BLOB NOT NULL, leaf_hash BLOB NOT NULL,
  sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX entries_by_fact ON entries (fact_id);
CREATE INDEX entries_by_feed ON entries (feed_id, feed_seq);

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY, body TEXT NOT NULL, salt BLOB NOT NULL, leaf_hash BLOB NOT NULL,
  sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL,
  event TEXT GENERATED ALWAYS AS (json_extract(body, '$.event')) VIRTUAL,
  reason TEXT GENERATED ALWAYS AS (json_extract(body, '$.reason')) VIRTUAL,
  peer TEXT GENERATED ALWAYS AS (json_extract(body, '$.peer')) VIRTUAL,
  feed TEXT GENERATED ALWAYS AS (json_extract(body, '$.feed')) VIRTUAL,
  fact_id TEXT GENERATED ALWAYS AS (json_extract(body, '$.fact_id')) VIRTUAL,
  cid TEXT GENERATED ALWAYS AS (json_extract(body, '$.cid')) VIRTUAL,
  at TEXT GENERATED ALWAYS AS (json_extract(body, '$.at')) VIRTUAL
) STRICT;
CREATE INDEX audit_by_peer ON audit (peer, seq);
CREATE INDEX audit_by_event ON audit (event, seq);
CREATE INDEX audit_by_reason ON audit (reason, seq);
CREATE INDEX audit_by_fact ON audit (fact_id, seq);
CREATE INDEX audit_by_cid ON audit (cid, seq);

CREATE TABLE tiles (tile_id INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;

CREATE TABLE checkpoints (
  checkpoint_id INTEGER PRIMARY KEY, log INTEGER NOT NULL, tree_size INTEGER NOT NULL,
  root BLOB NOT NULL, note TEXT NOT NULL, sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX checkpoints_by_size ON checkpoints (log, tree_size);

CREATE TABLE pages (
  page_id INTEGER PRIMARY KEY, peer TEXT NOT NULL, feed TEXT NOT NULL, after_seq INTEGER NOT NULL,
  to_seq INTEGER NOT NULL, tree_size INTEGER NOT NULL, header BLOB NOT NULL, entries BLOB, proof BLOB,
  received_us INTEGER NOT NULL, accepted INTEGER NOT NULL, refused INTEGER NOT NULL, digest BLOB NOT NULL,
  sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX pages_by_feed ON pages (peer, feed, page_id);

CREATE TABLE peer_checkpoints (
  checkpoint_id INTEGER PRIMARY KEY, peer TEXT NOT NULL, tree_size INTEGER NOT NULL, root BLOB NOT NULL,
  note TEXT NOT NULL, received_us INTEGER NOT NULL, sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX peer_checkpoints_by_peer ON peer_checkpoints (peer, checkpoint_id);

CREATE TABLE peer_feed_heads (
  head_id INTEGER PRIMARY KEY, peer TEXT NOT NULL, feed TEXT NOT NULL, length INTEGER NOT NULL,
  tree_size INTEGER NOT NULL, note TEXT NOT NULL, sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX peer_feed_heads_by_feed ON peer_feed_heads (peer, feed, head_id);

CREATE TABLE peer_declarations (
  declaration_id INTEGER PRIMARY KEY, peer TEXT NOT NULL, note TEXT NOT NULL, received_us INTEGER NOT NULL,
  sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;

CREATE TABLE evidence (
  evidence_id INTEGER PRIMARY KEY, digest BLOB NOT NULL, body BLOB NOT NULL,
  sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX evidence_by_digest ON evidence (digest);

CREATE TABLE mutation_attempts (
  attempt_id INTEGER PRIMARY KEY, at TEXT NOT NULL, operation TEXT NOT NULL, target TEXT NOT NULL, row_key TEXT
) STRICT;
`;

/** Migration 2: anchors, cosignatures, receipts, key statements. */
const TABLES_2 = `
CREATE TABLE anchor_checkpoints (
  anchor_id INTEGER PRIMARY KEY, log INTEGER NOT NULL, tree_size INTEGER NOT NULL, root BLOB NOT NULL,
  chain_hash BLOB, note TEXT NOT NULL, created_us INTEGER NOT NULL, sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX anchor_checkpoints_by_size ON anchor_checkpoints (log, tree_size);

CREATE TABLE anchor_receipts (
  receipt_id INTEGER PRIMARY KEY, anchor_id INTEGER NOT NULL, backend TEXT NOT NULL, log_id TEXT NOT NULL,
  log_index INTEGER NOT NULL, integrated_time INTEGER, leaf_hash TEXT NOT NULL, entry TEXT NOT NULL,
  trust_root TEXT, submitted_us INTEGER NOT NULL, sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX anchor_receipts_by_anchor ON anchor_receipts (anchor_id, backend);
CREATE INDEX anchor_receipts_by_backend ON anchor_receipts (backend, receipt_id);

CREATE TABLE cosigned (
  cosigned_id INTEGER PRIMARY KEY, origin TEXT NOT NULL, tree_size INTEGER NOT NULL, root BLOB NOT NULL,
  note TEXT NOT NULL, cosigned_us INTEGER NOT NULL, sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX cosigned_by_origin ON cosigned (origin, cosigned_id);

CREATE TABLE cosignatures (
  cosignature_id INTEGER PRIMARY KEY, log INTEGER NOT NULL, tree_size INTEGER NOT NULL, witness TEXT NOT NULL,
  line TEXT NOT NULL, received_us INTEGER NOT NULL, sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX cosignatures_by_size ON cosignatures (log, tree_size);

CREATE TABLE seen_checkpoints (
  seen_id INTEGER PRIMARY KEY, origin TEXT NOT NULL, tree_size INTEGER NOT NULL, root BLOB NOT NULL,
  note TEXT NOT NULL, seen_from TEXT NOT NULL, received_us INTEGER NOT NULL,
  sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX seen_checkpoints_by_origin ON seen_checkpoints (origin, tree_size);
CREATE INDEX peer_checkpoints_by_size ON peer_checkpoints (peer, tree_size);

CREATE TABLE page_notes (
  note_id INTEGER PRIMARY KEY, page_id INTEGER NOT NULL, note TEXT NOT NULL,
  sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX page_notes_by_page ON page_notes (page_id);

CREATE TABLE page_receipts (
  receipt_id INTEGER PRIMARY KEY, peer TEXT NOT NULL, feed TEXT NOT NULL, after_seq INTEGER NOT NULL,
  to_seq INTEGER NOT NULL, note TEXT NOT NULL, received_us INTEGER NOT NULL,
  sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX page_receipts_by_feed ON page_receipts (peer, feed, receipt_id);

CREATE TABLE key_statements (
  statement_id INTEGER PRIMARY KEY, node_id TEXT NOT NULL, note TEXT NOT NULL, received_us INTEGER NOT NULL,
  sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX key_statements_by_node ON key_statements (node_id, statement_id);
`;

/**
 * How often, and with what outcome, an anchor was tried that has no receipt yet; which heads of others' logs have been
 * joined with what was verified here: without its row a head is asked about again.
 */
const DERIVED_2 = `
CREATE TABLE anchor_attempts (
  anchor_id INTEGER NOT NULL, backend TEXT NOT NULL, attempt_count INTEGER NOT NULL, next_retry_us INTEGER NOT NULL,
  is_permanent INTEGER NOT NULL, last_error TEXT NOT NULL, PRIMARY KEY (anchor_id, backend)
) STRICT, WITHOUT ROWID;
CREATE TABLE seen_reconciled (seen_id INTEGER PRIMARY KEY) STRICT;
`;

/**
 * Derived from the tables above, so nothing guards them: rows that are gone are made again, look-ups behind the journal,
 * the clock and the quarantine when it is opened, growing tiles when they are read.
 */
const DERIVED = `
CREATE TABLE state (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE tile_edges (tile_id INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;
CREATE TABLE lookup (key INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE quarantine (chain_seq INTEGER PRIMARY KEY, reason TEXT NOT NULL, status TEXT NOT NULL) STRICT;
`;

/**
 * Words of facts, for recall. Contentless and without positions: it gives row numbers and nothing else, so that no text is
 * stored twice; the rows themselves are read from `entries`.
 */
export const RECALL_INDEX = `
CREATE VIRTUAL TABLE recall_index USING fts5(
  words, content='', detail=none, columnsize=0, tokenize="unicode61 remove_diacritics 2"
);
`;
/** Tables that FTS5 keeps behind {@link RECALL_INDEX}; another version of SQLite may write their SQL in other words. */
export const RECALL_SHADOWS: readonly string[] = ['data', 'idx', 'config'].map((part) => `recall_index_${part}`);

const ISO_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
const isoMicros = (column: string): string =>
  `strftime('%Y-%m-%dT%H:%M:%S', ${column} / 1000000, 'unixepoch') || printf('.%06d+00:00', ${column} % 1000000)`;
const hash = (column: string): string => `'sha256:' || lower(hex(${column}))`;

const FACTS_VIEW = `CREATE VIEW facts AS SELECT
  e.fact_id AS id, e.entity, e.relation, e.value_type, e.value_v, e.source, e.timestamp, e.valid_until, e.confidence,
  e.scope, printf('%013d.%03d', e.hlc / 1000, e.hlc % 1000) AS hlc, e.received_from,
  e.attestation_key_id AS attested_key_id, e.origin_node_id, NULL AS origin_allowed_scopes,
  CASE WHEN e.origin_node_id IS NOT NULL AND e.scope = 'company' THEN 1 ELSE 0 END AS re_federation_blocked,
  e.garden_id, NULL AS attested, 'default' AS tenant_id,
  (SELECT q.status FROM quarantine q WHERE q.chain_seq = e.chain_seq) AS quarantine_status,
  NULL AS quarantine_garden_id, NULL AS quarantine_acted_by, NULL AS quarantine_acted_at,
  (SELECT q.reason FROM quarantine q WHERE q.chain_seq = e.chain_seq) AS quarantine_reason,
  e.derived_from, NULL AS attestation_chain, NULL AS attestation_chain_issuers, NULL AS source_trust,
  0 AS embedding_missing, ${hash('e.cid')} AS cid, e.interpret_as
FROM entries e`;
/** In place of the event's name. */
const ERASED_OR_ATTEMPTED = "CASE m.operation WHEN 'ERASE' THEN 'fact_erased' ELSE 'fact_mutation_attempted' END, NULL";
const FACT_AUDIT_VIEW = `CREATE VIEW fact_audit_log AS SELECT
  'audit_f' || printf('%031x', e.chain_seq) AS id, e.fact_id, 'fact_write' AS event_type,
  coalesce(e.received_from, 'system:local') AS entity_uri, NULL AS oidc_sub, e.source,
  e.attestation_key_id AS attested_key_id, ${isoMicros('e.created_us')} AS ts, 'default' AS tenant_id,
  NULL AS detail, e.chain_seq AS seq
FROM entries e
UNION ALL SELECT
  'audit_a' || printf('%031x', a.seq), a.fact_id, a.event, 'system:federation', NULL, coalesce(a.peer, ''), NULL, a.at,
  'default', json_set(json_extract(a.body, '$.detail'), '$.reason', a.reason), a.seq
FROM audit a WHERE a.event IN ('federation_integrity_rejected', 'federation_valid_until_extension_rejected',
  'peer_hlc_anomaly', 'quarantine_ingest', 'rejected_fact', 'scope_violation')
UNION ALL SELECT
  'audit_m' || printf('%031x', m.attempt_id), NULL, 'fact_mutation_attempted', NULL, NULL,
  'sqlite-trigger:' || m.target, NULL, m.at, 'default',
  json_object('operation', m.operation, 'table', m.target, 'row', m.row_key), NULL
FROM mutation_attempts m;`;

/** The Stigmem reference's tables, as views with its column names: its own tools read this file. */
const VIEWS = `
${FACTS_VIEW};

CREATE VIEW fact_chain AS SELECT
  'chain_' || printf('%032x', e.chain_seq) AS id, 'default' AS tenant_id, e.chain_seq, e.fact_id,
  ${hash('e.event_hash')} AS event_hash,
  CASE WHEN e.previous_hash IS NULL THEN NULL ELSE ${hash('e.previous_hash')} END AS previous_hash,
  ${hash('e.chain_hash')} AS chain_hash, ${isoMicros('e.created_us')} AS created_at
FROM entries e;

CREATE VIEW federation_audit AS SELECT
  'audit_' || printf('%032x', a.seq) AS id, coalesce(a.peer, '') AS peer_id, a.event AS event_type,
  json_set(json_extract(a.body, '$.detail'), '$.reason', a.reason, '$.fact_id', a.fact_id) AS detail, a.at AS ts, a.seq
FROM audit a;

${FACT_AUDIT_VIEW}
`;

const GUARDED_1: Readonly<Record<string, string>> = {
  meta: 'key',
  feeds: 'feed_id',
  entries: 'chain_seq',
  audit: 'seq',
  tiles: 'tile_id',
  checkpoints: 'checkpoint_id',
  pages: 'page_id',
  peer_checkpoints: 'checkpoint_id',
  peer_feed_heads: 'head_id',
  peer_declarations: 'declaration_id',
  evidence: 'evidence_id',
  mutation_attempts: 'attempt_id',
};
const GUARDED_2: Readonly<Record<string, string>> = {
  anchor_checkpoints: 'anchor_id',
  anchor_receipts: 'receipt_id',
  cosigned: 'cosigned_id',
  cosignatures: 'cosignature_id',
  seen_checkpoints: 'seen_id',
  page_notes: 'note_id',
  page_receipts: 'receipt_id',
  key_statements: 'statement_id',
};
const GUARDED_3: Readonly<Record<string, string>> = { grant_texts: 'grant_id', disclosures: 'disclosure_id' };
/** `kept_notes` is not: what a peer leaves here it may replace, and nothing of ours rests on it. */
const GUARDED_6: Readonly<Record<string, string>> = { page_places: 'place_id' };
const GUARDED_8: Readonly<Record<string, string>> = { page_refusals: 'refusal_id', page_retries: 'retry_id' };
const GUARDED_9: Readonly<Record<string, string>> = { erasure_steps: 'step_id', erasure_acks: 'ack_id' };
const GUARDED_10: Readonly<Record<string, string>> = { body_copies: 'copy_id', relayed_acks: 'ack_id' };
/** The reference's table of checkpoints; `payload` is the text whose hash is the leaf of a local log. */
const VIEWS_2 = `
CREATE VIEW fact_chain_checkpoints AS SELECT
  'checkpoint_' || printf('%026x', c.anchor_id) AS id, 'default' AS tenant_id, c.tree_size AS covered_chain_seq,
  ${hash('c.chain_hash')} AS chain_hash,
  json_object('chain_hash', ${hash('c.chain_hash')}, 'covered_chain_seq', c.tree_size,
    'created_at', ${isoMicros('c.created_us')}, 'kind', 'stigmem.fact_chain_checkpoint', 'tenant_id', 'default',
    'version', 1) AS payload,
  CASE WHEN r.receipt_id IS NULL THEN 'pending' ELSE 'submitted' END AS status,
  coalesce((SELECT max(t.attempt_count) FROM anchor_attempts t WHERE t.anchor_id = c.anchor_id), 0)
    + (r.receipt_id IS NOT NULL) AS attempt_count,
  ${isoMicros('c.created_us')} AS created_at,
  CASE WHEN r.receipt_id IS NULL THEN NULL ELSE ${isoMicros('r.submitted_us')} END AS submitted_at,
  (SELECT ${isoMicros('min(t.next_retry_us)')} FROM anchor_attempts t WHERE t.anchor_id = c.anchor_id) AS next_retry_at,
  (SELECT t.last_error FROM anchor_attempts t WHERE t.anchor_id = c.anchor_id LIMIT 1) AS last_error,
  r.backend AS tl_backend, r.log_id AS tl_log_id, r.leaf_hash AS tl_leaf_hash, r.log_index AS tl_log_index,
  r.integrated_time AS tl_integrated_time, '{}' AS tl_inclusion_proof, coalesce(r.entry, '{}') AS tl_raw
FROM anchor_checkpoints c
LEFT JOIN anchor_receipts r ON r.receipt_id =
  (SELECT min(x.receipt_id) FROM anchor_receipts x WHERE x.anchor_id = c.anchor_id)
WHERE c.log = 1;
`;

/** Every guarded table with its key column; `mutation_attempts` last. */
export const GUARDED: Readonly<Record<string, string>> = {
  ...GUARDED_8,
  ...GUARDED_9,
  ...GUARDED_10,
  ...GUARDED_6,
  ...GUARDED_3,
  ...GUARDED_2,
  ...GUARDED_1,
};
/** Keys that are not counted up: an existing one is refused, any other is let in. */
const UNORDERED = new Set(['meta', 'tiles']);
const GUARDED_VIEWS_1 = ['facts', 'fact_chain', 'federation_audit', 'fact_audit_log'] as const;
const GUARDED_VIEWS_2 = ['fact_chain_checkpoints'] as const;
export const GUARDED_VIEWS: readonly string[] = [...GUARDED_VIEWS_1, ...GUARDED_VIEWS_2];

function refusal(operation: string, target: string, key: string): string {
  return `INSERT INTO mutation_attempts (attempt_id, at, operation, target, row_key)
    VALUES ((SELECT coalesce(max(attempt_id), 0) + 1 FROM mutation_attempts), ${ISO_NOW}, '${operation}', '${target}', ${key});
  SELECT RAISE(FAIL, '${target} is append-only: this ${operation} was refused and recorded (fact_mutation_attempted)');`;
}

function tableGuards(table: string, key: string): string {
  const taken = UNORDERED.has(table)
    ? `EXISTS (SELECT 1 FROM ${table} WHERE ${key} = NEW.${key})`
    : `NEW.${key} IS NOT (SELECT coalesce(max(${key}), 0) + 1 FROM ${table})`;
  return `
CREATE TRIGGER ${table}_no_update BEFORE UPDATE ON ${table} BEGIN ${refusal('UPDATE', table, `OLD.${key}`)} END;
CREATE TRIGGER ${table}_no_delete BEFORE DELETE ON ${table} BEGIN ${refusal('DELETE', table, `OLD.${key}`)} END;
CREATE TRIGGER ${table}_no_replace BEFORE INSERT ON ${table} WHEN ${taken} BEGIN ${refusal('INSERT', table, `NEW.${key}`)} END;`;
}

function viewGuards(view: string): string {
  const key = view === 'fact_chain' ? 'chain_seq' : 'id';
  return `
CREATE TRIGGER ${view}_no_update INSTEAD OF UPDATE ON ${view} BEGIN ${refusal('UPDATE', view, `OLD.${key}`)} END;
CREATE TRIGGER ${view}_no_delete INSTEAD OF DELETE ON ${view} BEGIN ${refusal('DELETE', view, `OLD.${key}`)} END;
CREATE TRIGGER ${view}_no_insert INSTEAD OF INSERT ON ${view} BEGIN ${refusal('INSERT', view, `NEW.${key}`)} END;`;
}

const guardsOf = (tables: Readonly<Record<string, string>>): string[] =>
  Object.entries(tables).map(([table, key]) => tableGuards(table, key));

/** Migrations in order; `PRAGMA user_version` says how many have run. A released one is never edited. */
export const MIGRATIONS: readonly string[] = [
  [TABLES, DERIVED, VIEWS, ...guardsOf(GUARDED_1), ...GUARDED_VIEWS_1.map(viewGuards)].join('\n'),
  [TABLES_2, DERIVED_2, RECALL_INDEX, VIEWS_2, ...guardsOf(GUARDED_2), ...GUARDED_VIEWS_2.map(viewGuards)].join('\n'),
  [TABLES_3, ...guardsOf(GUARDED_3)].join('\n'),
  WAITING_4,
  DERIVED_5,
  [TABLES_6, ...guardsOf(GUARDED_6)].join('\n'),
  INDEX_7,
  [TABLES_8, ...guardsOf(GUARDED_8)].join('\n'),
  [
    TABLES_9,
    ...guardsOf(GUARDED_9),
    erasureGuards(refusal, ISO_NOW),
    `DROP VIEW facts; ${FACTS_VIEW} WHERE length(e.event_hash) > 0;`,
    `DROP VIEW fact_audit_log; ${FACT_AUDIT_VIEW.replace("'fact_mutation_attempted', NULL", ERASED_OR_ATTEMPTED)}`,
    ...['facts', 'fact_audit_log'].map(viewGuards),
  ].join('\n'),
  [TABLES_10, ...guardsOf(GUARDED_10), copyGuards(refusal)].join('\n'),
  DERIVED_11,
  SINKS_12,
  CASES_OF_DRILLS,
  SINK_PLACES_14,
  INDEXES_15,
];

/** Tables that `rebuild` may empty: all of them follow from the guarded ones. */
export const DERIVED_TABLES = [
  'lookup',
  'quarantine',
  'tile_edges',
  'state',
  'anchor_attempts',
  'seen_reconciled',
  'recall_index',
  'told_refusals',
  'refusal_notices',
  'cases',
  'case_records',
] as const;
