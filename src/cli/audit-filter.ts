import { type Command, Option } from 'commander';
import { SEVERITIES } from '../core/severity.ts';
import type { Query } from './api-client.ts';
import type { CommonOptions } from './cli.ts';

export interface AuditFilterOptions extends CommonOptions {
  readonly peer?: string;
  readonly event?: string;
  readonly reason?: string;
  readonly minSeverity?: string;
  readonly feed?: string;
  readonly since?: string;
  readonly until?: string;
  readonly fact?: string;
  readonly cid?: string;
}

/** Adds the filters that list and tail share. */
export function withFilters(command: Command): Command {
  return command
    .option('--peer <peer>', 'name, node id or peer id')
    .option('--event <event>', 'exact event')
    .option('--reason <reason>', 'exact reason code')
    .addOption(new Option('--min-severity <severity>', 'at least so severe').choices(SEVERITIES))
    .option('--feed <feed>', 'exact feed')
    .option('--since <time>', 'this ISO time and later')
    .option('--until <time>', 'this ISO time and earlier')
    .option('--fact <id>', 'about this fact')
    .option('--cid <cid>', 'about facts with this CID');
}

/** The filters as the API takes them. */
export function filterQuery(options: AuditFilterOptions): Query {
  const { peer, event, reason, minSeverity, feed, since, until, fact, cid } = options;
  return {
    peer_id: peer,
    event_type: event,
    reason,
    min_severity: minSeverity,
    feed,
    since,
    until,
    fact_id: fact,
    cid,
  };
}
