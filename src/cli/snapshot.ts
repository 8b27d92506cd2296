import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { plural } from '../core/plural.ts';
import { MANIFEST_FILE } from '../snapshot/files.ts';
import type { SnapshotReport } from '../snapshot/verify.ts';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
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
import { logKeyOf } from './log-keys.ts';
import { longRun } from './long-run.ts';
import { wholeNumber } from './numbers.ts';
import { printable } from './printable.ts';
import type { Screen } from './screen.ts';

const MAX_KEEP = 1_000;
const MIB = 1_048_576;
const NOT_MADE = 'stopped: there is no snapshot, and what was begun is removed';
const NOT_CHECKED = 'stopped before everything was checked: nothing is known yet';

interface CreateOptions extends CommonOptions {
  readonly withKeys?: boolean;
}

interface VerifyOptions extends CommonOptions {
  readonly logKey?: readonly string[];
  readonly scratch?: string;
}

interface PruneOptions extends CommonOptions {
  readonly keep: number;
}

/** `snapshot create|verify|list|prune` */
export function addSnapshot(program: Command, cli: Cli): void {
  const group = program
    .command('snapshot')
    .summary('copies of a node that were restored and checked')
    .description(
      'Copies of a node, made while it runs. One counts as a backup once `snapshot verify` has restored it.',
    );
  const create = group
    .command('create')
    .summary('make one, while the node runs')
    .argument('<directory>', 'where snapshots lie; the new one is a folder in it')
    .option('--with-keys', 'copy keys/ too: whoever has the snapshot is the node then')
    .description(
      'Copies signed heads, the journal in one read transaction, config.toml, peer files and the local anchors, under a manifest that the log key signs. Then: snapshot verify.',
    )
    .action(action<CreateOptions>(cli, runCreate));
  withExamples(withCommonOptions(create), ['snapshot create /backup/acme --data ./acme']);
  const verify = group
    .command('verify')
    .summary('restore it into a scratch folder and check it whole')
    .argument('<snapshot>', 'a folder that `snapshot create` made')
    .option('--scratch <directory>', 'where it is restored; beside the snapshot unless named')
    .option(
      '--log-key <vkey...>',
      'verifier keys of the log, as `peer show self` shows them, in place of --data: nothing is recorded then',
    )
    .description(
      'Checks signature and hashes, restores everything into a scratch folder, runs the whole fsck there against the anchors, and compares with the journal of the node. Only then is it recorded as verified: beside its manifest, and in the audit log. Names the file that is wrong, and exits with 4 then.',
    )
    .action(action<VerifyOptions>(cli, runVerify));
  withExamples(withCommonOptions(verify), [
    'snapshot verify /backup/acme/20261130T053700Z --data ./acme',
    'snapshot verify /backup/acme/20261130T053700Z --log-key "$(cat acme.vkey)"',
  ]);
  const list = group
    .command('list')
    .summary('what is there, and which of it counts')
    .argument('<directory>', 'where snapshots lie')
    .description('Signatures are checked; files are for `snapshot verify`.')
    .action(action(cli, runList));
  withExamples(withCommonOptions(list), ['snapshot list /backup/acme --data ./acme']);
  const prune = group
    .command('prune')
    .summary('remove old ones')
    .argument('<directory>', 'where snapshots lie')
    .requiredOption('--keep <number>', 'verified ones that stay', (text) => wholeNumber(text, 1, MAX_KEEP))
    .description('Removes what is older than the newest --keep that were verified. If fewer were, nothing is removed.')
    .action(action<PruneOptions>(cli, runPrune));
  withExamples(withCommonOptions(prune), ['snapshot prune /backup/acme --keep 7 --data ./acme']);
}

async function runCreate(
  context: Context,
  [directory = '']: readonly string[],
  { withKeys = false }: CreateOptions,
): Promise<Outcome> {
  const dir = context.dir();
  const node = await context.node();
  const { name, path, manifest } = await longRun(context, NOT_MADE, (run) =>
    node.makeSnapshot(dir, directory, withKeys, run),
  );
  const { audit, files, journal } = manifest;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const json = JSON.stringify({
    name,
    path,
    journal_size: journal.size,
    audit_size: audit.size,
    bytes,
    keys: withKeys,
  });
  const human = `${path}: ${plural(journal.size, 'entry', 'entries')}, ${plural(audit.size, 'audit record')}, ${(bytes / MIB).toFixed(1)} MiB in ${plural(files.length, 'file')}${withKeys ? ', keys among them' : '; keys are not in it'}.\nIt counts once it was restored: stigmem-peerd snapshot verify ${path} --data ${dir}`;
  return { json, human };
}

