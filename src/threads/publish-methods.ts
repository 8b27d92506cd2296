import type { Db } from '../journal/database.ts';
import { type Published, PublishedLog } from '../journal/published-log.ts';
import type { LogName } from '../journal/tables.ts';

/** What the readers' thread does for whoever audits the logs. */
export interface PublishMethods {
  published(log: LogName, path: string): Published;
}

export function publishMethods(db: Db): PublishMethods {
  const logs = { journal: new PublishedLog(db, 'journal'), audit: new PublishedLog(db, 'audit') };
  return { published: (log, path) => logs[log].at(path) };
}
