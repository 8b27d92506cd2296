import type { Command } from 'commander';
import { type ActOptions, withReason } from './acting.ts';
import { action, type Cli, withCommonOptions, withExamples } from './cli.ts';
import { runAdd } from './peer-add.ts';
import { runList, runRemove, runResume } from './peer-manage.ts';
import { runNotices } from './peer-notices.ts';
import { addOnboarding } from './peer-onboarding.ts';
import { addPing } from './peer-ping.ts';
import { runRetry } from './peer-retry.ts';
import { runShow } from './peer-show.ts';
import { runTrustKey } from './peer-trust-key.ts';
import { readUntil } from './terms-options.ts';

export function addPeer(program: Command, cli: Cli): void {
  const group = program
    .command('peer')
    .summary('partners: what they may read, what is taken from them')
    .description(
      'Partners of this node. Each has a file under peers/, which the running daemon picks up within two seconds. Nothing is granted by default.',
    );
  addOnboarding(group, cli);
  addAdd(group, cli);
  const list = group.command('list').summary('all partners').action(action(cli, runList));
  withExamples(withCommonOptions(list), ['peer list --data ./acme']);

  const show = group
    .command('show')
    .summary('one partner; "self" shows what to give to a partner')
    .argument('<name>', 'name of the partner, or self')
    .action(action(cli, runShow));
  withExamples(withCommonOptions(show), ['peer show self --data ./acme', 'peer show globex --data ./acme']);

  addPing(group, cli);
  const remove = group
    .command('remove')
    .summary('remove a partner; what it gave stays')
    .argument('<name>', 'name of the partner')
    .action(action(cli, runRemove));
  withExamples(withCommonOptions(remove), ['peer remove globex --data ./acme']);

  const resume = withReason(group.command('resume'), false)
    .summary('take a suspended partner up again')
    .description(
      'A partner whose signed data contradicts itself is suspended: nothing more is taken from it until an operator has looked at the evidence (audit list --peer NAME) and resumes it. A partner that is left alone after failures is tried at once, too.',
    )
    .argument('<name>', 'name of the partner')
    .action(action(cli, runResume));
  withExamples(withCommonOptions(resume), ['peer resume globex --data ./acme']);

  const retry = withReason(group.command('retry'), true)
    .summary('judge what was refused of a partner again')
    .description(
      'After you have corrected what it was refused for (what is taken, namespaces, clock bounds, largest value): facts that pass now are taken, once, and the partner is told. Others stay refused. A partner that is left alone after failures is tried at once, too.',
    )
    .argument('<name>', 'name of the partner')
    .action(action<ActOptions>(cli, runRetry));
  withExamples(withCommonOptions(retry), ["peer retry globex --reason 'namespaces were missing' --data ./acme"]);

  const notices = group
    .command('notices')
    .summary('what of ours partners refused, and why')
    .description(
      'A partner that refuses something of ours signs what it refused and for which reason. When it has taken it after all it says that, too.',
    )
    .argument('[name]', 'name of the partner; none: of all')
    .action(action(cli, runNotices));
  withExamples(withCommonOptions(notices), ['peer notices --data ./acme', 'peer notices globex --data ./acme']);

  const trustKey = withReason(group.command('trust-key'), false)
    .summary('trust the new keys of a partner')
    .description(
      'A partner whose log, anchor or witness key has changed without a signed succession is not pulled from until an operator says which key is right. Compare each new key with the partner over another channel first; `peer show NAME` has them.',
    )
    .argument('<name>', 'name of the partner')
    .requiredOption('--key <vkey...>', 'each new key in full, as the partner has it')
    .action(action(cli, runTrustKey));
  withExamples(withCommonOptions(trustKey), [
    'peer trust-key globex --key globex.example/journal/…+1a2b3c4d+A… --data ./acme',
  ]);
}

function addAdd(group: Command, cli: Cli): void {
  const add = group
    .command('add')
    .summary('add a partner from its declaration, or by name; change one with --replace')
    .description(
      'With the file that the partner’s `peer declaration` has written: shows what was checked and twelve words, and adds the partner when they are confirmed. With a name, --node-id, --peer-id and --log-key it writes peers/<name>.toml at once: take them from the partner’s `peer show self`, and compare peer id and log key over another channel before you trust them.',
    )
    .argument('<file or name>', 'a declaration; or, with --node-id, what you call the partner: globex')
    .option('--node-id <uri>', 'who it is: stigmem://globex.example')
    .option('--peer-id <id>', 'its key: 12D3Koo…')
    .option('--address <multiaddr...>', 'where to dial it; none: it dials us')
    .option('--namespace <authority...>', 'authorities whose facts it may author (default: that of its node id)')
    .option(
      '--share <grant...>',
      'feeds it may read from us: public, company/incident-42; with a time: public,not_after=2027-07-01T00:00:00Z',
    )
    .option('--accept <grant...>', 'feeds we take from it')
    .option('--until <time>', 'with a file: end of the grants', readUntil)
    .option('--name <name>', 'with a file: what you call the partner (default: after its node id)')
    .option('--log-key <vkey>', 'with --node-id: its log key, globex.example/journal/…+1a2b3c4d+A…')
    .option('--allow-team', 'let it read team facts that --share grants')
    .option('--relay', 'let it relay our public facts to its own partners')
    .option('--disabled', 'neither dial it nor let it in yet')
    .option(
      '--replace',
      'overwrite the file if there is one, unless it says what no option does, or that the partner is disabled',
    )
    .action(action(cli, runAdd));
  withExamples(withCommonOptions(add), [
    'peer add globex.peer --share public --accept public --until 2026-12-31 --data ./acme',
    'peer add globex --node-id stigmem://globex.example --peer-id 12D3Koo… \\\n      --log-key globex.example/journal/…+1a2b3c4d+A… \\\n      --address /dns4/peerd.globex.example/tcp/4101 --share public --accept public --data ./acme',
  ]);
}