async function runVerify(context: Context, [given = '']: readonly string[], options: VerifyOptions): Promise<Outcome> {
  const path = snapshotAt(given);
  const scratch = options.scratch ?? dirname(path);
  const node = await context.node();
  const keys = options.logKey?.map((text) => logKeyOf(text).publicKey) ?? [];
  const [first, ...others] = keys;
  if (first !== undefined) {
    const report = await longRun(context, NOT_CHECKED, (run) =>
      node.checkSnapshotAlone(path, [first, ...others], scratch, run),
    );
    return verdict(report, null, context.screen);
  }
  const dir = context.dir();
  const { report, proof } = await longRun(context, NOT_CHECKED, (run) => node.checkSnapshot(dir, path, scratch, run));
  return verdict(report, proof === null ? null : await recordedAt(context, path, proof), context.screen);
}

/** @throws CliError `not_found`: a path that was mistyped is no damaged backup */
export function snapshotAt(given: string): string {
  const path = resolve(given);
  if (existsSync(path)) return path;
  throw new CliError({
    exit: 'not_found',
    message: `expected a snapshot, got ${JSON.stringify(given)}, which is not there`,
    fix: 'See: stigmem-peerd snapshot list DIRECTORY',
  });
}

/** @returns sequence of the audit record */
async function recordedAt(context: Context, path: string, proof: string): Promise<number> {
  const manifest = readFileSync(join(path, MANIFEST_FILE), 'utf8');
  const body = JSON.stringify({ name: basename(path), manifest, proof });
  const json = await withApi(context, async (api) => expectOk(await api.post('/v1/backups/verified', body)));
  return (JSON.parse(json) as { readonly audit_seq: number }).audit_seq;
}

/** What a check of a snapshot found, for both kinds of readers. */
export function verdict(report: SnapshotReport, auditSeq: number | null, screen: Screen): Outcome {
  const { fsck, ok, problems, snapshot } = report;
  const sizes =
    snapshot === null ? null : { journal: snapshot.manifest.journal.size, audit: snapshot.manifest.audit.size };
  const json = JSON.stringify({
    ok,
    problems,
    journal_size: sizes?.journal ?? null,
    audit_size: sizes?.audit ?? null,
    made_at: snapshot?.manifest.made_at ?? null,
    audit_seq: auditSeq,
  });
  if (ok && sizes !== null) {
    const recorded = auditSeq === null ? '' : ` Recorded in audit record ${auditSeq}.`;
    const human = `${screen.paint('green', 'verified')}: restored and checked whole in ${fsck?.seconds.toFixed(1) ?? '?'} s: ${plural(sizes.journal, 'entry', 'entries')}, ${plural(sizes.audit, 'audit record')}.${recorded}`;
    return { json, human };
  }
  const rows = problems.slice(0, 50).map(({ path, code, detail }) => [printable(path), code, printable(detail)]);
  const head = screen.paint('red', plural(problems.length, 'problem'));
  const human = `${head}: this is no backup. Keep older ones; make a new one.\n\n${screen.table(['WHERE', 'CODE', 'WHAT IS WRONG'], rows)}`;
  return { json, human, exit: 'integrity' };
}

async function runList(context: Context, [directory = '']: readonly string[]): Promise<Outcome> {
  if (!existsSync(directory)) {
    const message = `expected a folder of snapshots, got ${JSON.stringify(directory)}, which is not there`;
    const fix = 'It is made by the first: snapshot create FOLDER, or [snapshot] directory in config.toml.';
    throw new CliError({ exit: 'not_found', message, fix });
  }
  const shelf = (await context.node()).shelfOf(context.dir(), directory);
  const rows = shelf.map(({ auditSize, bytes, journalSize, keys, madeAt, name, state, verifiedAt }) => [
    name,
    state === 'verified' ? state : { text: state, style: state === 'damaged' ? ('red' as const) : ('yellow' as const) },
    madeAt ?? '-',
    verifiedAt ?? '-',
    journalSize ?? '-',
    auditSize ?? '-',
    bytes === null ? '-' : `${(bytes / MIB).toFixed(1)} MiB`,
    keys ? 'with keys' : '',
  ]);
  const snapshots = shelf.map(({ auditSize, journalSize, madeAt, verifiedAt, ...rest }) => ({
    ...rest,
    made_at: madeAt,
    verified_at: verifiedAt,
    journal_size: journalSize,
    audit_size: auditSize,
  }));
  const table = context.screen.table(['NAME', 'STATE', 'MADE', 'VERIFIED', 'ENTRIES', 'AUDIT', 'SIZE', ''], rows);
  return { json: JSON.stringify({ snapshots }), human: rows.length === 0 ? 'No snapshots.' : table };
}

async function runPrune(
  context: Context,
  [directory = '']: readonly string[],
  { keep }: PruneOptions,
): Promise<Outcome> {
  const pruned = await (await context.node()).pruneShelf(context.dir(), directory, keep);
  const removed = pruned.map(({ name }) => name);
  const human = removed.length === 0 ? 'Nothing to remove.' : `Removed: ${removed.join(', ')}`;
  return { json: JSON.stringify({ removed }), human };
}
