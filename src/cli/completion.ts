import { Argument, type Command } from 'commander';
import { VERSION } from '../node/version.ts';
import { action, type Cli, type Outcome, withExamples } from './cli.ts';
import { bashScript } from './completion/bash.ts';
import { fishScript } from './completion/fish.ts';
import { type CommandNode, commandTree } from './completion/tree.ts';
import { zshScript } from './completion/zsh.ts';
import { manPage } from './man-page.ts';

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const satisfies Record<
  string,
  (tree: CommandNode) => string
>;

export function addCompletion(program: Command, cli: Cli): void {
  const completion = program
    .command('completion')
    .summary('a script that completes this command line in a shell')
    .description(
      'Prints the script. It holds all commands, options and their choices; names of partners are read from the data folder (--data, or STIGMEM_PEERD_DATA) when they are asked for, and nothing of the program is started for it.',
    )
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(SHELLS)))
    .option('--json', 'the script as one JSON document')
    .action(action(cli, async (_context, [shell = '']) => printed('script', scriptFor(program, shell))));
  withExamples(completion, [
    'completion bash > ~/.local/share/bash-completion/completions/stigmem-peerd',
    'completion zsh > ~/.zfunc/_stigmem-peerd',
    'completion fish > ~/.config/fish/completions/stigmem-peerd.fish',
  ]);
  const man = program
    .command('man')
    .summary('the manual page')
    .description('Prints the manual page as roff, for man(1): all commands with their options.')
    .option('--json', 'the page as one JSON document')
    .action(action(cli, async () => printed('page', manPage(commandTree(program), VERSION, RELEASED))));
  withExamples(man, ['man > stigmem-peerd.1', 'man | man -l -']);
}

/** Of the page; it says which program it is about by the version. */
const RELEASED = '2026-11-30';

function scriptFor(program: Command, shell: string): string {
  const make = Object.entries(SHELLS).find(([name]) => name === shell)?.[1] ?? bashScript;
  return make(commandTree(program));
}

function printed(name: string, text: string): Outcome {
  return { json: JSON.stringify({ [name]: text }), human: text };
}
