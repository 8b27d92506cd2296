/** What operators are told about grants: everything a peer would get, and what a proposed file would change. Pure. */
import {
  type DecisionCode,
  type DisclosureRules,
  decideFeed,
  decisionSentence,
  type FeedGrant,
  grantText,
  type Recipient,
} from './disclosure.ts';

/** A feed of our journal, and how far one peer was given it. */
export interface FeedState {
  readonly feed: string;
  /** Entries. */
  readonly length: number;
  /** Feed sequence of the last entry that the peer was given, and that it has acknowledged; 0 for none. */
  readonly given: number;
  readonly acknowledged: number;
}

/** One fact as a list names it; nothing of what it says. */
export interface FactLine {
  readonly feed: string;
  readonly feed_seq: number;
  readonly fact_id: string;
  readonly entity: string;
  readonly relation: string;
  readonly timestamp: string;
}

export interface FeedPreview extends FeedState {
  readonly code: DecisionCode;
  readonly sentence: string;
}

export interface Preview {
  readonly open: readonly FeedPreview[];
  readonly shut: readonly FeedPreview[];
  /** Feeds that the peer's file names and that have no entry yet. */
  readonly empty: readonly Omit<FeedPreview, keyof FeedState>[];
}

/** @param name what the operator calls the peer */
export function previewGrants(
  feeds: readonly FeedState[],
  name: string,
  peer: Recipient,
  rules: DisclosureRules,
  nowMs: number,
): Preview {
  const told = (feed: string): Omit<FeedPreview, keyof FeedState> => {
    const decision = decideFeed(feed, peer, rules, nowMs);
    return { code: decision.code, sentence: decisionSentence(decision, feed, name) };
  };
  const known = feeds.map((state) => ({ ...state, ...told(state.feed) }));
  const there = new Set(feeds.map(({ feed }) => feed));
  const named = new Set(peer.share.map(({ feed }) => feed).filter((feed) => !there.has(feed)));
  return {
    open: known.filter(({ code }) => code === 'granted'),
    shut: known.filter(({ code }) => code !== 'granted'),
    empty: [...named].map(told),
  };
}

/** One feed for which a proposed file decides otherwise than the one in force, or under another grant. */
export interface FeedChange {
  readonly feed: string;
  /** `regrants`: open before and after; `later`: shut before and after, but not for the same reason or time. */
  readonly change: 'starts' | 'stops' | 'regrants' | 'later';
  /** Facts that would flow now and did not before: those in the feed that the peer was not given. 0 unless it starts. */
  readonly new_facts: number;
  readonly given: number;
  readonly before: string;
  readonly after: string;
}

/**
 * @param before the file in force; null: there is none
 * @param feeds feeds that have entries; others that either file names are looked at too
 */
export function diffGrants(
  feeds: readonly FeedState[],
  name: string,
  before: Recipient | null,
  after: Recipient,
  rules: DisclosureRules,
  nowMs: number,
): readonly FeedChange[] {
  const old: Recipient = before ?? { ...after, share: [] };
  const states = new Map(feeds.map((state) => [state.feed, state]));
  const names = new Set([...states.keys(), ...old.share.map(feedOf), ...after.share.map(feedOf)]);
  return [...names].flatMap((feed): FeedChange[] => {
    const was = decideFeed(feed, old, rules, nowMs);
    const will = decideFeed(feed, after, rules, nowMs);
    const isSame = was.code === will.code && textOf(was.grant, old) === textOf(will.grant, after);
    if (isSame) return [];
    const state = states.get(feed);
    const change = changeOf(was.code === 'granted', will.code === 'granted');
    const newFacts = change === 'starts' ? Math.max(0, (state?.length ?? 0) - (state?.given ?? 0)) : 0;
    const sentences = { before: decisionSentence(was, feed, name), after: decisionSentence(will, feed, name) };
    return [{ feed, change, new_facts: newFacts, given: state?.given ?? 0, ...sentences }];
  });
}

function changeOf(was: boolean, will: boolean): FeedChange['change'] {
  if (was) return will ? 'regrants' : 'stops';
  return will ? 'starts' : 'later';
}

function feedOf({ feed }: FeedGrant): string {
  return feed;
}

function textOf(grant: FeedGrant | null, { nodeId }: Recipient): string {
  return grant === null ? '' : grantText(nodeId, grant);
}
