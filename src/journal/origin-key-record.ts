/** The audit record of the log key, out of its peer file, under which pages of a relay were verified for a node that was never met. */
import { type Db, PARAM, prepare, sqlBuilder } from './database.ts';
import type { AuditRecord } from './read-model.ts';

export const ORIGIN_KEY_EVENT = 'origin_key_used';

export interface UsedOriginKey {
  readonly nodeId: string;
  /** Verifier key. */
  readonly vkey: string;
  /** ISO time of the record. */
  readonly at: string;
}

/** All that are on record; one that cannot be read is left out, which is told where records are checked. */
export function usedOriginKeys(db: Db): readonly UsedOriginKey[] {
  const query = sqlBuilder.selectFrom('audit').select('body').where('event', '=', PARAM).orderBy('seq');
  return prepare<[string], string>(db, query)
    .pluck()
    .all(ORIGIN_KEY_EVENT)
    .flatMap((body) => {
      const record = recordIn(body);
      const vkey = record?.detail['log_key'];
      return record?.peer == null || typeof vkey !== 'string' ? [] : [{ nodeId: record.peer, vkey, at: record.at }];
    });
}

function recordIn(body: string): AuditRecord | null {
  try {
    return JSON.parse(body) as AuditRecord;
  } catch {
    return null;
  }
}
