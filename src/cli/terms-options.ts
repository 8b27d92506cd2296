/** What a new partner is granted, as options: the same for a code and for a file. */
import { type Command, InvalidArgumentError } from 'commander';

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

/** A day alone ends when it is over, everywhere in UTC: nobody means the midnight before it. */
export function readUntil(text: string): string {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const ms = isDay ? Date.parse(`${text}T24:00:00Z`) : withOffset(text);
  if (Number.isNaN(ms)) throw new InvalidArgumentError('Expected a day or a time with its offset.');
  return new Date(ms).toISOString();
}

function withOffset(text: string): number {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
}
