import type { Command } from 'commander';
import type { BackupsAnswer } from '../admin/api/backups.ts';
import { restoreSentence } from '../admin/backup-desk.ts';
import { loadConfig } from '../config/config.ts';
import { dataPaths } from '../config/data-dir.ts';
import { DEFAULT_RETAIN_DAYS } from '../config/section-worm.ts';
import type { Network } from '../core/address.ts';
import { plural } from '../core/plural.ts';
import { DAY_MS } from '../core/time.ts';
import type { WormTarget } from '../node/worm-export.ts';
import { MAX_RESTORES } from '../wire/worm-manifest.ts';
import type { WormReport } from '../worm/verify.ts';
import { configFailure, connectDaemonApi, withApi } from './api-client.ts';
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
import { s3PlaceOf } from './s3-place.ts';
import type { Screen } from './screen.ts';

const MAX_DAYS = 36_500;
const S3 =
  'Credentials for S3 come from the file that AWS_SHARED_CREDENTIALS_FILE names (profile AWS_PROFILE, or default), else from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; the region from AWS_REGION.';

interface ShipOptions extends CommonOptions {
  readonly to: string;
  readonly endpoint?: string;
  readonly retainDays?: number;
  readonly afterRestore?: boolean;
}

interface VerifyOptions {
  readonly logKey: readonly string[];
  readonly endpoint?: string;
  readonly atLeast: number;
  readonly restores?: number;
  readonly json?: boolean;
}

/** `export worm [ship|verify|status]` */
export function addExport(program: Command, cli: Cli): void {
  const group = program.command('export').summary('records to where nobody can take them back');
  const worm = group
    .command('worm')
    .summary('audit records, commitments, anchors: to a bucket with Object Lock, or a folder')
    .description(
      'Ships audit records, what the journal commits to, anchors and their receipts, under a chain of signed manifests. No body of a fact and no salt of one leaves the node. With [worm] in config.toml the daemon does it by itself.',
    );
  withExamples(worm, [
    'export worm --to /mnt/worm/acme --data ./acme',
    'export worm verify /mnt/worm/acme --log-key "$(cat acme.vkey)"',
  ]);
  addShip(worm, cli);
  addVerify(worm, cli);
  addStatus(worm, cli);
}

function addShip(worm: Command, cli: Cli): void {
  const command = worm
    .command('ship', { isDefault: true })
    .summary('ship everything once that is not there yet')
    .requiredOption('--to <target>', 'a folder, or s3://bucket/prefix')
    .option('--endpoint <url>', 'address of the S3-compatible store (or AWS_ENDPOINT_URL)')
    .option('--retain-days <days>', 'how long the store is told to keep it', (text) => wholeNumber(text, 1, MAX_DAYS))
    .option('--after-restore', 'this node was put back from a copy: go on from what it and the store have in common')
    .description(
      `Ships everything that signed checkpoints cover and that is not there yet; asks the store afterwards what it holds and for how long. Works beside a running daemon. Stopped or killed, the same command goes on. ${S3}`,
    )
    .action(action<ShipOptions>(cli, runShip));
  withExamples(withCommonOptions(command), [
    'export worm --to /mnt/worm/acme --data ./acme',
    'export worm --to s3://acme-worm/acme --endpoint https://s3.acme.example --retain-days 730 --data ./acme',
  ]);
}

