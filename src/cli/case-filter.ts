import { type Command, Option } from 'commander';
import type { CommonOptions } from './cli.ts';

export interface CaseFilterOptions extends CommonOptions {
  readonly state: string;
  readonly severity?: string;
  readonly topic?: string;
  readonly peer?: string;
  readonly about?: string;
  readonly feed?: string;
  readonly assignee?: string;
  readonly since?: string;
  readonly text?: string;
  readonly drills: string;
}

/** Adds the conditions by which cases are found; they combine. */
export function withCaseFilters(command: Command): Command {
  return command
    .option('--state <states>', 'states with commas between them; open: all but resolved and suppressed', 'open')
    .option('--severity <severities>', 'critical,high,medium,low,info')
    .option('--topic <topic>', 'refusal, or an event')
    .option('--peer <peer>', 'name, node id or peer id')
    .option('--about <reason>', 'exact reason code')
    .option('--feed <feed>', 'exact feed')
    .option('--assignee <name>', 'exact name; none: those that are nobody’s')
    .option('--since <time>', 'seen again, or in its state, since this ISO time')
    .option('--text <text>', 'part of a note, a reason or a ticket')
    .addOption(new Option('--drills <which>', 'those of drills').choices(['any', 'only', 'none']).default('any'));
}

/** As the API takes them; `all` is no condition. */
export function caseQuery(options: CaseFilterOptions): Readonly<Record<string, string | undefined>> {
  const { state, severity, topic, peer, about, feed, assignee, since, text, drills } = options;
  const states = state === 'all' ? undefined : state;
  return { state: states, severity, topic, peer_id: peer, reason: about, feed, assignee, since, text, drills };
}
