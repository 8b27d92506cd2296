import type { AuditEntry } from '../admin/api/audit-entry.ts';
import { connectApi } from './api-client.ts';
import { type AuditFilterOptions, filterQuery } from './audit-filter.ts';
import type { Context, Outcome } from './cli.ts';
import { CliError } from './exit.ts';
import { printable } from './printable.ts';
import { readEvents } from './sse.ts';

/** `audit tail`: records as they come, until Ctrl-C. Needs the running daemon: without one nothing happens. */
export async function runTail(
  context: Context,
  _args: readonly string[],
  options: AuditFilterOptions & { readonly after?: string },
): Promise<Outcome | null> {
  if (options.after !== undefined && !/^(0|[1-9][0-9]{0,15})$/.test(options.after)) {
    throw new CliError({
      exit: 'usage',
      message: `expected --after with a sequence such as 42, got ${JSON.stringify(options.after)}`,
    });
  }
  const api = await connectApi(context);
  const stop = new AbortController();
  const ignore = context.runtime.onStop(() => stop.abort());
  try {
    if (api.daemon === null) {
      const message = 'expected a running node to follow, got one that is not running';
      throw new CliError({ exit: 'unavailable', message, fix: 'Start it (stigmem-peerd run), or use audit list.' });
    }
    const query = { ...filterQuery(options), cursor: options.after };
    const pieces = api.stream('/v1/federation/audit/stream', query, 'text/event-stream', stop.signal);
    for await (const data of readEvents(pieces)) {
      context.runtime.stdout.write(`${context.json ? data : tailLine(context, JSON.parse(data) as AuditEntry)}\n`);
    }
    if (stop.signal.aborted) return null;
    throw new CliError({
      exit: 'unavailable',
      message: 'the node has stopped',
      fix: 'Start the command again when it is back.',
    });
  } catch (thrown) {
    if (stop.signal.aborted) return null;
    throw thrown;
  } finally {
    ignore();
    await api.close();
  }
}

function tailLine(context: Context, entry: AuditEntry): string {
  const { paint } = context.screen;
  const reason = entry.reason === null ? '' : ` ${paint('red', printable(entry.reason))}`;
  const rest = [entry.peer_id ?? entry.actor, entry.feed, entry.fact_id ?? entry.cid].filter((part) => part !== null);
  return `${paint('dim', `${entry.seq} ${entry.ts}`)} ${printable(entry.event_type)}${reason} ${printable(rest.join(' '))}`.trimEnd();
}