async function runShip(context: Context, _args: readonly string[], options: ShipOptions): Promise<Outcome> {
  const dir = context.dir();
  const config = loadConfig(dir, {}, {});
  if (!config.ok) throw configFailure(config.error);
  const { worm, network } = config.value;
  const target = targetOf(options.to, options.endpoint, context.runtime.env, network.allowed);
  await refuseOwnTarget(context, options.to);
  const retainMs =
    options.retainDays === undefined ? (worm?.retainMs ?? DEFAULT_RETAIN_DAYS * DAY_MS) : options.retainDays * DAY_MS;
  const stopped = 'stopped before everything was shipped: run it again to go on';
  const report = await longRun(context, stopped, async ({ nowMs, signal, onProgress }) =>
    (await context.node()).exportWorm(dir, target, {
      retainMs,
      afterRestore: options.afterRestore === true,
      nowMs,
      signal,
      onProgress: (done, total) => onProgress('records', done, total),
    }),
  );
  const { manifests, records, restores, segments, uncovered, weakness } = report;
  const rest =
    uncovered === 0
      ? ''
      : ` ${uncovered === 1 ? '1 record waits' : `${plural(uncovered, 'record')} wait`} for a checkpoint: run \`stigmem-peerd journal head\`.`;
  const weak = weakness === null ? '' : `\n${context.screen.paint('yellow', '!')} ${weakness}`;
  const human = `${report.target}: ${plural(records, 'record')} shipped in ${plural(segments, 'segment')}; it has ${plural(manifests, 'manifest')}.${rest}${weak}`;
  const json = { target: report.target, manifests, restores, records, segments, uncovered, weakness };
  return { json: JSON.stringify(json), human };
}

/** Two that write one chain would get in each other's way. */
async function refuseOwnTarget(context: Context, to: string): Promise<void> {
  const api = await connectDaemonApi(context);
  if (api === null) return;
  try {
    const { worm } = JSON.parse(expectOk(await api.get('/v1/backups'))) as BackupsAnswer;
    if (worm?.target.replace(/\/$/, '') !== to.replace(/\/$/, '')) return;
    const message = `the running daemon ships to ${to} by itself`;
    throw new CliError({ exit: 'refused', message, fix: 'See: stigmem-peerd export worm status' });
  } finally {
    await api.close();
  }
}

function addVerify(worm: Command, cli: Cli): void {
  const command = worm
    .command('verify')
    .summary('read all of it back, with public keys alone')
    .argument('<place>', 'a folder, or s3://bucket/prefix')
    .requiredOption(
      '--log-key <vkey...>',
      'verifier keys of the log, as `peer show self` shows them; after a change of keys all of them',
    )
    .option('--at-least <number>', 'manifests that have to be there', (text) => wholeNumber(text, 0, 1e12), 0)
    .option('--restores <number>', 'restores that you know of: more are a problem', (text) =>
      wholeNumber(text, 0, MAX_RESTORES),
    )
    .option('--endpoint <url>', 'address of the S3-compatible store (or AWS_ENDPOINT_URL)')
    .option('--json', 'one JSON document on standard output')
    .description(
      `Checks the signature of each manifest and that it names the one before it, each segment's hash and place, and makes both trees again from what was shipped: against the checkpoints in the manifests and every anchor. Names what is missing, changed or moved; exits with 4 then. Where a node was put back from a copy, the chain goes on from an earlier manifest: each such restore is named, with what is only in the part before it. Needs no data folder. What was taken from the end of the chain is not seen without --at-least. ${S3}`,
    )
    .action(action<VerifyOptions>(cli, runVerify));
  withExamples(command, [
    'export worm verify /mnt/worm/acme --log-key "$(cat acme.vkey)"',
    'export worm verify s3://acme-worm/acme --endpoint https://s3.acme.example --log-key "$(cat acme.vkey)" --at-least 120',
  ]);
}

