import type { DecisionCode } from '../core/disclosure.ts';
import type { FactLine, FeedChange, Preview } from '../core/disclosure-report.ts';
import type { GivenFeed, GivenRun, RunQuery } from '../journal/disclosure-records.ts';

/** What operators ask about who may read what. A peer is named by its file, or by its node id once that is gone. */
export interface GrantDesk {
  /** Null: no such peer. */
  preview(peer: string, examples: number): Promise<GrantPreview | null>;
  explain(peer: string, idOrCid: string): Promise<Explanation>;
  /** @param toml text of a peer file */
  diff(name: string, toml: string): Promise<GrantDiff>;
  /** @param fact id or CID: only the runs that it was given in. Null: there is no such fact. */
  disclosed(query: RunQuery, fact: string | null): Promise<Disclosed | null>;
}

export interface GrantPreview extends Preview {
  readonly peer: string;
  readonly node_id: string;
  /** Newest facts of the open feeds. */
  readonly examples: readonly FactLine[];
}

export type Explanation =
  | { readonly kind: 'unknown_peer' | 'unknown_fact' | 'damaged' }
  | {
      readonly kind: 'explained';
      readonly peer: string;
      readonly node_id: string;
      readonly fact_id: string;
      readonly feed: string | null;
      readonly feed_seq: number;
      readonly code: DecisionCode;
      readonly sentence: string;
      /** Runs of the ledger that the fact was given in. */
      readonly given: readonly GivenRun[];
      readonly acknowledged: boolean;
    };

export type GrantDiff =
  | { readonly kind: 'invalid'; readonly problems: readonly string[] }
  | {
      readonly kind: 'compared';
      readonly peer: string;
      readonly node_id: string;
      /** Name of the file in force; null: the partner has none. */
      readonly in_force: string | null;
      readonly changes: readonly FeedChange[];
      /** Newest facts of feeds that would start. */
      readonly examples: readonly FactLine[];
    };

export interface Disclosed {
  readonly node_id: string;
  readonly feeds: readonly GivenFeed[];
  readonly runs: readonly GivenRun[];
}
