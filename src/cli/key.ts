import { type Command, Option } from 'commander';
import type { KeyAnswer } from '../admin/api/key-routes.ts';
import { openKeyStore } from '../admin/keys.ts';
import { loadConfig } from '../config/config.ts';
import { dataPaths } from '../config/data-dir.ts';
import { KEY_CLASSES, KEY_ROLES, PERMISSIONS } from '../core/permissions.ts';
import { configFailure, withApi } from './api-client.ts';
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
import { mintCliToken } from './cli-token.ts';
import { CliError } from './exit.ts';
import { wholeNumber } from './numbers.ts';

const STATE_STYLE = { active: 'green', expired: 'yellow', revoked: 'dim' } as const;
const MAX_DAYS = 3_650;

interface CreateOptions extends CommonOptions {
  readonly role?: string;
  readonly class?: string;
  readonly permission: readonly string[];
  readonly person?: string;
  readonly days?: number;
  readonly cli?: boolean;
}

export function addKey(program: Command, cli: Cli): void {
  const group = program
    .command('key')
    .summary('API keys')
    .description('API keys for applications, operators and auditors. Only hashes are kept; a key is shown once.');
  const create = group
    .command('create')
    .summary('make a key and show it once')
    .argument('[name]', 'what the key is for: a name that audit records carry')
    .addOption(new Option('--role <role>', 'permissions that belong together').choices(KEY_ROLES))
    .addOption(
      new Option(
        '--class <class>',
        'who holds it; automation may not have admin, admin:federation or review (automation, unless one of these is asked for)',
      ).choices(KEY_CLASSES),
    )
    .addOption(new Option('--permission <name...>', 'what it may do').choices(PERMISSIONS).default([], 'none'))
    .option('--person <issuer#subject>', 'whose key it is, as the console names who is signed in with OIDC')
    .option('--days <number>', 'days until it expires (90)', (text) => wholeNumber(text, 1, MAX_DAYS))
    .option('--cli', 'instead: a new key for this command line, when keys/cli.token is lost, expired or revoked')
    .action(action<CreateOptions>(cli, runCreate));
  withExamples(withCommonOptions(create), [
    'key create importer --role writer --data ./acme',
    'key create carla --role reviewer --class human --days 30 --data ./acme',
    'key create carla-cli --role operator --person https://idp.acme.example#248289761001 --data ./acme',
    'key create auditor --permission audit.read --days 7 --data ./acme',
    'key create --cli --data ./acme',
  ]);
  const list = group.command('list').summary('all keys, without their secrets').action(action(cli, runList));
  withExamples(withCommonOptions(list), ['key list --data ./acme']);
  const revoke = group
    .command('revoke')
    .summary('revoke a key, at once and for good')
    .argument('<id>', 'id or name of the key (see key list)')
    .action(action(cli, runRevoke));
  withExamples(withCommonOptions(revoke), ['key revoke 3fa8c102 --data ./acme']);
}

async function runCreate(context: Context, [name]: readonly string[], options: CreateOptions): Promise<Outcome> {
  if (options.cli === true) return renewCliToken(context);
  const { role, class: keyClass, permission: permissions, person, days } = options;
  if (name === undefined || (permissions.length === 0 && role === undefined)) {
    const message = 'expected a name and --role, or at least one --permission';
    const fix = `For example: stigmem-peerd key create importer --role writer. Roles: ${KEY_ROLES.join(', ')}. Permissions: ${PERMISSIONS.join(', ')}`;
    throw new CliError({ exit: 'usage', message, fix });
  }
  const body = JSON.stringify({ name, class: keyClass, role, permissions, person, days });
  const json = await withApi(context, async (api) => expectOk(await api.post('/v1/admin/keys', body)));
  const key = JSON.parse(json) as KeyAnswer & { readonly secret: string };
  const until = key.expires_at === null ? 'never' : key.expires_at;
  context.note(
    `Key ${key.id} (${key.name}, ${key.class}): ${key.permissions.join(' ')}; expires ${until}. It is shown this once.`,
  );
  return { json, human: key.secret };
}

/** Whoever may write the data folder may have this: that is what being the operator means. */
async function renewCliToken(context: Context): Promise<Outcome> {
  const dir = context.dir();
  const config = loadConfig(dir, {}, {});
  if (!config.ok && config.error.code === 'not_initialised') throw configFailure(config.error);
  const keys = openKeyStore(dataPaths(dir).apiKeys);
  const key = mintCliToken(dir, keys, context.runtime.nowMs());

  const human = `${dataPaths(dir).cliToken} holds a new key (${key.id}); the old one is revoked.`;
  return { json: JSON.stringify({ id: key.id, file: dataPaths(dir).cliToken }), human };
}

async function runList(context: Context): Promise<Outcome> {
  const json = await withApi(context, async (api) => expectOk(await api.get('/v1/admin/keys')));
  const { keys } = JSON.parse(json) as { readonly keys: readonly KeyAnswer[] };
  const rows = keys.map((key) => [
    key.id,
    key.name,
    { text: key.state, style: STATE_STYLE[key.state] },
    key.class,
    key.role ?? key.permissions.join(' '),
    key.expires_at,
    key.last_used_at,
  ]);
  return { json, human: context.screen.table(['ID', 'NAME', 'STATE', 'CLASS', 'MAY', 'EXPIRES', 'LAST USED'], rows) };
}

async function runRevoke(context: Context, [wanted = '']: readonly string[]): Promise<Outcome> {
  return withApi(context, async (api) => {
    const { keys } = JSON.parse(expectOk(await api.get('/v1/admin/keys'))) as { readonly keys: readonly KeyAnswer[] };
    const byId = keys.filter((key) => key.id === wanted);
    const found = byId.length > 0 ? byId : keys.filter((key) => key.name === wanted && key.state === 'active');
    const [key] = found;
    if (key === undefined) {
      const message = `expected the id or name of a key, got ${JSON.stringify(wanted)}, which none has`;
      throw new CliError({ exit: 'not_found', message, fix: 'See: stigmem-peerd key list' });
    }
    const json = expectOk(await api.delete(`/v1/admin/keys/${key.id}`));
    return { json, human: `Key ${key.id} (${key.name}) is revoked.` };
  });
}
