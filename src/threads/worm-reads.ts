/** What the readers' thread gives to the export of records; each call looks at some hundred rows. */
import type { Db } from '../journal/database.ts';
import type { LogName } from '../journal/tables.ts';
import { type WormBatch, WormRecords } from '../journal/worm-records.ts';
import type { WormEnds, WormStream } from '../wire/worm-manifest.ts';

export interface WormReads {
  wormEnds(): WormEnds;
  wormBatch(stream: WormStream, after: number, end: number): WormBatch;
  wormWrittenAt(stream: WormStream, seq: number): number | null;
  wormRoot(log: LogName, size: number): string;
}

export function wormReads(db: Db): WormReads {
  const records = new WormRecords(db);
  return {
    wormEnds: () => records.ends(),
    wormBatch: (stream, after, end) => records.read(stream, after, end),
    wormWrittenAt: (stream, seq) => records.writtenAt(stream, seq),
    wormRoot: (log, size) => records.root(log, size),
  };
}
