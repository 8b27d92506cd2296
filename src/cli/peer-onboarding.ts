/** The commands by which two operators become partners. */
import type { Command } from 'commander';
import { action, type Cli, withCommonOptions, withExamples } from './cli.ts';
import { runConfirm, runReject } from './peer-decide.ts';
import { runDeclaration } from './peer-declaration.ts';
import { runInvite, runInvites } from './peer-invite.ts';
import { runJoin } from './peer-join.ts';
import { withTermsOptions } from './terms-options.ts';

export function addOnboarding(group: Command, cli: Cli): void {
  const invite = group
    .command('invite')
    .summary('make a code for a new partner')
    .description(
      'Prints one code for one partner. On a terminal it waits until the partner has used it, shows what was checked and twelve words, and asks. Nothing flows before both sides have said yes.',
    );
  withTermsOptions(invite)
    .option('--valid-for <span>', 'how long the code is good: 30m, 1h, 2d (default: 1h)')
    .action(action(cli, runInvite));
  withExamples(withCommonOptions(invite), [
    'peer invite --share public,company/incident-42 --accept public --until 2026-12-31 --data ./acme',
  ]);

  const join = group
    .command('join')
    .summary('use the code of a partner')
    .description(
      'Asks the node that the code names who it is, shows what was checked and twelve words, and on a terminal asks. The code says which feeds each side would read; nothing flows before both sides have said yes.',
    )
    .argument('<code...>', 'the code; line breaks and spaces in it do not matter')
    .option('--name <name>', 'what this node calls the partner (default: after its node id)')
    .action(action(cli, runJoin));
  withExamples(withCommonOptions(join), ['peer join stigmem1… --data ./globex']);

  const invites = group
    .command('invites')
    .summary('codes that are out, and partners that wait')
    .action(action(cli, runInvites));
  withExamples(withCommonOptions(invites), ['peer invites --data ./acme']);
  addDecisions(group, cli);

  const declaration = group
    .command('declaration')
    .summary('what to give to a partner who takes files')
    .option('--out <file>', 'write it there')
    .action(action(cli, runDeclaration));
  withExamples(withCommonOptions(declaration), ['peer declaration --out acme.peer --data ./acme']);
}

function addDecisions(group: Command, cli: Cli): void {
  const confirm = group
    .command('confirm')
    .summary('say yes to a partner that waits')
    .description(
      'Shows who waits and asks. Without a terminal it wants the twelve words on the partner’s screen, as the partner has read them to you over another channel; words taken from your own screen compare nothing.',
    )
    .argument('<name>', 'name of the partner, or id of the invitation')
    .option('--words <word...>', 'the twelve words on the partner’s screen')
    .action(action(cli, runConfirm));
  withExamples(withCommonOptions(confirm), ['peer confirm globex --words "abandon ability …" --data ./acme']);

  const reject = group
    .command('reject')
    .summary('say no to a partner that waits, or end a code that nobody has used')
    .argument('<name>', 'name of the partner, or id of the invitation')
    .action(action(cli, runReject));
  withExamples(withCommonOptions(reject), ['peer reject globex --data ./acme']);
}
