/** `open`: a link that signs in to the console once, so that nobody copies a key into a browser. */
import type { Command } from 'commander';
import type { SignInLinkAnswer } from '../admin/api/sign-in-links.ts';
import { withKeyFile } from './acting.ts';
import { withDaemonApi } from './api-client.ts';
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
import { openOnDesktop } from './desktop.ts';
import { printable } from './printable.ts';

interface OpenOptions extends CommonOptions {
  /** `--no-browser` */
  readonly browser: boolean;
}

export function addOpen(program: Command, cli: Cli): void {
  const command = withKeyFile(program.command('open'))
    .summary('sign in to the console, with a link that works once')
    .description(
      'Prints a link to the console of the running daemon, and opens it where there is a desktop. It works once, within a minute, and opens a session of the key that made it: the command line’s own, or that of --key-file, which has to be a person’s. Give it to nobody.',
    )
    .option('--no-browser', 'only print the link')
    .action(action<OpenOptions>(cli, runOpen));
  withExamples(withCommonOptions(command), [
    'open --data ./acme',
    'open --no-browser --key-file ~/alice.key --data ./acme',
  ]);
}

async function runOpen(context: Context, _args: readonly string[], options: OpenOptions): Promise<Outcome> {
  const json = await withDaemonApi(context, 'it is what serves the console', async (api) =>
    expectOk(await api.post('/v1/sign-in-links', '{}')),
  );
  const link = JSON.parse(json) as SignInLinkAnswer;
  const isOpened = options.browser && !context.json && (await openOnDesktop(context, link.url));
  const who = `a session of key ${link.key_id} (${printable(link.name)})`;
  context.note(`${isOpened ? 'The browser was asked to open it. ' : ''}It opens ${who}, once, until ${link.ends_at}.`);
  return { json, human: link.url };
}
