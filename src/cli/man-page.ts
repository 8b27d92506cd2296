/** The manual page, in the man macros of roff, out of the tree of commands. */
import { allCommands, type CommandNode, type OptionNode } from './completion/tree.ts';
import { EXITS } from './exit.ts';

/** @param date of the release, `2026-11-30` */
export function manPage(tree: CommandNode, version: string, date: string): string {
  const [program, ...commands] = allCommands(tree);
  if (program === undefined) return '';
  const leaves = commands.filter(
    ({ commands: inner, arguments: args, options }) => inner.length === 0 || args.length > 0 || options.length > 1,
  );
  const lines = [
    `.TH STIGMEM-PEERD 1 "${date}" ${quoted(`stigmem-peerd ${version}`)} "User Commands"`,
    '.SH NAME',
    'stigmem\\-peerd \\- federation of facts between organisations that do not trust each other\\(cqs databases',
    '.SH SYNOPSIS',
    '.B stigmem\\-peerd',
    '.I COMMAND',
    '.RI [ OPTION .\\|.\\|.]',
    '.SH DESCRIPTION',
    escaped(program.description),
    '.SH COMMANDS',
    ...leaves.flatMap(commandLines),
    '.SH OPTIONS OF THE PROGRAM',
    ...program.options.flatMap(optionLines),
    '.SH "EXIT STATUS"',
    ...Object.values(EXITS).flatMap(({ code, meaning }) => ['.TP', `.B ${code}`, escaped(meaning)]),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, what]) => ['.TP', `.B ${escaped(name)}`, escaped(what)]),
    '.SH FILES',
    ...FILES.flatMap(([name, what]) => ['.TP', `.I ${escaped(name)}`, escaped(what)]),
  ];
  return `${lines.join('\n')}\n`;
}

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['STIGMEM_PEERD_DATA', 'data folder, where --data is not given'],
  ['STIGMEM_PEERD_KEY_FILE', 'file of the API key that is used in place of the command line’s own'],
  ['STIGMEM_PEERD_SECTION_KEY', 'a setting such as STIGMEM_PEERD_API_PORT; see stigmem-peerd config explain'],
  ['NO_COLOR', 'not empty: no colour'],
];

const FILES: readonly (readonly [string, string])[] = [
  ['DIR/config.toml', 'settings of the node'],
  ['DIR/peers/NAME.toml', 'one partner, and what it is granted'],
  ['DIR/keys/', 'secrets; copy them to a safe place'],
  ['DIR/journal.db', 'the journal'],
];

function commandLines({ path, arguments: args, description, options }: CommandNode): readonly string[] {
  const usage = args.map(({ usage }) => escaped(usage)).join(' ');
  return [
    `.SS ${quoted(`${path} ${args.map(({ usage }) => usage).join(' ')}`.trim())}`,
    escaped(description),
    ...(usage === ''
      ? []
      : args.flatMap(({ usage, description: what }) => ['.TP', `.I ${escaped(usage)}`, escaped(what)])),
    ...options.flatMap(optionLines),
  ];
}

function optionLines({ usage, description, env }: OptionNode): readonly string[] {
  const from = env === null ? '' : ` (environment: ${env})`;
  return ['.TP', `.B ${escaped(usage)}`, escaped(`${description}${from}`)];
}

function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '\\(dq')}"`;
}

const CHARACTERS: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  '’': '\\(cq',
  '`': '\\(ga',
  "'": '\\(aq',
  '…': '.\\|.\\|.',
  '–': '\\(en',
  '→': '\\(->',
  '^': '\\(ha',
  '~': '\\(ti',
};

/** One line of text: nothing in it is a request, and no character changes on the way. */
function escaped(text: string): string {
  const plain = text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\\-’`'…–→^~]/g, (character) => CHARACTERS[character] ?? character);
  return plain.startsWith('.') ? `\\&${plain}` : plain;
}
