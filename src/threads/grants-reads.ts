/** What the readers' thread tells operators about grants. Each call looks at a bounded number of rows. */
import type { FactLine, FeedState } from '../core/disclosure-report.ts';
import type { Db } from '../journal/database.ts';
import { DisclosureRecords, type GivenFeed, type GivenRun, type RunQuery } from '../journal/disclosure-records.ts';
import type { EntryReader } from '../journal/entry-reader.ts';
import type { FactQuery } from '../journal/read-model.ts';
import { ReceiptRecords } from '../journal/receipt-records.ts';
import type { FactReader } from '../projections/fact-reader.ts';

export interface GrantsReads {
  /** How far a peer was given each of our feeds. */
  feedStates(peer: string, feeds: readonly Pick<FeedState, 'feed' | 'length'>[]): readonly FeedState[];
  /** The newest facts of each feed, at most `limit` in all; one that is damaged, or hidden from readers, is left out. */
  newestFacts(feeds: readonly Pick<FeedState, 'feed' | 'length'>[], limit: number): readonly FactLine[];
  givenFeeds(peer: string): readonly GivenFeed[];
  givenRuns(query: RunQuery): readonly GivenRun[];
  /** The runs that one entry of a feed is in, and how far the peer has acknowledged the feed. */
  givenFact(peer: string, feed: string, feedSeq: number): { readonly runs: readonly GivenRun[]; readonly to: number };
}

/** All that readers may see in some query. */
const SEEN: FactQuery = {
  includeContradicted: true,
  includeExpired: true,
  includeTombstones: true,
  limit: 1,
  nowIso: '',
};

export function grantsReads(db: Db, entries: EntryReader, facts: FactReader): GrantsReads {
  const ledger = new DisclosureRecords(db);
  const receipts = new ReceiptRecords(db);
  return {
    feedStates: (peer, feeds) =>
      feeds.map(({ feed, length }) => {
        const given = ledger.last(peer, feed)?.to ?? 0;
        return { feed, length, given, acknowledged: receipts.acknowledgedTo(peer, feed) };
      }),
    newestFacts: (feeds, limit) => {
      const found: FactLine[] = [];
      for (const { feed, length } of feeds) {
        const rows = entries.newest(feed, length, limit - found.length);
        for (const row of rows)
          if (row.ok && facts.shown(row.entry, SEEN) !== undefined) found.push({ feed, ...lineOf(row.entry) });
      }
      return found;
    },
    givenFeeds: (peer) => ledger.feeds(peer),
    givenRuns: (query) => ledger.runs(query),
    givenFact: (peer, feed, feedSeq) => ({
      runs: ledger.ofFact(peer, feed, feedSeq),
      to: receipts.acknowledgedTo(peer, feed),
    }),
  };
}

function lineOf({ feed_seq, fact_id, entity, relation, timestamp }: Omit<FactLine, 'feed'>): Omit<FactLine, 'feed'> {
  return { feed_seq, fact_id, entity, relation, timestamp };
}
