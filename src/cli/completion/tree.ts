/** The command line as a tree: what completion and manual page are made from, so that neither can lag behind it. */
import type { Argument, Command, Option } from 'commander';
import { SETTINGS } from '../../config/settings.ts';
import { descriptionOf } from '../cli.ts';

/** What a word may be. `any`: nothing can be offered. */
export type Values =
  | { readonly kind: 'any' | 'file' | 'folder' | 'peer' }
  | { readonly kind: 'choices'; readonly choices: readonly string[] };

export interface OptionNode {
  /** `-h`, `--help`: all its spellings. */
  readonly flags: readonly string[];
  /** As help shows it: `--share <grant...>`. */
  readonly usage: string;
  readonly description: string;
  /** Null: it takes none. */
  readonly values: Values | null;
  readonly env: string | null;
}

export interface ArgumentNode {
  /** `<file>`, `[name]`, `<code...>`. */
  readonly usage: string;
  readonly description: string;
  readonly values: Values;
  readonly isVariadic: boolean;
}

export interface CommandNode {
  /** Words behind the program's name: `peer show`; empty for the program itself. */
  readonly path: string;
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly options: readonly OptionNode[];
  readonly arguments: readonly ArgumentNode[];
  readonly commands: readonly CommandNode[];
}

export function commandTree(command: Command, path = ''): CommandNode {
  const help = command.createHelp();
  return {
    path,
    name: command.name(),
    summary: command.summary() || command.description(),
    description: descriptionOf(command),
    options: help.visibleOptions(command).map(optionNode),
    arguments: command.registeredArguments.map(argumentNode),
    commands: help
      .visibleCommands(command)
      .filter((inner) => command.commands.includes(inner))
      .map((inner) => commandTree(inner, `${path} ${inner.name()}`.trim())),
  };
}

/** The program and all commands below it. */
export function allCommands(tree: CommandNode): readonly CommandNode[] {
  return [tree, ...tree.commands.flatMap(allCommands)];
}

function optionNode(option: Option): OptionNode {
  const takesValue = option.required || option.optional;
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
    usage: option.flags,
    description: option.description,
    values: takesValue ? valuesOf(option.flags, option.description, option.argChoices) : null,
    env: option.envVar ?? null,
  };
}

function argumentNode(argument: Argument): ArgumentNode {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return {
    usage: argument.required ? `<${name}>` : `[${name}]`,
    description: argument.description,
    values: valuesOf(`<${argument.name()}>`, argument.description, argument.argChoices),
    isVariadic: argument.variadic,
  };
}

/** @param usage what stands in angle brackets says what is wanted */
function valuesOf(usage: string, description: string, choices: readonly string[] | undefined): Values {
  if (choices !== undefined) return { kind: 'choices', choices };
  if (usage === '<key>') return { kind: 'choices', choices: SETTINGS.map(({ key }) => key) };
  if (/name of (the|a) partner/.test(description) || usage.startsWith('--peer ')) return { kind: 'peer' };
  if (/<(dir|folder)>/.test(usage)) return { kind: 'folder' };
  return { kind: /<[^>]*(file|target)/.test(usage) ? 'file' : 'any' };
}
