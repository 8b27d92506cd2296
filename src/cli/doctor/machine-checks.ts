/** Configuration, files, disk, process, clock: what a node stands on. */

import { isLoopback } from '../../config/checks.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import { plural } from '../../core/plural.ts';
import { DAY_MS } from '../../core/time.ts';
import { filesNeeded } from '../../node/open-files.ts';
import { isAtLeast } from '../version-order.ts';
import { type Check, fail, type Judgement, ofDaemon, ofNode, pass, skipped, warn } from './judgement.ts';

const MIB = 1_048_576;
const LEAST_FREE_BYTES = 256 * MIB;
const SKEW_WARN_MS = 5_000;
const ALL_PROBLEMS = 'All problems: stigmem-peerd config check --data DIR';

export const MACHINE_CHECKS: readonly Check[] = [
  {
    id: 'config.valid',
    title: 'config.toml and the environment are right',
    judge: ({ configProblems }) => ofProblems(configProblems, 'every setting is valid', ALL_PROBLEMS),
  },
  {
    id: 'config.peer_files',
    title: 'every file under peers/ is right',
    judge: ({ peerProblems, peerFiles }) =>
      ofProblems(peerProblems, plural(peerFiles.length, 'peer file'), ALL_PROBLEMS),
  },
  {
    id: 'config.weakened',
    title: 'nothing is set weaker than by default',
    judge: ofNode(({ weakenings }) => {
      if (weakenings.length === 0) return pass('no setting, peer file or key');
      const seen = weakenings.map(({ where, sentence }) => `${where}: ${sentence}`).join('; ');
      return warn(seen, 'docs/OPERATIONS.md, What is weaker than by default');
    }),
  },
  {
    id: 'files.secrets',
    title: 'keys are there, and readable by their owner alone',
    judge: ({ secretProblems }) =>
      ofProblems(secretProblems, 'each is 0600 or a credential', 'Then run the doctor again for the others.'),
  },
  {
    id: 'files.folder',
    title: 'nobody else gets into the data folder',
    judge: ({ dir, folderMode }) => {
      const seen = `it has mode ${(folderMode & 0o777).toString(8).padStart(4, '0')}`;
      if ((folderMode & 0o022) !== 0)
        return fail(`${seen}: others may put files of their own into it`, `chmod 700 ${dir}`);
      return (folderMode & 0o077) === 0 ? pass(seen) : warn(`${seen}: others may look into it`, `chmod 700 ${dir}`);
    },
  },
  {
    id: 'disk.space',
    title: 'the disk holds what the journal grows to',
    judge: ({ disk, createdMs, nowMs }) => {
      const free = `${mib(disk.freeBytes)} are free, ${mib(disk.usedBytes)} are used`;
      const fix = 'Make room, or move the data folder to a larger volume while the node is stopped.';
      if (disk.freeBytes < LEAST_FREE_BYTES) return fail(`${free}: less than ${mib(LEAST_FREE_BYTES)}`, fix);
      if (createdMs === null) return skipped(`${free}; when the journal was made is not known`);
      const perDay = disk.usedBytes / Math.max(1, (nowMs - createdMs) / DAY_MS);
      const days = Math.floor(disk.freeBytes / Math.max(1, perDay));
      const seen = `${free}; at ${mib(perDay)} a day since it was made that is enough for ${days > 3_650 ? 'more than ten years' : plural(days, 'day')}`;
      if (days < 3) return fail(seen, fix);
      return days < 30 ? warn(seen, fix) : pass(seen);
    },
  },
  {
    id: 'process.open_files',
    title: 'the daemon may open what its connections need',
    judge: ofDaemon((_, { process, config }) => {
      const limit = process?.openFiles ?? null;
      if (limit === null || config === null) return skipped('this system does not say how many files it may open');
      const needed = filesNeeded(config.limits.maxConnections);
      const seen = `it may hold ${limit} files open, and may need ${needed}`;
      return limit >= needed
        ? pass(seen)
        : warn(seen, 'LimitNOFILE= in the unit, ulimit -n, or limits.max_connections');
    }),
  },
  {
    id: 'process.hardening',
    title: 'the daemon runs with as few rights as it can',
    judge: ofDaemon((_, { process }) => {
      if (process === null || process.uid === null) return skipped('this system does not say what rights it has');
      const fix =
        'Run it by deploy/systemd/stigmem-peerd.service or the container image: docs/OPERATIONS.md, As a service.';
      const isMighty = process.uid === 0 || /[1-9a-f]/.test(process.capabilities ?? '');
      if (isMighty) return fail(`user ${process.uid}, capabilities ${process.capabilities ?? 'unknown'}`, fix);
      const open = [
        ...(process.hasNoNewPrivileges === false ? ['it may gain privileges'] : []),
        ...(process.hasSeccomp === false ? ['no system call is filtered'] : []),
      ];
      const who = `user ${process.uid}, no capabilities`;
      return open.length === 0 ? pass(`${who}, sandboxed`) : warn(`${who}; ${open.join(', ')}`, fix);
    }),
  },
  {
    id: 'program.versions',
    title: 'the daemon, the command line and Node.js belong together',
    judge: ofNode(({ wellKnown }, { program }) => {
      if (!isAtLeast(program.node, program.needsNode))
        return fail(`Node.js ${program.node}`, `Install Node.js ${program.needsNode} or newer.`);
      const { version } = wellKnown.peerd;
      if (version !== program.version)
        return fail(`the daemon is ${version}, this command ${program.version}`, 'Restart the daemon.');
      return pass(`stigmem-peerd ${version} on Node.js ${program.node}`);
    }),
  },
  {
    id: 'clock.peers',
    title: 'the clock agrees with those of peers',
    judge: ofDaemon(({ peers }, { config }) => {
      const skews = peers.flatMap(({ name, clock_skew_ms: skew }) => (skew === null ? [] : [{ name, skew }]));
      if (skews.length === 0) return skipped('no peer has been greeted since the start');
      const sorted = skews.map(({ skew }) => skew).sort((a, b) => a - b);
      const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
      const most = config?.federation.maxFutureSkewMs ?? 300_000;
      const fix = 'timedatectl set-ntp true (or chronyd), then timedatectl timesync-status';
      const seen = `half of ${plural(skews.length, 'peer')} differ by ${seconds(median)} or less`;
      if (Math.abs(median) > SKEW_WARN_MS) {
        const wrong = `the clocks of ${plural(skews.length, 'peer')} differ from ours by ${seconds(median)} in the middle`;
        return Math.abs(median) > most / 2 ? fail(wrong, fix) : warn(wrong, fix);
      }
      const off = skews.filter(({ skew }) => Math.abs(skew) > SKEW_WARN_MS);
      if (off.length === 0) return pass(seen);
      const who = off.map(({ name, skew }) => `${name} by ${seconds(skew)}`).join(', ');
      return warn(`${seen}; off are ${who}`, 'Tell these partners to look at their clocks.');
    }),
  },
  {
    id: 'api.listener',
    title: 'the API is reached by those alone who should',
    judge: ({ config }) => {
      if (config === null) return skipped('the configuration is not valid');
      const { host, port, tls, behindProxy, names } = config.api;
      if (behindProxy && names.length === 0)
        return warn(
          'behind a proxy, and the names it is asked under are not said',
          'api.node_url or api.allowed_hosts',
        );
      if (isLoopback(host)) return pass(`${host}:${port}, this machine alone`);
      return pass(tls === null ? `${host}:${port}, behind a proxy` : `${host}:${port} with ${tls.minVersion} or newer`);
    },
  },
  {
    id: 'api.certificate',
    title: 'the certificate of the API is good for longer',
    judge: ({ certificate, nowMs }) => {
      if (certificate === null) return skipped('the API speaks plain HTTP');
      const fix = 'Put new files at api.tls_cert_file and api.tls_key_file; they are taken up by themselves.';
      if ('fault' in certificate) return fail(certificate.fault, fix);
      const days = Math.floor((certificate.notAfterMs - nowMs) / DAY_MS);
      const end = new Date(certificate.notAfterMs).toISOString();
      if (days < 0) return fail(`it ended at ${end}`, fix);
      const seen = `it ends at ${end}, in ${plural(days, 'day')}`;
      return days < 7 ? fail(seen, fix) : days < 30 ? warn(seen, fix) : pass(seen);
    },
  },
  {
    id: 'alerts.scraped',
    title: 'somebody collects the metrics, so that alerts can fire',
    judge: ofDaemon(({ stats }, { nowMs }) => {
      const fix = 'Have Prometheus scrape /metrics, with deploy/prometheus/stigmem-peerd.rules.yml.';
      const at = stats.metrics_scraped_at;
      if (at === null)
        return warn(
          'nobody has asked for /metrics since the start: no alert, such as on anchors that stay pending, can fire',
          fix,
        );
      const minutes = Math.floor((nowMs - Date.parse(at)) / 60_000);
      const seen = `/metrics was last asked for ${plural(Math.max(0, minutes), 'minute')} ago`;
      return minutes > 10 ? warn(seen, fix) : pass(seen);
    }),
  },
];

function ofProblems(problems: readonly ConfigProblem[], good: string, fix: string): Judgement {
  const [first, ...others] = problems;
  if (first === undefined) return pass(good);
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return fail(`${first.where}: ${first.message}${more}`, others.length === 0 ? first.fix : `${first.fix} ${fix}`);
}

function mib(bytes: number): string {
  return `${Math.round(bytes / MIB).toLocaleString('en')} MiB`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
