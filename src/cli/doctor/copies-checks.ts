/** What leaves the machine: the SIEM's feed, the store that forgets nothing, backups; and what of the audit log waits for people. */
import { plural } from '../../core/plural.ts';
import { DAY_MS } from '../../core/time.ts';
import { type Check, fail, ofDaemon, ofNode, pass, warn } from './judgement.ts';

const HOUR_S = 3_600;
const LATE_S = 300;
/** Twice as long as between two snapshots: one may fail. */
const MISSED = 2;
/** Where the node runs no check by itself, somebody has to. */
const BY_HAND_MS = 30 * DAY_MS;

export const COPIES_CHECKS: readonly Check[] = [
  {
    id: 'sinks.lag',
    title: 'whoever watches the audit log is sent it',
    judge: ofDaemon(({ sinks }) => {
      if (sinks.length === 0)
        return warn(
          'the audit log is sent to nobody',
          'A [[sink]] in config.toml: docs/OPERATIONS.md, Sending the audit log on',
        );
      const late = sinks.filter(({ lag_seconds }) => lag_seconds > LATE_S);
      if (late.length === 0) return pass(sinks.map(({ name, sentence }) => `${name} ${sentence}`).join('; '));
      const seen = late.map(({ name, sentence }) => `${name} ${sentence}`).join('; ');
      return fail(seen, `stigmem-peerd sink show ${late[0]?.name} --data DIR`);
    }),
  },
  {
    id: 'worm.shipped',
    title: 'audit records are on storage that nobody can rewrite',
    judge: ofDaemon(({ backups: { worm } }, { config }) => {
      if (worm === null) return warn('nothing is shipped', '[worm] in config.toml: docs/OPERATIONS.md, WORM store');
      if (worm.last_error !== null) return fail(worm.last_error, 'stigmem-peerd export worm status --data DIR');
      if (worm.lag_seconds > LATE_S + MISSED * ((config?.worm?.intervalMs ?? 0) / 1_000))
        return fail(worm.sentence, 'stigmem-peerd export worm status --data DIR');
      return worm.weakness === null
        ? pass(worm.sentence)
        : warn(worm.weakness, 'docs/OPERATIONS.md, WORM store: what a folder promises');
    }),
  },
  {
    id: 'backups.verified',
    title: 'a backup was restored and checked whole, lately',
    judge: ofDaemon(({ backups: { snapshots } }) => {
      const fix =
        '[snapshot] in config.toml, or snapshot create and snapshot verify by hand: docs/OPERATIONS.md, Backup and restore';
      if (snapshots === null) return warn('no snapshots are made by themselves', fix);
      const { verified_age_seconds: age, every_hours, directory } = snapshots;
      if (age === null)
        return fail(
          `none in ${directory} was restored and checked`,
          `stigmem-peerd snapshot list ${directory} --data DIR`,
        );
      const seen = `the newest that counts is ${plural(Math.floor(age / HOUR_S), 'hour')} old`;
      if (age > MISSED * every_hours * HOUR_S) return fail(seen, `stigmem-peerd snapshot list ${directory} --data DIR`);
      return pass(seen);
    }),
  },
  {
    id: 'journal.checked',
    title: 'everything that is stored was checked, lately, and nothing differed',
    judge: ofNode(({ checks: { checks, last_clean_at } }, { config, createdMs, nowMs }) => {
      const [newest] = checks;
      if (newest?.clean === false) {
        const found = `${plural(newest.problems, 'problem')}, ${newest.first_problems[0] ?? 'not told'} first`;
        const fix = 'Stop the node, keep the file as it is: docs/OPERATIONS.md, What to do at an alert';
        return fail(`the check that ended at ${newest.ended_at} has found ${found}`, fix);
      }
      const everyMs = config?.fsck.everyMs ?? null;
      const mostMs = everyMs === null ? BY_HAND_MS : MISSED * everyMs;
      const ageMs = nowMs - (last_clean_at === null ? (createdMs ?? 0) : Date.parse(last_clean_at));
      const days = plural(Math.floor(ageMs / DAY_MS), 'day');
      const seen = last_clean_at === null ? `never; the journal is ${days} old` : `last full check ${days} ago`;
      return ageMs <= mostMs ? pass(seen) : warn(seen, 'stigmem-peerd fsck --data DIR');
    }),
  },
  {
    id: 'cases.unseen',
    title: 'somebody looks at what was refused',
    judge: ofNode(({ cases: all }) => {
      const cases = all.filter(({ is_drill }) => !is_drill);
      const unseen = cases.filter(({ state }) => state === 'new' || state === 'reopened');
      const count = (of: readonly { readonly count: number }[]): number => of.reduce((sum, one) => sum + one.count, 0);
      const quiet = cases.filter(
        ({ state, severity }) => state === 'suppressed' && (severity === 'critical' || severity === 'high'),
      );
      if (count(unseen) === 0 && count(quiet) > 0)
        return warn(
          `${plural(count(quiet), 'case')} of high or critical severity that somebody has suppressed`,
          'stigmem-peerd case list --state suppressed --data DIR',
        );
      if (count(unseen) === 0) return pass('every case was acknowledged');
      const critical = count(unseen.filter(({ severity }) => severity === 'critical'));
      const fix = 'stigmem-peerd case list --state new,reopened --data DIR';
      if (critical > 0) return fail(`${plural(critical, 'critical case')} that nobody has acknowledged`, fix);
      return warn(`${plural(count(unseen), 'case')} that nobody has acknowledged`, fix);
    }),
  },
];
