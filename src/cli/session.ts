/** `session list|end`: who is signed in to the console. */
import type { Command } from 'commander';
import type { ConsoleSessionsAnswer } from '../admin/api/console-sessions.ts';
import type { ShownSession } from '../admin/console/sessions.ts';
import { tellApart } from '../core/person.ts';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import { action, type Cli, type Context, type Outcome, withCommonOptions, withExamples } from './cli.ts';
import { CliError } from './exit.ts';
import { printable } from './printable.ts';

export function addSession(program: Command, cli: Cli): void {
  const group = program
    .command('session')
    .summary('who is signed in to the console')
    .description(
      'Sessions of the console of the running daemon. They are in its memory alone: a restart ends all of them.',
    );
  const list = group.command('list').summary('who is signed in').action(action(cli, runList));
  withExamples(withCommonOptions(list), ['session list --data ./acme']);
  const end = group
    .command('end')
    .summary('put somebody out, at once')
    .argument('<who>', 'id of a session, or an actor as in audit records: all sessions of theirs')
    .action(action(cli, runEnd));
  withExamples(withCommonOptions(end), [
    'session end 3fa8c102 --data ./acme',
    "session end 'person:Ann Archer#https://idp.acme.example#248289761001' --data ./acme",
  ]);
}

async function runList(context: Context): Promise<Outcome> {
  const json = await withApi(context, async (api) => expectOk(await api.get('/v1/admin/sessions')));
  const { sessions } = JSON.parse(json) as ConsoleSessionsAnswer;
  if (sessions.length === 0) return { json, human: 'Nobody is signed in.' };
  const rows = sessions.map((one) => [
    one.id,
    printable(one.actor),
    one.network,
    one.started_at,
    one.used_at,
    one.ends_at,
  ]);
  return { json, human: context.screen.table(['ID', 'WHO', 'NETWORK', 'SINCE', 'LAST USED', 'ENDS'], rows) };
}

async function runEnd(context: Context, [who = '']: readonly string[]): Promise<Outcome> {
  return withApi(context, async (api) => {
    const answer = expectOk(await api.get('/v1/admin/sessions'));
    const { sessions } = JSON.parse(answer) as ConsoleSessionsAnswer;
    const meant = sessions.filter(({ id, actor }) => isMeant({ id, actor }, who));
    if (meant.length === 0) {
      const message = `expected the id of a session or who is signed in, got ${JSON.stringify(who)}, which is none of them`;
      throw new CliError({ exit: 'not_found', message, fix: 'See: stigmem-peerd session list' });
    }
    const ended: ShownSession[] = [];
    for (const { id } of meant)
      ended.push(JSON.parse(expectOk(await api.delete(`/v1/admin/sessions/${id}`))) as ShownSession);
    const human = ended.map(({ id, actor }) => `Session ${id} of ${printable(actor)} is ended.`).join('\n');
    return { json: JSON.stringify({ sessions: ended }), human };
  });
}

/** A person by issuer and subject, whatever name they had then, and by keys of theirs. */
function isMeant({ id, actor }: Pick<ShownSession, 'id' | 'actor'>, who: string): boolean {
  return id === who || actor === who || tellApart(actor, who) === 'same';
}
