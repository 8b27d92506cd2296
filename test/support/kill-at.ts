/**
 * Preloaded into a daemon (`node --import`): kills it with SIGKILL just before or after a file is renamed into place, which is
 * the moment at which each step of onboarding is on disk or is not. The file that `KILL_AT_FILE` names says where:
 * `before <part of the path>` or `after …`, with `#n` behind it for the n-th such rename from now on. It is removed as it kills.
 * `before erasure:<step>` is the commit of that step of an erasure, in whichever thread it is made.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import Database from 'better-sqlite3';

const orders = process.env['KILL_AT_FILE'] ?? '';
const rename = fs.renameSync;
let order = '';
let seen = 0;

fs.renameSync = (from, to) => {
  const now = fs.existsSync(orders) ? fs.readFileSync(orders, 'utf8') : '';
  if (now !== order) seen = 0;
  order = now;
  const [, when = '', part = '', nth = '1'] = /^(before|after) ([^#]+)(?:#(\d+))?$/.exec(order) ?? [];
  const isIt = part !== '' && String(to).includes(part) && ++seen === Number(nth);
  if (isIt && when === 'before') die();
  rename(from, to);
  if (isIt) die();
};
syncBuiltinESMExports();

const exec = Database.prototype.exec;
Database.prototype.exec = function (this: Database.Database, sql: string) {
  const [, when = '', step = ''] =
    sql === 'COMMIT' && fs.existsSync(orders)
      ? (/^(before|after) erasure:(\w+)$/.exec(fs.readFileSync(orders, 'utf8')) ?? [])
      : [];
  const isIt = step !== '' && newestStep(this) === step;
  if (isIt && when === 'before') die();
  const done = exec.call(this, sql);
  if (isIt) die();
  return done;
};

/** Of the transaction that is about to end; tests have one erasure under way at a time. */
function newestStep(db: Database.Database): unknown {
  return db.prepare('SELECT step FROM erasure_steps ORDER BY step_id DESC LIMIT 1').pluck().get();
}

function die(): void {
  fs.rmSync(orders);
  process.kill(process.pid, 'SIGKILL');
}
