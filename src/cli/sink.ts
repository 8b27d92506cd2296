/** `sink list|show|test|replay|skip`: receivers of the audit log. */
import { type Command, Option } from 'commander';
import type { SinkAnswer, SinkMovedAnswer, SinksAnswer, SinkTestAnswer } from '../admin/api/sinks.ts';
import { type ActOptions, withReason } from './acting.ts';
import { withApi } from './api-client.ts';
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
import { CliError } from './exit.ts';
import { wholeNumber } from './numbers.ts';
import { printable } from './printable.ts';
import { addVerifyDigests } from './sink-verify.ts';

interface MoveOptions extends ActOptions {
  readonly fromSeq?: number;
  readonly toSeq?: number;
}

export function addSink(program: Command, cli: Cli): void {
  const sink = program
    .command('sink')
    .summary('receivers of the audit log: how far they are, test, send again')
    .description('Receivers of the audit log, each with a [[sink]] table in config.toml.');
  addReading(sink, cli);
  addTest(sink, cli);
  addMove(sink, cli, {
    verb: 'replay',
    option: new Option('--from-seq <record>', 'first record to send again'),
    summary: 'send records again from one on, with the same ids',
    example: 'sink replay siem --from-seq 1 --reason "index was lost" --data ./acme',
  });
  addMove(sink, cli, {
    verb: 'skip',
    option: new Option('--to-seq <record>', 'last record to leave out'),
    summary: 'leave records out, which is recorded as a gap',
    example: 'sink skip siem --to-seq 4711 --reason "archived elsewhere" --data ./acme',
  });
  addVerifyDigests(sink, cli);
}

function addReading(sink: Command, cli: Cli): void {
  const list = sink.command('list').summary('how far each is').action(action(cli, runList));
  withExamples(withCommonOptions(list), ['sink list --data ./acme']);
  const show = sink
    .command('show')
    .summary('one of them, with what was not sent to it')
    .argument('<name>', 'its name in config.toml')
    .action(action(cli, runShow));
  withExamples(withCommonOptions(show), ['sink show siem --data ./acme']);
}

async function sinksOf(context: Context): Promise<{ readonly json: string; readonly answer: SinksAnswer }> {
  const json = await withApi(context, async (api) => expectOk(await api.get('/v1/sinks')));
  return { json, answer: JSON.parse(json) as SinksAnswer };
}

async function runList(context: Context): Promise<Outcome> {
  const { json, answer } = await sinksOf(context);
  if (answer.sinks.length === 0) return { json, human: 'No sinks: see [[sink]] at the end of config.example.toml.' };
  const rows = answer.sinks.map(({ name, kind, format, target, sentence, attempts }) => [
    name,
    `${kind} ${format}`,
    target,
    attempts > 0 ? { text: sentence, style: 'yellow' as const } : sentence,
  ]);
  return { json, human: context.screen.table(['SINK', 'KIND', 'TO', 'STATE'], rows) };
}

async function runShow(context: Context, [name = '']: readonly string[], _options: CommonOptions): Promise<Outcome> {
  const { answer } = await sinksOf(context);
  const sink = answer.sinks.find((one) => one.name === name);
  if (sink === undefined) throw noSuchSink(name, answer);
  const gaps = answer.gaps.filter((gap) => gap.sink === name);
  const human = [
    sinkText(sink, context),
    ...gaps.map(({ first, last, reason, at }) => `not sent: ${first} to ${last} (${printable(reason ?? '')}, ${at})`),
  ];
  return { json: JSON.stringify({ sink, gaps }), human: human.join('\n') };
}

function noSuchSink(name: string, { sinks }: SinksAnswer): CliError {
  const names = sinks.map((sink) => sink.name).join(', ');
  return new CliError({
    exit: 'refused',
    message: `expected the name of a sink, got ${printable(name)}`,
    fix: names === '' ? 'config.toml has no [[sink]].' : `There are: ${names}.`,
  });
}

function sinkText(sink: SinkAnswer, { screen }: Context): string {
  const filter = [`from ${sink.min_severity}`, ...(sink.events.length === 0 ? [] : [sink.events.join(', ')])].join(
    '; ',
  );
  return screen.pairs([
    ['sink', sink.name],
    ['kind', `${sink.kind}, ${sink.format}`],
    ['to', sink.target],
    ['sent', filter],
    ['state', sink.sentence],
    ['last taken', sink.last_taken_at ?? 'never'],
  ]);
}

function addTest(sink: Command, cli: Cli): void {
  const test = sink
    .command('test')
    .summary('send one event that stands in no log')
    .argument('<name>', 'its name in config.toml')
    .action(action<ActOptions>(cli, runTest));
  withExamples(withCommonOptions(withReason(test, true)), ['sink test siem --reason "new certificate" --data ./acme']);
}

async function runTest(context: Context, [name = '']: readonly string[], { reason }: ActOptions): Promise<Outcome> {
  const path = `/v1/sinks/${encodeURIComponent(name)}/test`;
  const json = await withApi(context, async (api) => expectOk(await api.post(path, JSON.stringify({ reason }))));
  const { taken, code, message } = JSON.parse(json) as SinkTestAnswer;
  if (taken) return { json, human: `${printable(name)} has taken it.` };
  return { json, human: `not taken (${code}): ${printable(message ?? '')}`, exit: 'refused' };
}

function addMove(
  sink: Command,
  cli: Cli,
  { verb, option, summary, example }: { verb: 'replay' | 'skip'; option: Option; summary: string; example: string },
): void {
  const command = sink
    .command(verb)
    .summary(summary)
    .argument('<name>', 'its name in config.toml')
    .addOption(option.argParser((text) => wholeNumber(text, 1, Number.MAX_SAFE_INTEGER)).makeOptionMandatory())
    .action(action<MoveOptions>(cli, (context, args, options) => runMove(context, verb, args, options)));
  withExamples(withCommonOptions(withReason(command, true)), [example]);
}

async function runMove(
  context: Context,
  verb: 'replay' | 'skip',
  [name = '']: readonly string[],
  { reason, fromSeq, toSeq }: MoveOptions,
): Promise<Outcome> {
  const body = verb === 'replay' ? { reason, from_seq: fromSeq } : { reason, to_seq: toSeq };
  const path = `/v1/sinks/${encodeURIComponent(name)}/${verb}`;
  const json = await withApi(context, async (api) => expectOk(await api.post(path, JSON.stringify(body))));
  const { sink } = JSON.parse(json) as SinkMovedAnswer;
  return { json, human: `${printable(name)} goes on: ${printable(sink.sentence)}` };
}
