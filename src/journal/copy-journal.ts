/** One consistent copy of a journal that may be written to meanwhile, and what a copy says of itself. */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { isoMicros } from '../core/time.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { EMPTY_ROOT } from '../merkle/hash.ts';
import { ONE, openDatabase, PARAM, prepare, sqlBuilder } from './database.ts';
import type { JournalIdentity } from './files.ts';
import { readIdentity } from './identity.ts';
import { ownLogKeys } from './key-statements.ts';
import { PublishedLog } from './published-log.ts';
import { LOGS, type LogName, type Tables } from './tables.ts';
import { WormRecords } from './worm-records.ts';

const CACHE_MIB = 16;

/** One log of a journal file. */
export interface CopiedLog {
  readonly size: number;
  /** Over all of it, base64. */
  readonly root: string;
  /** The newest signed checkpoint in the file; null: none was signed. */
  readonly checkpoint: string | null;
}

/** A checkpoint as it was signed. */
export interface CopiedHead {
  readonly size: number;
  /** Base64. */
  readonly root: string;
  readonly note: string;
}

export interface CopyFacts {
  readonly identity: JournalIdentity;
  readonly journal: CopiedLog;
  readonly audit: CopiedLog;
}

/**
 * Writes what one read transaction sees into a new file: live rows alone, so that nothing erased and no free page is in it.
 * Durable when it returns. Blocks its thread for as long as it takes.
 *
 * @throws the error of SQLite, also if `to` is there already
 */
export function copyJournal(from: string, to: string): void {
  const db = openDatabase(from, { readonly: true, cacheMiB: CACHE_MIB });
  try {
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
  // SQLite leaves a file that it vacuums into to the system's own time.
  const file = openSync(to, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** @throws JournalError for a file that is no journal, or a tree that is broken; the error of SQLite */
export function readCopyFacts(file: string): CopyFacts {
  const db = openDatabase(file, { readonly: true, cacheMiB: CACHE_MIB });
  try {
    const records = new WormRecords(db);
    const ends = records.ends();
    const factsOf = (log: LogName): CopiedLog => ({
      size: ends[log],
      root: ends[log] === 0 ? encodeBase64(EMPTY_ROOT) : records.root(log, ends[log]),
      checkpoint: new PublishedLog(db, log).head()?.note ?? null,
    });
    return { identity: readIdentity(db), journal: factsOf('journal'), audit: factsOf('audit') };
  } finally {
    db.close();
  }
}

/** The newest checkpoint of a log that a journal file has recorded; null: none was signed. */
export function signedHeadIn(file: string, log: LogName): CopiedHead | null {
  const db = openDatabase(file, { readonly: true, cacheMiB: CACHE_MIB });
  try {
    const query = sqlBuilder
      .selectFrom('checkpoints')
      .select(['tree_size', 'root', 'note'])
      .where('log', '=', PARAM)
      .orderBy('checkpoint_id', 'desc')
      .limit(ONE);
    const row = prepare<[number], Pick<Tables['checkpoints'], 'tree_size' | 'root' | 'note'>>(db, query).get(LOGS[log]);
    return row === undefined ? null : { size: row.tree_size, root: encodeBase64(row.root), note: row.note };
  } finally {
    db.close();
  }
}

/** Root of a journal file over its first `size` records, base64; null: it has fewer. */
export function rootIn(file: string, log: LogName, size: number): string | null {
  const db = openDatabase(file, { readonly: true, cacheMiB: CACHE_MIB });
  try {
    const records = new WormRecords(db);
    return records.ends()[log] < size ? null : records.root(log, size);
  } finally {
    db.close();
  }
}

/** How many records a log of a journal file had at a time, as the times in them say, Unix ms. */
export function sizeIn(file: string, log: LogName, ms: number): number {
  const db = openDatabase(file, { readonly: true, cacheMiB: CACHE_MIB });
  try {
    const us = ms * 1_000;
    const entries = sqlBuilder.selectFrom('entries').where('created_us', '<', PARAM).select('chain_seq as size');
    const records = sqlBuilder.selectFrom('audit').where('at', '<', PARAM).select('seq as size');
    const row =
      log === 'journal'
        ? prepare<[number], { size: number }>(db, entries.orderBy('chain_seq', 'desc').limit(ONE)).get(us)
        : prepare<[string], { size: number }>(db, records.orderBy('seq', 'desc').limit(ONE)).get(isoMicros(us));
    return row?.size ?? 0;
  } finally {
    db.close();
  }
}

/** Log keys that have signed for the node of a journal file, joined to the one given by its statements. */
export function logKeysIn(file: string, logKey: Uint8Array): readonly Uint8Array[] {
  const db = openDatabase(file, { readonly: true, cacheMiB: CACHE_MIB });
  try {
    return ownLogKeys(db, logKey);
  } finally {
    db.close();
  }
}