async function runVerify(context: Context, [place = '']: readonly string[], options: VerifyOptions): Promise<Outcome> {
  const keys = options.logKey.map(logKeyOf);
  const origins = new Set(keys.map(({ origin }) => origin));
  const [origin = ''] = origins;
  if (origins.size !== 1)
    throw new CliError({ exit: 'usage', message: `expected keys of one log, got ${[...origins].join(' and ')}` });
  const target = targetOf(place, options.endpoint, context.runtime.env, []);
  const trust = { origin, keys: keys.map(({ publicKey }) => publicKey) };
  const stopped = 'stopped before everything was read: nothing is known yet';
  const report = await longRun(context, stopped, async ({ nowMs, signal, onProgress }) =>
    (await context.node()).verifyWormTarget(target, trust, {
      atLeast: options.atLeast,
      restores: options.restores ?? null,
      nowMs: nowMs(),
      signal,
      onProgress: (manifests, records) => onProgress('records', records, manifests),
    }),
  );
  const { ok, manifests, madeAt, ends, problems, restores, unlocked, weakness } = report;
  const isNothing = manifests === 0 && problems.length === 0;
  if (isNothing) throw new CliError({ exit: 'not_found', message: `nothing was shipped to ${place}` });
  const json = JSON.stringify({ ok, manifests, made_at: madeAt, ends, restores, problems, unlocked, weakness });
  return { json, human: verdictText(report, context.screen), exit: ok ? 'ok' : 'integrity' };
}

function verdictText(report: WormReport, screen: Screen): string {
  const { ends, madeAt, manifests, ok, problems, restores, unlocked, weakness } = report;
  const sums = `${plural(manifests, 'manifest')}, the last of ${madeAt ?? 'no known time'}: ${plural(ends.journal, 'entry', 'entries')}, ${plural(ends.audit, 'audit record')}, ${plural(ends.anchors, 'anchor')}, ${plural(ends.receipts, 'receipt')}`;
  const notes = restores.map((one) => printable(restoreSentence(one)));
  if (unlocked !== null && unlocked > 0)
    notes.push(`not, or no longer, kept by the store: ${plural(unlocked, 'object')}`);
  if (weakness !== null) notes.push(printable(weakness));
  const noted = notes.map((note) => `\n${screen.paint('yellow', '!')} ${note}`).join('');
  if (ok) return `${screen.paint('green', 'verified')}: ${sums}${noted}`;
  const rows = problems.map(({ path, code, detail }) => [printable(path), code, printable(detail)]);
  const head = screen.paint('red', plural(problems.length, 'problem'));
  return `${head}: ${sums}${noted}\n\n${screen.table(['OBJECT', 'CODE', 'WHAT IS WRONG'], rows)}`;
}

function addStatus(worm: Command, cli: Cli): void {
  const command = worm
    .command('status')
    .summary('how far the daemon is')
    .description('What the running daemon has shipped to [worm] target, what waits, since when and why.')
    .action(action(cli, runStatus));
  withExamples(withCommonOptions(command), ['export worm status --data ./acme']);
}

async function runStatus(context: Context): Promise<Outcome> {
  const json = await withApi(context, async (api) => expectOk(await api.get('/v1/backups')));
  const { worm } = JSON.parse(json) as BackupsAnswer;
  if (worm === null) return { json, human: nothingShipped(context) };
  const weak = worm.weakness === null ? '' : `\n${context.screen.paint('yellow', '!')} ${printable(worm.weakness)}`;
  return { json, human: `${printable(worm.sentence)}.${weak}` };
}

function targetOf(
  target: string,
  endpoint: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  allowed: readonly Network[],
): WormTarget {
  if (!target.startsWith('s3:')) return { kind: 'folder', path: target };
  return { kind: 's3', options: s3PlaceOf(target, endpoint, env), allowed };
}

/** Why: there is no place to ship to, or nobody who ships. */
function nothingShipped(context: Context): string {
  const dir = context.dir();
  const config = loadConfig(dir, context.runtime.env, {});
  if (!config.ok) throw configFailure(config.error);
  if (config.value.worm !== null)
    return `Nothing is shipped now: [worm] target is set in ${dataPaths(dir).config}, and no daemon runs with it. Start it, or start it again: stigmem-peerd run --data ${dir}`;
  return `Nothing is shipped: no place is configured. Set target in [worm] of ${dataPaths(dir).config}, to a folder or s3://BUCKET/PREFIX, and start the daemon again; what it means: stigmem-peerd config explain worm.target. Once, by hand: stigmem-peerd export worm --help`;
}
