/**
 * Which peers are those of drills. The journal alone gives them their names and records that, so the label of a record is
 * what this node knows of its own drills: nothing that a peer sends or is called leads to it.
 */
import { DRILL_STARTED } from '../core/drill.ts';
import { type Db, PARAM, prepare, sqlBuilder } from './database.ts';
import type { AuditInput } from './read-model.ts';

export class DrillPeers {
  readonly #peers: Set<string>;

  constructor(db: Db) {
    const started = sqlBuilder.selectFrom('audit').select('peer').where('event', '=', PARAM);
    const rows = prepare<[string], { peer: string | null }>(db, started).all(DRILL_STARTED);
    this.#peers = new Set(rows.flatMap(({ peer }) => peer ?? []));
  }

  has(peer: string): boolean {
    return this.#peers.has(peer);
  }

  /** Whether a record that is to be written is about a drill. The one that starts it names its peer. */
  concerns({ event, peer }: AuditInput): boolean {
    if (peer == null) return false;
    if (event === DRILL_STARTED) this.#peers.add(peer);
    return this.#peers.has(peer);
  }
}
