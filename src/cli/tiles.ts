import { type Command, Option } from 'commander';
import { loadConfig } from '../config/config.ts';
import { dataPaths } from '../config/data-dir.ts';
import type { Network } from '../core/address.ts';
import { plural } from '../core/plural.ts';
import type { LogName } from '../journal/tables.ts';
import type { ExportPlace } from '../node/tiles-export.ts';
import { configFailure } from './api-client.ts';
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
import { createProgress } from './progress.ts';
import { s3PlaceOf } from './s3-place.ts';

interface ExportOptions extends CommonOptions {
  readonly log: LogName;
  readonly endpoint?: string;
}

export function addTiles(program: Command, cli: Cli): void {
  const group = program
    .command('tiles')
    .summary('the logs as static files')
    .description('Journal and audit log as static files that anybody may audit (C2SP tlog-tiles).');
  const command = group
    .command('export')
    .summary('write or bring up to date')
    .argument('<target>', 'a folder, or s3://bucket/prefix')
    .addOption(new Option('--log <log>', 'which of the two logs').choices(['journal', 'audit']).default('journal'))
    .option('--endpoint <url>', 'address of the S3-compatible store (or AWS_ENDPOINT_URL)')
    .description(
      'Writes checkpoint, hash tiles and salted leaf data of a log, which tell no fact, to a folder or an S3-compatible store. What is there is left alone; the checkpoint comes last and never goes back. Works beside a running daemon. Credentials for S3 come from the file that AWS_SHARED_CREDENTIALS_FILE names (profile AWS_PROFILE, or default), else from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; the region from AWS_REGION.',
    )
    .action(action<ExportOptions>(cli, runExport));
  withExamples(withCommonOptions(command), [
    'tiles export /srv/www/log --data ./acme',
    'tiles export s3://acme-log/journal --endpoint https://s3.acme.example --data ./acme',
    'tiles export /srv/www/audit --log audit --data ./acme',
  ]);
}

async function runExport(context: Context, [target = '']: readonly string[], options: ExportOptions): Promise<Outcome> {
  const dir = context.dir();
  const config = loadConfig(dir, {}, {});
  if (!config.ok) throw configFailure(config.error);
  const { runtime } = context;
  const place = placeOf(target, options.endpoint, runtime.env, config.value.network.allowed);
  const progress = createProgress(runtime.stderr, runtime.nowMs);
  const stop = new AbortController();
  const ignore = runtime.onStop(() => stop.abort());
  try {
    const { origin, from, size, written, kept } = await (await context.node()).exportTiles(
      dataPaths(dir).journal,
      options.log,
      place,
      {
        onProgress: (done, total) => progress.show(() => `${done} of ${plural(total, 'file')}`),
        signal: stop.signal,
      },
    );
    const human = `${target} has ${plural(size, 'entry', 'entries')} of ${origin}${from > 0 ? `, ${from.toLocaleString('en')} before` : ''}: ${plural(written, 'file')} written, ${kept.toLocaleString('en')} were there.`;
    return { json: JSON.stringify({ target, origin, from, size, written, kept }), human };
  } catch (thrown) {
    if (!stop.signal.aborted) throw thrown;
    const message = 'stopped before everything was written: the old checkpoint stands; run it again to go on';
    throw new CliError({ exit: 'interrupted', message });
  } finally {
    progress.clear();
    ignore();
  }
}

function placeOf(
  target: string,
  endpoint: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  allowed: readonly Network[],
): ExportPlace {
  if (!target.startsWith('s3:')) return { kind: 'folder', path: target };
  return { kind: 's3', options: s3PlaceOf(target, endpoint, env), allowed };
}
