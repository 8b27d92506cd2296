/** What a new partner is granted, as options: the same for a code and for a file. */
import { type Command, InvalidArgumentError } from 'commander';
import { DAY_MS, parseIsoInstant } from '../core/time.ts';

export interface TermsOptions {
  readonly share?: readonly string[];
  readonly accept?: readonly string[];
  readonly until?: string;
  readonly name?: string;
}

export function withTermsOptions(command: Command): Command {
  return command
    .option('--share <feeds...>', 'feeds that the partner may read: public,company/incident-42')
    .option('--accept <feeds...>', 'feeds that this node takes from it')
    .option(
      '--until <time>',
      'end of both: 2026-12-31 (that day included, UTC) or 2026-12-31T18:00:00+01:00',
      readUntil,
    )
    .option('--name <name>', 'what this node calls the partner (default: after its node id)');
}

/** The body of a request, without what was not given. */
export function readTermsOptions({ share, accept, until, name }: TermsOptions): Readonly<Record<string, unknown>> {
  return {
    share: feedsIn(share),
    accept: feedsIn(accept),
    ...(until === undefined ? {} : { until }),
    ...(name === undefined ? {} : { name }),
  };
}

function feedsIn(lists: readonly string[] = []): readonly string[] {
  return [...new Set(lists.flatMap((list) => list.split(',')).filter((feed) => feed !== ''))];
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** Without an offset it would be another moment on another machine. */
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** A day alone ends when it is over, in UTC: nobody means the midnight before it. */
export function readUntil(text: string): string {
  const isDay = DAY.test(text);
  const instant = parseIsoInstant(isDay ? `${text}T00:00:00+00:00` : text.replace('Z', '+00:00'));
  if (!instant.ok || !(isDay || MOMENT.test(text)))
    throw new InvalidArgumentError('Expected a day or a time with its offset.');
  return new Date(Number(instant.value / 1_000n) + (isDay ? DAY_MS : 0)).toISOString();
}
