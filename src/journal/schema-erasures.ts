/** Migration 9: tombstones. What the guards of entries and pages let through, and the steps that lead there. */

/** Steps are appended; the newest one of a fact says how its erasure stands. */
export const TABLES_9: string = `
CREATE TABLE erasure_steps (
  step_id INTEGER PRIMARY KEY, fact BLOB NOT NULL, node_id TEXT NOT NULL, step TEXT NOT NULL,
  feed TEXT NOT NULL, feed_seq INTEGER NOT NULL, target_seq INTEGER, tombstone_seq INTEGER, page_id INTEGER,
  due_us INTEGER, at_us INTEGER NOT NULL, actor TEXT, reason TEXT, sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX erasure_steps_by_fact ON erasure_steps (fact, node_id, step_id);
CREATE INDEX erasure_steps_by_page ON erasure_steps (page_id, feed_seq);
CREATE INDEX erasure_steps_by_target ON erasure_steps (target_seq, step_id);

CREATE TABLE erasure_acks (
  ack_id INTEGER PRIMARY KEY, peer TEXT NOT NULL, tombstone_seq INTEGER NOT NULL, note TEXT NOT NULL,
  received_us INTEGER NOT NULL, sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX erasure_acks_by_tombstone ON erasure_acks (tombstone_seq, peer);
`;

/** Columns of an entry that an erasure empties, with what they hold then. The salt gives way to the commitment. */
const EMPTIED: Readonly<Record<string, string>> = {
  fact_id: "'erased:' || OLD.chain_seq",
  entity: "''",
  relation: "''",
  value_type: "''",
  value_v: "''",
  source: "''",
  scope: "''",
  confidence: '0.0',
  timestamp: "''",
  valid_until: 'NULL',
  interpret_as: "''",
  garden_id: 'NULL',
  derived_from: 'NULL',
  attestation_key_id: 'NULL',
  attestation_signature: 'NULL',
  cid: "x''",
  event_hash: "x''",
};
const ENTRY_KEEPS = [
  'chain_seq',
  'hlc',
  'origin_node_id',
  'origin_chain_seq',
  'origin_leaf_hash',
  'received_from',
  'feed_id',
  'feed_seq',
  'previous_hash',
  'chain_hash',
  'created_us',
  'leaf_hash',
] as const;
const PAGE_KEEPS = [
  'page_id',
  'peer',
  'feed',
  'after_seq',
  'to_seq',
  'tree_size',
  'header',
  'proof',
  'received_us',
  'accepted',
  'refused',
  'digest',
] as const;

const same = (columns: readonly string[]): string =>
  columns.map((column) => `NEW.${column} IS OLD.${column}`).join(' AND ');
const emptied = Object.entries(EMPTIED)
  .map(([column, value]) => `NEW.${column} IS ${value}`)
  .join(' AND ');

/** What a page has to keep when one of its entries is blanked. */
export const PAGE_KEPT: string = `${same(PAGE_KEEPS)} AND NEW.entries IS NOT NULL AND OLD.entries IS NOT NULL`;

/** The tombstone that a step speaks of stands in the journal, is of the fact's author and names this very leaf. */
const NAMED = `EXISTS (
  SELECT 1 FROM erasure_steps s JOIN entries t ON t.chain_seq = s.tombstone_seq
  WHERE s.target_seq = OLD.chain_seq AND s.step = 'erased' AND t.relation = 'stigmem:tombstone'
    AND t.origin_node_id IS OLD.origin_node_id
    AND json_extract(t.value_v, '$.leaf_hash') IS 'sha256:' || lower(hex(coalesce(OLD.origin_leaf_hash, OLD.leaf_hash))))`;

/** One erasure has a window behind it: the newest step of the fact is due at the time that this one states. */
const DUE = `EXISTS (
  SELECT 1 FROM erasure_steps p
  WHERE p.fact IS NEW.fact AND p.node_id IS NEW.node_id AND p.target_seq IS NEW.target_seq
    AND p.tombstone_seq IS NEW.tombstone_seq AND p.step IN ('issued', 'received', 'released') AND p.due_us <= NEW.at_us
    AND p.step_id = (SELECT max(x.step_id) FROM erasure_steps x WHERE x.fact = NEW.fact AND x.node_id = NEW.node_id))`;

type Refusal = (operation: string, target: string, key: string) => string;

function record(target: string, key: string, now: string): string {
  return `INSERT INTO mutation_attempts (attempt_id, at, operation, target, row_key)
    VALUES ((SELECT coalesce(max(attempt_id), 0) + 1 FROM mutation_attempts), ${now}, 'ERASE', '${target}', OLD.${key});`;
}

/**
 * The guards that refuse every UPDATE, but for the erasure that a tombstone names. What they let through they record.
 *
 * @param refusal the body of a guard
 * @param now     SQL of the time
 */
export function erasureGuards(refusal: Refusal, now: string): string {
  const entry = `${emptied} AND ${same(ENTRY_KEEPS)} AND length(NEW.salt) = 32 AND length(OLD.event_hash) = 32 AND ${NAMED}`;
  const page = `${PAGE_KEPT}
    AND EXISTS (SELECT 1 FROM erasure_steps s WHERE s.page_id = OLD.page_id AND s.step = 'erased')`;
  return `
DROP TRIGGER entries_no_update;
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries WHEN NOT (${entry}) BEGIN ${refusal('UPDATE', 'entries', 'OLD.chain_seq')} END;
CREATE TRIGGER entries_erased AFTER UPDATE ON entries BEGIN ${record('entries', 'chain_seq', now)} END;
DROP TRIGGER pages_no_update;
CREATE TRIGGER pages_no_update BEFORE UPDATE ON pages WHEN NOT (${page}) BEGIN ${refusal('UPDATE', 'pages', 'OLD.page_id')} END;
CREATE TRIGGER pages_erased AFTER UPDATE ON pages BEGIN ${record('pages', 'page_id', now)} END;
CREATE TRIGGER erasure_steps_too_early BEFORE INSERT ON erasure_steps WHEN NEW.step = 'erased' AND NOT ${DUE}
BEGIN ${refusal('INSERT', 'erasure_steps', 'NEW.step_id')} END;`;
}
