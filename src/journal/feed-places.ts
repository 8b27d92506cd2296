/** Entries by their place in a feed. */
import type { SelectQueryBuilder } from 'kysely';
import { ONE, PARAM, sqlBuilder } from './database.ts';
import type { Tables } from './tables.ts';

/**
 * The id of the feed of a name, for a condition on `entries.feed_id`. Not a join: no index leads from a name to its feed, and the planner
 * then walks through all entries of the journal and looks up the feed of each.
 */
export const feedNamed: SelectQueryBuilder<Tables, 'feeds', Pick<Tables['feeds'], 'feed_id'>> = sqlBuilder
  .selectFrom('feeds')
  .select('feed_id')
  .where('name', '=', PARAM)
  .limit(ONE);

/** The entry at a place; its parameters are the name of the feed and the place. */
export const entriesAt: SelectQueryBuilder<Tables, 'entries', object> = sqlBuilder
  .selectFrom('entries')
  .where('feed_id', '=', feedNamed)
  .where('feed_seq', '=', PARAM);
