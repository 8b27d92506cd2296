import type { Network } from '../core/address.ts';
import { openDatabase } from '../journal/database.ts';
import { PublishedLog } from '../journal/published-log.ts';
import type { LogName } from '../journal/tables.ts';
import { createHttpClient } from '../outbound/http-client.ts';
import { type ExportOptions, type ExportReport, exportLog } from '../publish/export-log.ts';
import { FolderTarget } from '../publish/folder-target.ts';
import type { S3Options } from '../publish/s3-client.ts';
import { S3Target } from '../publish/s3-target.ts';

export type ExportPlace =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 's3'; readonly options: Omit<S3Options, 'http'>; readonly allowed: readonly Network[] };

const CACHE_MIB = 8;
/** Round trips under way at once. */
const S3_PARALLEL = 8;

/**
 * Publishes a log of a journal file on a connection that cannot write: a daemon may run meanwhile.
 *
 * @throws PublishError, JournalError, LeafMismatchError
 */
export async function exportTiles(
  journalFile: string,
  log: LogName,
  place: ExportPlace,
  options: ExportOptions,
): Promise<ExportReport> {
  const db = openDatabase(journalFile, { readonly: true, cacheMiB: CACHE_MIB });
  try {
    const published = new PublishedLog(db, log);
    if (place.kind === 'folder') return await exportLog(published, new FolderTarget(place.path), options);
    return await exportLog(published, new S3Target({ ...place.options, http: createHttpClient(place.allowed) }), {
      ...options,
      parallel: S3_PARALLEL,
    });
  } finally {
    db.close();
  }
}
