/** The whole command line: every command, its help, and what happens with a wrong one. */
import { Command, CommanderError } from 'commander';
import { VERSION } from '../node/version.ts';
import { addAnchors } from './anchors.ts';
import { addApproval } from './approval.ts';
import { addAssert } from './assert.ts';
import { addAudit } from './audit.ts';
import { addCase } from './case.ts';
import { type Cli, descriptionOf, reportFailure } from './cli.ts';
import { addCompletion } from './completion.ts';
import { addConfig } from './config.ts';
import { addDemo } from './demo.ts';
import { addDisclosed } from './disclosed.ts';
import { addDoctor } from './doctor.ts';
import { addDrill } from './drill.ts';
import { addEvidence } from './evidence.ts';
import { CliError, EXITS, exitCodeHelp } from './exit.ts';
import { addExplain } from './explain.ts';
import { addExport } from './export-worm.ts';
import { addFsck } from './fsck.ts';
import { addGrant } from './grant.ts';
import { addImport } from './import.ts';
import { addInit } from './init.ts';
import { addJournal } from './journal.ts';
import { addKey } from './key.ts';
import { addKeys } from './keys.ts';
import { addOpen } from './open.ts';
import { addPeer } from './peer.ts';
import { addQuarantine } from './quarantine.ts';
import { addQuery } from './query.ts';
import { addRecall } from './recall.ts';
import { addRestore } from './restore.ts';
import { addRetract } from './retract.ts';
import { addRun } from './run.ts';
import type { Node, Runtime } from './runtime.ts';
import { addSession } from './session.ts';
import { addSink } from './sink.ts';
import { addSnapshot } from './snapshot.ts';
import { addStatus } from './status.ts';
import { addTiles } from './tiles.ts';
import { addTombstone } from './tombstone.ts';
import { addTop } from './top.ts';
import { addVerify } from './verify.ts';

const INTRODUCTION = `Facts between organisations that do not trust each other's databases: a node keeps a journal, pulls granted feeds from its peers, verifies everything, keeps what verifies and the evidence of what does not.`;

const FIRST_STEPS = `
First steps:
  $ stigmem-peerd demo                                                     four nodes on this machine, one hostile
  $ stigmem-peerd init --data ./acme --node-id stigmem://acme.example      make a node
  $ stigmem-peerd run --data ./acme                                        run it
  $ stigmem-peerd assert --data ./acme --entity stigmem://acme.example/host/web1 \\
      --relation acme:status --value up --scope public                     say something
  $ stigmem-peerd peer invite --share public --data ./acme                 make a code for a partner
  $ stigmem-peerd open --data ./acme                                       sign in to the console

Every command takes --json (one JSON document on standard output; messages go to standard error) and reads the data
folder from STIGMEM_PEERD_DATA when --data is not given. Colour is left out when standard output is no terminal or
NO_COLOR is set.
`;

/** Runs one command line. @param args without node and script @returns the exit code */
export async function runProgram(
  args: readonly string[],
  runtime: Runtime,
  node: () => Promise<Node>,
): Promise<number> {
  const cli: Cli = { runtime, node, exitCode: EXITS.ok.code };
  const program = createProgram(cli);
  try {
    await program.parseAsync(args, { from: 'user' });
    return cli.exitCode;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    return usageExit(thrown, { args, command: commandOf(program, args) }, runtime);
  }
}

/** Help and version are asked for; everything else that ends parsing is a wrong command line. */
function usageExit(
  thrown: CommanderError,
  { args, command }: { readonly args: readonly string[]; readonly command: string },
  runtime: Runtime,
): number {
  if (thrown.exitCode === 0) return EXITS.ok.code;
  if (thrown.code === 'commander.help') return EXITS.usage.code;
  const [message = '', ...hints] = thrown.message.replace(/^error: /, '').split('\n');
  const fix = [...hints, `See: ${command} --help`].join('\n');
  return reportFailure(runtime, new CliError({ exit: 'usage', message, fix }), args.includes('--json'));
}

/** As much of a command as the arguments name before anything else: `stigmem-peerd peer show`. */
function commandOf(program: Command, [word, ...rest]: readonly string[]): string {
  const inner = program.commands.find((command) => command.name() === word);
  return inner === undefined ? program.name() : `${program.name()} ${commandOf(inner, rest)}`;
}

/** The commands, before any of them runs. */
export function createProgram(cli: Cli): Command {
  const { stdout, stderr } = cli.runtime;
  const program = new Command('stigmem-peerd')
    .description(INTRODUCTION)
    .version(VERSION, '-V, --version', 'version of this program')
    .helpOption('-h, --help', 'help; behind a command: help for that command')
    .addHelpText('after', `${FIRST_STEPS}\n${exitCodeHelp()}`)
    .showSuggestionAfterError(true)
    .configureHelp({ commandDescription: descriptionOf })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Errors are printed once, by usageExit, in the form of all others.
      outputError: () => undefined,
      getOutHelpWidth: () => stdout.columns ?? 110,
      getErrHelpWidth: () => stderr.columns ?? 110,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  const grants = [addGrant, addExplain, addDisclosed];
  const facts = [addAssert, addRetract, addTombstone, addImport, addQuery, addRecall];
  const logs = [addAudit, addSink, addEvidence, addAnchors, addJournal, addTiles, addVerify, addFsck];
  const copies = [addExport, addSnapshot, addRestore];
  for (const add of [
    addInit,
    addRun,
    addStatus,
    addTop,
    addOpen,
    addDoctor,
    addConfig,
    addPeer,
    addCase,
    addDrill,
    addQuarantine,
    addApproval,
    ...grants,
    ...facts,
    ...logs,
    ...copies,
    addKeys,
    addKey,
    addSession,
    addDemo,
    addCompletion,
  ])
    add(program, cli);
  return program;
}
