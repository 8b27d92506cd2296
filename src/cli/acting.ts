/** Actions that may need two persons, on the command line: the reason, whose key is used, and what became of it. */
import { type Command, Option } from 'commander';
import { KEY_FILE_VARIABLE } from '../config/overlay.ts';
import type { Proposal } from '../core/approval.ts';
import type { Answer } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import type { CommonOptions, Outcome } from './cli.ts';
import type { Asked } from './not-found.ts';
import { printable } from './printable.ts';

export interface ActOptions extends CommonOptions {
  readonly reason?: string;
}

/** Adds `--key-file`: several operators share a machine, and each has a key of his own. */
export function withKeyFile(command: Command): Command {
  return command.addOption(
    new Option('--key-file <file>', 'your own API key, in a file that only you can read; else keys/cli.token').env(
      KEY_FILE_VARIABLE,
    ),
  );
}

/** Adds `--reason` and `--key-file`. @param isNeeded whether nothing is done without a reason */
export function withReason(command: Command, isNeeded: boolean): Command {
  const reason = new Option('--reason <text>', 'why, in a sentence: it stands in the audit log');
  return withKeyFile(command.addOption(isNeeded ? reason.makeOptionMandatory() : reason));
}

/** @param done what to say when it was done @param asked ids that the node may know nothing of */
export function actedOutcome(answer: Answer, done: string, asked: Asked = {}): Outcome {
  const json = expectOk(answer, asked);
  if (answer.status !== 202) return { json, human: done };
  const { proposal } = JSON.parse(json) as { readonly proposal: Proposal };
  return { json, human: proposedText(proposal) };
}

function proposedText({ id, expires_at }: Proposal): string {
  const how = `stigmem-peerd approval approve ${id} --key-file FILE --reason …`;
  return `Proposed (${id}). It is done when another person approves it before ${printable(expires_at)}: ${how}`;
}
