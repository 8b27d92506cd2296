/**
 * Preloaded into a daemon (`node --import`): kills it with SIGKILL just before or after a file is renamed into place, which is
 * the moment at which each step of onboarding is on disk or is not. The file that `KILL_AT_FILE` names says where:
 * `before <part of the path>` or `after …`, with `#n` behind it for the n-th such rename from now on. It is removed as it kills.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

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

function die(): void {
  fs.rmSync(orders);
  process.kill(process.pid, 'SIGKILL');
}
