/** Whatever a document tells people to type is a command line that there is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import {
  commandsIn,
  commandsInHelp,
  commandsInSources,
  DOCUMENTS,
  type DocCommand,
} from '../../support/doc-commands.ts';
import { COMMAND_NAMES, disarmedProgram, faultOf } from '../../support/program-commands.ts';

/** What a sentence may leave out. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'commander.missingArgument',
  'commander.missingMandatoryOptionValue',
  'commander.optionMissingArgument',
  'commander.help',
]);

/** Words that stand for a number, one of several, or the rest of a line. */
function filled(word: string): string {
  return /^(SEQ|FIRST)$/.test(word) ? '1' : (/^([a-z]+)(\|[a-z]+)+$/.exec(word)?.[1] ?? word);
}

function fault({ words, isWhole }: DocCommand): string | null {
  // The page that man(1) shows is called as the program is.
  if (words.join(' ') === 'man stigmem-peerd') return null;
  const error = faultOf(words.map(filled));
  return error === null || (!isWhole && LEFT_OUT.has(error.code)) ? null : error.message;
}

for (const file of DOCUMENTS)
  test(`${file}: each command line is one`, () => {
    const wrong = commandsIn(file, COMMAND_NAMES).flatMap((command) => {
      const why = fault(command);
      return why === null ? [] : [`${command.at}  ${command.text}\n    ${why}`];
    });
    assert.deepEqual(wrong, []);
  });

/** Sentences about this program, in which no command follows its name. */
const ABOUT_IT = /^(has opened it|works on this data folder|node|key)\b/;

/** A sentence goes on behind a command: the commands have to be there, and the options that are named. */
function faultInSentence({ words }: DocCommand): string | null {
  let command: Command = disarmedProgram();
  for (const word of words) {
    if (word.startsWith('--')) {
      const named = [...command.options, ...(command.parent?.options ?? [])].map(({ long }) => long);
      if (![...named, '--help'].includes(word)) return `${command.name()} has no option ${word}`;
    } else if (command.commands.length > 0) {
      const next = command.commands.find((one) => one.name() === word);
      if (next === undefined && !hasOwnAction(command)) return `${command.name()} has no command ${word}`;
      command = next ?? command;
    }
  }
  return null;
}

/** `verify FILE` beside `verify bundle FILE`. */
function hasOwnAction(command: Command): boolean {
  return command.registeredArguments.length > 0;
}

test('what the program says to type is there', () => {
  const said = commandsInSources().filter(({ words }) => !ABOUT_IT.test(words.join(' ')));
  assert.ok(said.length > 40, `${said.length} found`);
  const wrong = said.flatMap((command) => {
    const why = faultInSentence(command);
    return why === null ? [] : [`${command.at}  ${command.text}\n    ${why}`];
  });
  assert.deepEqual(wrong, []);
});

test('every example of a help text is a command line', () => {
  const wrong: string[] = [];
  let count = 0;
  const look = (command: Command, path: string): void => {
    const help: string[] = [];
    command.configureOutput({ writeOut: (text) => help.push(text) }).outputHelp();
    for (const example of commandsInHelp(`help of ${path}`, help.join(''))) {
      count++;
      const why = fault(example);
      if (why !== null) wrong.push(`${example.at}  ${example.text}\n    ${why}`);
    }
    for (const next of command.commands) look(next, `${path} ${next.name()}`);
  };
  look(disarmedProgram(), 'stigmem-peerd');
  assert.ok(count > 100, `${count} found`);
  assert.deepEqual(wrong, []);
});
