/** Opens a journal, and is killed just before, or just after, a migration commits: `migrate-and-die FILE before|after VERSION`. */
import Database from 'better-sqlite3';
import { openDatabase } from '../../src/journal/database.ts';

const [file = '', when, version] = process.argv.slice(2);
const pragma = Database.prototype.pragma;

// Setting the version is the last thing a migration does before it commits.
Database.prototype.pragma = function (this: Database.Database, source: string, options?: Database.PragmaOptions) {
  const result = pragma.call(this, source, options);
  if (when === 'before' && source === `user_version = ${version}`) process.kill(process.pid, 'SIGKILL');
  return result;
};

openDatabase(file, {
  readonly: false,
  cacheMiB: 1,
  onMigration: (next) => {
    if (when === 'after' && next === Number(version) + 1) process.kill(process.pid, 'SIGKILL');
  },
});
if (when === 'after') process.kill(process.pid, 'SIGKILL');
