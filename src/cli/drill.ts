/** `drill list|run|history|report|verify`: attacks of this node on itself, which show that the alarm works. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import type { DrillAnswer, DrillRunsAnswer, DrillsAnswer } from '../admin/api/drills.ts';
import { DRILL_KINDS, type DrillKind, type DrillRun } from '../core/drill.ts';
import { plural } from '../core/plural.ts';
import { type ActOptions, withReason } from './acting.ts';
import { type Api, withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import {
  action,
  type Cli,
  type CommonOptions,
  type Context,
  type Outcome,
  withCommonOptions,
  withExamples,
} from './cli.ts';
import { addDrillReports } from './drill-report.ts';
import { runSentence } from './drill-words.ts';
import { CliError } from './exit.ts';
import { limitOption } from './numbers.ts';
import { printable } from './printable.ts';
import { createProgress } from './progress.ts';
import { readSpan } from './span.ts';

interface RunOptions extends ActOptions {
  readonly all?: boolean;
  readonly waitAck?: number;
}

const LOOK_EVERY_MS = 100;
const LATEST = 20;

export function addDrill(program: Command, cli: Cli): void {
  const drill = program
    .command('drill')
    .summary('attack this node, and see that the alarm works')
    .description(
      'Labelled attacks through the real path of the running node: a hostile peer of its own, on this machine, is let in for the time of the drill and pulled like any partner. What comes of it is timed from the lie to the refusal, to the audit record, to each sink and to the person who acknowledges it.',
    );
  const list = drill.command('list').summary('kinds, and how the newest of each ended').action(action(cli, runList));
  withExamples(withCommonOptions(list), ['drill list --data ./acme']);
  addRun(drill, cli);
  const history = drill
    .command('history')
    .summary('drills that were made, newest first')
    .addOption(limitOption(LATEST, 'how many'))
    .action(action<CommonOptions & { limit: number }>(cli, runHistory));
  withExamples(withCommonOptions(history), ['drill history --data ./acme']);
  addDrillReports(drill, cli);
}

function addRun(drill: Command, cli: Cli): void {
  const run = drill
    .command('run')
    .summary('make one, or several one after the other')
    .description(
      'Exits with 1 when one does not end in the refusal that it has to end in, when a sink has not taken its record in 20 s, or when nobody has acknowledged it in the time of --wait-ack. Nothing that a drill sends is taken into the journal.',
    )
    .addArgument(new Argument('[kinds...]', 'what to do').choices(DRILL_KINDS))
    .option('--all', 'every kind')
    .addOption(
      new Option('--wait-ack <span>', 'wait until somebody has acknowledged its case, such as 15m').argParser(spanMs),
    )
    .action(action<RunOptions>(cli, runRun));
  withExamples(withCommonOptions(withReason(run, false)), [
    'drill run cid-mismatch --data ./acme',
    'drill run --all --json --data ./acme',
    'drill run split-view --wait-ack 15m --reason "night shift" --data ./acme',
  ]);
}

function spanMs(text: string): number {
  const seconds = readSpan(text);
  if (seconds === undefined) throw new InvalidArgumentError('Expected a span such as 30s, 15m or 2h.');
  return seconds * 1_000;
}

async function runList(context: Context): Promise<Outcome> {
  const json = await withApi(context, async (api) => expectOk(await api.get('/v1/drills')));
  const { kinds, running, schedule, last_refusal_at } = JSON.parse(json) as DrillsAnswer;
  const rows = kinds.map(({ kind, does, reason, last_state, last_run_at }) => [
    kind,
    `${kind === 'anchor-down' ? 'a log' : 'a partner'} that ${does}`,
    reason,
    last_state === null
      ? null
      : {
          text: `${last_state} ${last_run_at}`,
          style: last_state === 'failed' ? ('red' as const) : ('green' as const),
        },
  ]);
  const clock =
    schedule === null
      ? 'None is made by itself ([drills] in config.toml).'
      : `Made by itself: every ${plural(schedule.every_hours, 'hour')} ${schedule.kinds.join(', ')}.`;
  const human = [
    context.screen.table(['KIND', 'WHAT', 'HAS TO END IN', 'NEWEST'], rows),
    '',
    ...(running === null ? [] : [`${running.kind} runs.`]),
    clock,
    last_refusal_at === null
      ? 'Nothing but drills was ever refused.'
      : `Refused last, other than in drills: ${printable(last_refusal_at)}.`,
  ];
  return { json, human: human.join('\n') };
}

async function runHistory(context: Context, _args: readonly string[], { limit }: { limit: number }): Promise<Outcome> {
  const path = `/v1/drills/runs?limit=${Math.min(limit, 100)}`;
  const json = await withApi(context, async (api) => expectOk(await api.get(path)));
  const { runs } = JSON.parse(json) as DrillRunsAnswer;
  const lines = runs.map((run) => `${run.started_at}  ${line(run, context)}`);
  return { json, human: lines.length === 0 ? 'No drill was made: stigmem-peerd drill run --all' : lines.join('\n') };
}

async function runRun(context: Context, kinds: readonly string[], options: RunOptions): Promise<Outcome> {
  const wanted = options.all === true ? DRILL_KINDS : (kinds as readonly DrillKind[]);
  if (wanted.length === 0 || (options.all === true && kinds.length > 0)) {
    const fix = `There are: ${DRILL_KINDS.join(', ')}.`;
    throw new CliError({ exit: 'usage', message: 'expected kinds of drills, or --all', fix });
  }
  const runs: DrillRun[] = [];
  const unseen: DrillRun[] = [];
  await withApi(context, async (api) => {
    for (const kind of wanted) {
      const run = await runOne(api, kind, context, options);
      runs.push(run);
      if (options.waitAck !== undefined && run.acknowledged_at === null) unseen.push(run);
      if (!context.json) context.runtime.stdout.write(`${line(run, context)}\n`);
    }
  });
  const failed = runs.filter(({ state }) => state === 'failed');
  const sum = `${runs.length - failed.length} passed, ${failed.length} failed${unseen.length === 0 ? '' : `, ${unseen.length} not acknowledged in time`}`;
  const isWell = failed.length === 0 && unseen.length === 0;
  return { json: JSON.stringify({ runs }), human: sum, exit: isWell ? 'ok' : 'refused' };
}

async function runOne(api: Api, kind: DrillKind, context: Context, options: RunOptions): Promise<DrillRun> {
  const { runtime } = context;
  const reason = options.reason ?? 'drill run';
  const { run } = JSON.parse(expectOk(await api.post('/v1/drills', JSON.stringify({ kind, reason })))) as DrillAnswer;
  const progress = createProgress(runtime.stderr, runtime.nowMs);
  const look = async (): Promise<DrillRun> =>
    (JSON.parse(expectOk(await api.get(`/v1/drills/runs/${run.id}`))) as DrillAnswer).run;
  let seen = run;
  for (; seen.state === 'running'; seen = await look()) {
    progress.show(() => `${kind} runs`);
    await sleep(LOOK_EVERY_MS);
  }
  const endMs = runtime.nowMs() + (options.waitAck ?? 0);
  while (options.waitAck !== undefined && seen.state === 'passed' && seen.acknowledged_at === null) {
    if (runtime.nowMs() >= endMs) break;
    progress.show(() => `${kind}: case ${seen.case_id} waits for somebody to acknowledge it`);
    await sleep(LOOK_EVERY_MS);
    seen = await look();
  }
  progress.clear();
  return seen;
}

function line(run: DrillRun, { screen }: Context): string {
  const style = run.state === 'passed' ? 'green' : run.state === 'failed' ? 'red' : 'yellow';
  return `${run.kind.padEnd(20)}  ${screen.paint(style, run.state)}  ${runSentence(run)}`;
}
