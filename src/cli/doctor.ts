import type { Command } from 'commander';
import { action, type Cli, type Context, type Outcome, withCommonOptions, withExamples } from './cli.ts';
import { examine, type Finding } from './doctor/checks.ts';
import { gatherFacts } from './doctor/gather.ts';
import { printable } from './printable.ts';
import type { Screen, Style } from './screen.ts';

const STYLES: Readonly<Record<Finding['result'], Style>> = {
  pass: 'green',
  warn: 'yellow',
  fail: 'red',
  skipped: 'dim',
};

export function addDoctor(program: Command, cli: Cli): void {
  const doctor = program
    .command('doctor')
    .summary('everything an operator should look after, each with its fix')
    .description(
      'Looks at configuration, files, disk, process, clock, keys, anchors, witnesses, peers and grants, recalls a fact and verifies it as a client does. Says of each whether it is well and, where not, what to do. Works with the daemon running and stopped, and changes nothing. Exits with 1 when a check fails.',
    )
    .action(action(cli, runDoctor));
  withExamples(withCommonOptions(doctor), [
    'doctor --data ./acme',
    'doctor --data ./acme --json | jq \'.checks[] | select(.result == "fail")\'',
  ]);
}

async function runDoctor(context: Context): Promise<Outcome> {
  const facts = await gatherFacts(context);
  const checks = examine(facts);
  const isWell = checks.every(({ result }) => result !== 'fail');
  const { dir, process, config } = facts;
  const node_id = config?.nodeId ?? null;
  const json = JSON.stringify({ v: 1, ok: isWell, node_id, data: dir, running: process !== null, checks });
  return { json, human: human(checks, context.screen), exit: isWell ? 'ok' : 'refused' };
}

function human(checks: readonly Finding[], screen: Screen): string {
  const count = (result: Finding['result']): number => checks.filter((one) => one.result === result).length;
  const sum = `${count('pass')} pass, ${count('warn')} warn, ${count('fail')} fail, ${count('skipped')} skipped`;
  return [...checks.map((check) => finding(check, screen)), '', sum].join('\n');
}

/** What peers wrote may be in it. */
function finding({ id, title, result, seen, fix }: Finding, screen: Screen): string {
  const mark = screen.paint(STYLES[result], result.padEnd(7));
  const lines = [`${mark}  ${screen.paint('bold', title)}  ${screen.paint('dim', id)}`, `         ${printable(seen)}`];
  return [...lines, ...(fix === null ? [] : [`         → ${printable(fix)}`])].join('\n');
}
