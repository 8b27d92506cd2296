import { type Command, InvalidArgumentError } from 'commander';
import { action, type Cli, type CommonOptions, withExamples } from './cli.ts';

/** Twenty thousand from each of two sources: a minute to watch on two cores. */
const DEFAULT_FACTS = 40_000;

interface DemoOptions extends CommonOptions {
  readonly once?: boolean;
  readonly facts: number;
  readonly all?: boolean;
  readonly keep?: boolean;
}

interface HostileOptions extends CommonOptions {
  readonly allow: string;
  readonly receiver: string;
  readonly relentless?: boolean;
}

export function addDemo(program: Command, cli: Cli): void {
  const command = program
    .command('demo')
    .summary('three organisations and a hostile fourth, on this machine')
    .description(
      'Starts three organisations as three processes on loopback and a hostile fourth, loads real data (names of languages and scripts from Unicode CLDR, browser compatibility data from MDN), and shows facts flowing and lies being refused. Ctrl-C stops everything and removes what was made. With --once it ends by itself, with 0 only if everything is as it should be: every fact everywhere exactly once, every lie refused for the right reason, every journal clean.',
    )
    .option('--once', 'end by itself and judge')
    .option('--facts <number>', 'how many facts to load', factCount, DEFAULT_FACTS)
    .option('--all', 'load all of the data: a million facts')
    .option('--keep', 'leave the data folders behind and say where')
    .option('--json', 'the verdict as one JSON document on standard output')
    .action(
      action<DemoOptions>(cli, async (context, _args, options) => {
        // Loaded on demand: no other command needs what the demo needs.
        const { runDemo } = await import('./demo/run-demo.ts');
        const facts = options.all === true ? Number.POSITIVE_INFINITY : options.facts;
        return runDemo(context, { once: options.once === true, facts, keep: options.keep === true });
      }),
    );
  withExamples(command, ['demo', 'demo --once', 'demo --facts 200000']);

  program
    .command('demo-hostile', { hidden: true })
    .requiredOption('--allow <peer-id>', 'whom to serve')
    .requiredOption('--receiver <node-id>', 'its node id')
    .option('--relentless', 'go on lying')
    .action(
      action<HostileOptions>(cli, async (context, _args, options) => {
        const { runHostileNode } = await import('./demo/hostile-node.ts');
        await runHostileNode(context.runtime, {
          allow: options.allow,
          receiver: options.receiver,
          relentless: options.relentless === true,
        });
        return null;
      }),
    );
}

function factCount(text: string): number {
  const count = /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : 0;
  if (count >= 100) return count;
  throw new InvalidArgumentError('Expected a whole number of at least 100.');
}
