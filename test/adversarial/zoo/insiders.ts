/** Somebody who can write the files of a node that does not run. Each works on a copy and leaves it as he wants it found. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { readAnchorFiles } from '../../../src/cli/anchor-files.ts';
import { dataPaths } from '../../../src/config/data-dir.ts';
import { readSeedFile } from '../../../src/config/secret-file.ts';
import { SIGNED_HEADS_FILE } from '../../../src/journal/files.ts';
import type { FsckProblem } from '../../../src/journal/fsck/report.ts';
import { runFsck } from '../../../src/node/fsck.ts';
import { verifyJournal } from '../../../src/node/verify-journal.ts';
import { changed, type Rewrite, rewriteHistory } from '../../support/history-attacks.ts';
import { dropGuards, openRaw } from '../../support/journal-fixture.ts';
import { tamper } from '../../support/tampering.ts';
import type { InsiderAnimal } from './animal.ts';

const ANCHORS_FILE = 'anchors.jsonl';
/** Entries that are cut off. */
const TAIL = 3;

export const INSIDERS: readonly InsiderAnimal[] = [
  {
    kind: 'insider',
    name: 'editor',
    threats: [27, 46],
    does: 'Changes the value of a stored fact, and puts the guards back',
    verdict: '`fsck` names the row and its column',
    attack: async ({ dir }) => {
      tamper(dir, (db) => db.exec("UPDATE entries SET value_v = 'never was' WHERE chain_seq = 1"));
      return found(
        dir,
        'row 1 of entries',
        ({ table, row, field }) => table === 'entries' && row === 1 && field === 'value_v',
      );
    },
  },
  {
    kind: 'insider',
    name: 'guard-dropper',
    threats: [27],
    does: 'Takes the guards off the append-only tables',
    verdict: '`fsck` names each of them',
    attack: async ({ dir }) => {
      const db = openRaw(dir);
      dropGuards(db);
      db.close();
      return found(dir, 'a guard', ({ table }) => table === 'sqlite_schema');
    },
  },
  {
    kind: 'insider',
    name: 'tail-cutter',
    threats: [28],
    does: 'Deletes the newest facts',
    verdict: '`fsck` says that the journal is shorter than what was signed',
    attack: async ({ dir }) => {
      tamper(dir, (db) => db.exec(`DELETE FROM entries WHERE chain_seq > ${lengthOf(db) - TAIL}`));
      return found(dir, 'the missing end', isTruncated);
    },
  },
  {
    kind: 'insider',
    name: 'restorer',
    threats: [30],
    does: 'Puts an older state of the whole journal back, every hash and signature of it right',
    verdict: '`fsck` holds the signed heads that stand beside it against it',
    attack: async ({ dir }) => {
      const heads = join(dir, SIGNED_HEADS_FILE);
      const kept = readFileSync(heads);
      rewriteHistory(dir, seedOf(dir), (records) => records.slice(0, -TAIL));
      writeFileSync(heads, kept);
      return found(dir, 'the missing end', isTruncated);
    },
  },
  {
    kind: 'insider',
    name: 'rebuilder',
    threats: [29, 44],
    does: 'Writes the whole history anew with the log key, so that nothing in the folder is wrong',
    verdict: '`verify` with the anchors that others hold names the first that is contradicted',
    attack: async ({ dir }) => {
      const anchors = join(dir, ANCHORS_FILE);
      if (!existsSync(anchors)) return [`no ${ANCHORS_FILE} in the folder: nothing outside to compare with`];
      const { claims } = await readAnchorFiles([anchors]);
      rewriteHistory(dir, seedOf(dir), otherwise);
      const report = await verifyJournal(dataPaths(dir).journal, { anchors: claims, logKey: null });
      return report.problems.some(({ code }) => code === 'anchor_contradicted') ? [] : ['no anchor is contradicted'];
    },
  },
];

const otherwise: Rewrite = (records) =>
  records.map((record) =>
    record.entry.value_type === 'text' ? changed(record, { value_v: `not ${record.entry.value_v}` }) : record,
  );

const isTruncated = ({ code }: FsckProblem): boolean => code === 'truncated';

async function found(dir: string, what: string, isIt: (problem: FsckProblem) => boolean): Promise<readonly string[]> {
  const { problems } = await runFsck(dir, {});
  return problems.some(isIt) ? [] : [`fsck does not name ${what}: ${JSON.stringify(problems.slice(0, 3))}`];
}

function lengthOf(db: Database.Database): number {
  return db.prepare<[], number>('SELECT max(chain_seq) FROM entries').pluck().get() ?? 0;
}

function seedOf(dir: string): Uint8Array {
  const seed = readSeedFile(dataPaths(dir).logKey, 'log');
  if (!seed.ok) throw new Error(seed.error.message);
  return seed.value;
}
