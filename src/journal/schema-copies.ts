/** Migration 10: bodies that stand in several pages, and acknowledgements of erasures that come by a relay. */
import { PAGE_KEPT } from './schema-erasures.ts';

/**
 * `body_copies`: an entry of a page whose body is held already, or was erased. `tombstone_seq` is null while the body stands there.
 * `relayed_acks`: what a node to which a fact was relayed has signed; `relay` is null at the relay itself.
 */
export const TABLES_10: string = `
CREATE TABLE body_copies (
  copy_id INTEGER PRIMARY KEY, page_id INTEGER NOT NULL, place INTEGER NOT NULL, target_seq INTEGER,
  tombstone_seq INTEGER, sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE INDEX body_copies_by_target ON body_copies (target_seq, copy_id);
CREATE INDEX body_copies_by_page ON body_copies (page_id, place);

CREATE TABLE relayed_acks (
  ack_id INTEGER PRIMARY KEY, peer TEXT NOT NULL, relay TEXT, tombstone_seq INTEGER NOT NULL, note TEXT NOT NULL,
  declaration TEXT NOT NULL, received_us INTEGER NOT NULL, sum1 INTEGER NOT NULL, sum2 INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX relayed_acks_by_tombstone ON relayed_acks (tombstone_seq, peer, ifnull(relay, ''));

CREATE INDEX erasure_steps_over ON erasure_steps (node_id, step_id) WHERE step IN ('scrubbed', 'absent');
CREATE INDEX entries_relayed ON entries (origin_node_id, origin_chain_seq) WHERE received_from <> origin_node_id;
CREATE INDEX page_places_by_seq ON page_places (first_seq);
CREATE INDEX page_refusals_by_feed ON page_refusals (feed, page_id);
`;

/**
 * The guard of pages, as of migration 9, that lets a page through too if it holds a copy of a body that is erased.
 *
 * @param refusal the body of a guard
 */
export function copyGuards(refusal: (operation: string, target: string, key: string) => string): string {
  const page = `${PAGE_KEPT} AND (
    EXISTS (SELECT 1 FROM erasure_steps s WHERE s.page_id = OLD.page_id AND s.step = 'erased')
    OR EXISTS (SELECT 1 FROM body_copies c JOIN erasure_steps s ON s.target_seq = c.target_seq
      AND s.tombstone_seq = c.tombstone_seq WHERE c.page_id = OLD.page_id AND s.step = 'erased'))`;
  return `
DROP TRIGGER pages_no_update;
CREATE TRIGGER pages_no_update BEFORE UPDATE ON pages WHEN NOT (${page}) BEGIN ${refusal('UPDATE', 'pages', 'OLD.page_id')} END;`;
}
