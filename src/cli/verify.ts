import type { Command } from 'commander';
import { type Cli, withExamples } from './cli.ts';
import { addVerifyFiles } from './verify-files.ts';
import { addVerifyJournal } from './verify-journal.ts';
import { addVerifyTee } from './verify-tee.ts';

export function addVerify(program: Command, cli: Cli): void {
  const group = program
    .command('verify')
    .summary('check what a node says, without it')
    .description('Checks files that a node, or somebody else, handed out. Needs no data folder and no network.');
  withExamples(group, [
    'verify journal.db --anchors anchors.jsonl --log-key "$(cat acme.vkey)"',
    'verify bundle fact.json --node stigmem://acme.example=12D3Koo…',
  ]);
  addVerifyJournal(group, cli);
  addVerifyFiles(group, cli);
  addVerifyTee(group, cli);
}
