import type { Db } from '../journal/database.ts';
import { type Published, PublishedLog } from '../journal/published-log.ts';
import type { ChangePage } from '../journal/read-model.ts';
import type { LogName } from '../journal/tables.ts';
import type { FactReader } from '../projections/fact-reader.ts';

/** What the readers' thread does for whoever audits the logs or follows the journal. */
export interface PublishMethods {
  published(log: LogName, path: string): Published;
  changes(after: number, limit: number): ChangePage;
}

export function publishMethods(db: Db, facts: FactReader): PublishMethods {
  const logs = { journal: new PublishedLog(db, 'journal'), audit: new PublishedLog(db, 'audit') };
  return {
    published: (log, path) => logs[log].at(path),
    changes: (after, limit) => facts.changes(after, limit),
  };
}
