/** Loaded before the program (`--import`): the migration to `HOLD_VERSION` is held before it commits for as long as `HOLD_FILE` is there. */
import { existsSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';

const { HOLD_VERSION, HOLD_FILE = '' } = process.env;
const LOOK_MS = 10;
const pragma = Database.prototype.pragma;
const cell = new Int32Array(new SharedArrayBuffer(4));

Database.prototype.pragma = function (this: Database.Database, source: string, options?: Database.PragmaOptions) {
  const result = pragma.call(this, source, options);
  if (source === `user_version = ${HOLD_VERSION}`) {
    writeFileSync(`${HOLD_FILE}.held`, '');
    while (existsSync(HOLD_FILE)) Atomics.wait(cell, 0, 0, LOOK_MS);
  }
  return result;
};
