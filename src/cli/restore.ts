import { chmodSync, copyFileSync, existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { plural } from '../core/plural.ts';
import type { RestoreOptions } from '../node/restore-snapshot.ts';
import type { RestorePlan } from '../snapshot/restore.ts';
import {
  action,
  type Cli,
  type CommonOptions,
  type Context,
  type Outcome,
  withCommonOptions,
  withExamples,
} from './cli.ts';
import { CliError } from './exit.ts';
import { logKeyIn, logKeyOf } from './log-keys.ts';
import { longRun } from './long-run.ts';
import { snapshotAt, verdict } from './snapshot.ts';

interface Options extends CommonOptions {
  readonly apply?: boolean;
  readonly keys?: string;
  readonly logKey?: readonly string[];
  readonly heads?: string;
  readonly anchors?: string;
  readonly alone?: boolean;
}

/** `restore SNAPSHOT --data NEW` */
export function addRestore(program: Command, cli: Cli): void {
  const command = program
    .command('restore')
    .summary('put a snapshot into a new folder; without --apply a rehearsal')
    .argument('<snapshot>', 'a folder that `snapshot create` made')
    .option('--apply', 'do it; without it only says what would happen')
    .option(
      '--keys <directory>',
      'the key backup: its files are copied into keys/, and its log.key checks the signature',
    )
    .option('--log-key <vkey...>', 'verifier keys of the log that may have signed the snapshot')
    .option('--heads <file>', 'a signed-heads.json that is newer than the snapshot')
    .option('--anchors <file>', 'a local log of anchors that is newer than the snapshot')
    .option('--alone', 'nobody can be asked, and nothing was signed since the snapshot')
    .description(
      'Checks the snapshot, says what others have seen of this node since, what is missing, and whom the node will ask before it signs. With --apply it restores beside --data, checks everything there, and gives it its name only then. A folder that holds anything is refused.',
    )
    .action(action<Options>(cli, runRestore));
  withExamples(withCommonOptions(command), [
    'restore /backup/acme/20261130T053700Z --keys /vault/acme-keys --data ./acme-restored',
    'restore /backup/acme/20261130T053700Z --keys /vault/acme-keys --data ./acme-restored --apply',
  ]);
}

async function runRestore(context: Context, [given = '']: readonly string[], options: Options): Promise<Outcome> {
  const path = snapshotAt(given);
  const folder = resolve(context.dir());
  const node = await context.node();
  const keys = keysOf(options);
  const files = { heads: options.heads ?? null, anchors: options.anchors ?? null };
  const stopped = 'stopped: nothing was restored';
  const withRun = (run: Pick<RestoreOptions, 'signal' | 'onProgress'>): RestoreOptions => ({ ...run, ...files, keys });
  const rehearsal = await longRun(context, stopped, (run) => node.planRestore(path, folder, withRun(run)));
  if (!rehearsal.ok)
    return verdict({ ok: false, problems: rehearsal.problems, snapshot: null, fsck: null }, null, context.screen);
  const { plan } = rehearsal;
  if (options.apply !== true) {
    const human = `${planText(plan, folder, options)}\n\nNothing was written. With --apply it is done.`;
    return { json: planJson(plan, false), human };
  }
  const report = await longRun(context, stopped, (run) =>
    node.restoreSnapshot(path, folder, plan, { ...withRun(run), isAlone: options.alone === true }),
  );
  if (!report.ok) return verdict(report, null, context.screen);
  if (options.keys !== undefined) copyKeys(options.keys, join(folder, 'keys'));
  const human = `${planText(plan, folder, options)}\n\n${context.screen.paint('green', 'restored')}: checked whole at ${folder}.\n${nextSteps(plan, folder, options)}`;
  return { json: planJson(plan, true), human };
}

function keysOf({ keys, logKey = [] }: Options): RestoreOptions['keys'] {
  const inFolder = keys === undefined ? null : logKeyIn(keys);
  const given = logKey.map((text) => logKeyOf(text).publicKey);
  const [first, ...others] = [...(inFolder === null ? [] : [inFolder]), ...given];
  if (first !== undefined) return [first, ...others];
  throw new CliError({
    exit: 'usage',
    message: 'expected keys to check the signature of the snapshot with, got none',
    fix: 'Name the key backup with --keys DIR (it holds log.key), or the verifier key with --log-key.',
  });
}

function copyKeys(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith('.') || existsSync(join(to, entry.name))) continue;
    copyFileSync(join(from, entry.name), join(to, entry.name));
    chmodSync(join(to, entry.name), 0o600);
  }
}

function planText(
  { auditRecords, entries, known, missing, mute, others, peers, snapshot }: RestorePlan,
  folder: string,
  options: Options,
): string {
  const { made_at, node_id } = snapshot.manifest;
  const seen = known.map(({ source, size }) => `  ${source}: ${plural(size, 'entry', 'entries')}`);
  const asked = [...peers.map((name) => `peer ${name}`), ...others];
  const gap =
    missing > 0
      ? `${plural(missing, 'entry', 'entries')} signed after it ${missing === 1 ? 'is' : 'are'} not in it. The node signs and writes nothing until partners have given them back; what no partner can give back, it never signs again.`
      : known.length > 0
        ? 'Nothing that is known here was signed after it.'
        : 'What was signed after it is not known here.';
  const guard =
    asked.length > 0
      ? `At its first start the node asks before it signs: ${asked.join(', ')}.`
      : `Nobody will be asked at its first start.${options.alone === true ? ' You say that nothing was signed since.' : ''}`;
  return [
    `${node_id}, as of ${made_at}: ${plural(entries, 'entry', 'entries')}, ${plural(auditRecords, 'audit record')}, into ${folder}`,
    ...(seen.length === 0 ? [] : ['Known of its journal outside of the snapshot:', ...seen]),
    gap,
    ...mute.map((one) => `Says nothing that can be used: ${one}.`),
    `Audit records that were written after it are lost here${others.some((one) => one.startsWith('WORM')) ? ', and are in the WORM store' : ''}.`,
    guard,
  ].join('\n');
}

function nextSteps({ keys }: RestorePlan, folder: string, options: Options): string {
  const put =
    keys || options.keys !== undefined ? '' : `Put the key files into ${join(folder, 'keys')} (mode 0600), then: `;
  return `${put}stigmem-peerd run --data ${folder}, and stigmem-peerd status says what the restore guard found.`;
}

function planJson(
  { auditRecords, entries, keys, known, missing, others, peers, snapshot }: RestorePlan,
  applied: boolean,
): string {
  return JSON.stringify({
    applied,
    node_id: snapshot.manifest.node_id,
    made_at: snapshot.manifest.made_at,
    entries,
    audit_records: auditRecords,
    known: known.map(({ source, size }) => ({ source, size })),
    missing,
    asked: [...peers, ...others],
    keys,
  });
}
