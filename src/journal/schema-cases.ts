/**
 * Migration 11: cases. Both tables follow from the audit log, so nothing guards them: fsck derives them again and compares.
 * `state` says how far they follow it until they do: a journal of before has its cases made when it is opened.
 */

/** The migration that made the tables; an older file has none. */
export const CASES_SCHEMA = 11;
/** Name in `state`: up to which audit record cases were made. Gone when they follow the whole of it. */
export const CASES_BEHIND = 'cases_made_to';

export const CASES_TABLES: string = `
CREATE TABLE cases (
  id INTEGER PRIMARY KEY, uid TEXT NOT NULL, topic TEXT NOT NULL, peer TEXT NOT NULL, reason TEXT NOT NULL,
  feed TEXT NOT NULL, key_id TEXT NOT NULL, state TEXT NOT NULL, state_at TEXT NOT NULL, severity INTEGER NOT NULL,
  seen INTEGER NOT NULL, absorbed INTEGER NOT NULL, first_at TEXT NOT NULL, last_at TEXT NOT NULL,
  last_seen_seq INTEGER NOT NULL, samples TEXT NOT NULL, verdict TEXT, assignee TEXT, ticket TEXT, owner TEXT,
  suppressed_for TEXT, until TEXT, version INTEGER NOT NULL, last_seq INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX cases_by_uid ON cases (uid);
CREATE UNIQUE INDEX cases_by_group ON cases (topic, peer, reason, feed, key_id);
CREATE INDEX cases_by_state ON cases (state, severity, state_at);
CREATE INDEX cases_by_peer ON cases (peer, id);
CREATE INDEX cases_by_change ON cases (last_seq);

CREATE TABLE case_records (
  seq INTEGER PRIMARY KEY, case_id INTEGER NOT NULL, is_change INTEGER NOT NULL
) STRICT;
CREATE INDEX case_records_by_case ON case_records (case_id, seq, is_change);
`;

export const DERIVED_11: string = `${CASES_TABLES}
INSERT OR REPLACE INTO state (name, value) VALUES ('${CASES_BEHIND}', 0);
`;

/** Behind {@link CASES_TABLES}: which cases are of drills. None is of a journal of before. */
export const CASES_OF_DRILLS: string = 'ALTER TABLE cases ADD COLUMN is_drill INTEGER NOT NULL DEFAULT 0;';
