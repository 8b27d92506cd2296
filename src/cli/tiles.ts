import { type Command, Option } from 'commander';
import { loadConfig } from '../config/config.ts';
import { dataPaths } from '../config/data-dir.ts';
import type { Network } from '../core/address.ts';
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
import { s3Credentials } from './s3-credentials.ts';

interface ExportOptions extends CommonOptions {
  readonly log: LogName;
  readonly endpoint?: string;
}

const S3_TARGET = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/;

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
        onProgress: (done, total) => progress.show(() => `${done} of ${total} files`),
        signal: stop.signal,
      },
    );
    const human = `${target} has ${size} entries of ${origin}${from > 0 ? `, ${from} before` : ''}: ${written} files written, ${kept} were there.`;
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

/** @throws CliError `usage` with everything that is missing, not only the first */
function placeOf(
  target: string,
  endpoint: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  allowed: readonly Network[],
): ExportPlace {
  if (!target.startsWith('s3:')) return { kind: 'folder', path: target };
  const [, bucket, prefix = ''] = S3_TARGET.exec(target) ?? [];
  const address = endpoint ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'];
  const { accessKeyId, secretAccessKey, sessionToken } = s3Credentials(env);
  const problems = [
    bucket === undefined ? `expected s3://bucket/prefix, got ${JSON.stringify(target)}` : null,
    address === undefined ? 'no address of the store: set --endpoint or AWS_ENDPOINT_URL' : null,
    address !== undefined && !isHttpUrl(address)
      ? `expected a URL with http(s):// as the endpoint, got ${JSON.stringify(address)}`
      : null,
    accessKeyId === undefined ? `no credentials: ${NO_CREDENTIALS} AWS_ACCESS_KEY_ID` : null,
    secretAccessKey === undefined ? `no credentials: ${NO_CREDENTIALS} AWS_SECRET_ACCESS_KEY` : null,
  ].filter((one) => one !== null);
  if (
    bucket === undefined ||
    address === undefined ||
    accessKeyId === undefined ||
    secretAccessKey === undefined ||
    problems.length > 0
  ) {
    throw new CliError({ exit: 'usage', message: problems.join('\n') });
  }
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  const shared = {
    bucket,
    prefix: prefix.replace(/^\/+|\/+$/g, ''),
    endpoint: address,
    region,
    accessKeyId,
    secretAccessKey,
  };
  return { kind: 's3', options: sessionToken === undefined ? shared : { ...shared, sessionToken }, allowed };
}

const NO_CREDENTIALS = 'set AWS_SHARED_CREDENTIALS_FILE, or';

function isHttpUrl(text: string): boolean {
  return ['http:', 'https:'].includes(URL.parse(text)?.protocol ?? '');
}
