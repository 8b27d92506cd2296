/**
 * Who may read what of this node: the one place where it is decided. Serving, `grant preview`, `explain` and `grant diff`
 * all ask here. A fact's feed follows from its scope, garden and origin, so a decision about a feed is one about each fact
 * in it. Pure: the moment is an argument.
 */
import { canonicalJson } from './canonical-json.ts';
import type { Entry } from './entry.ts';
import { feedNameOf } from './feed-name.ts';
import { parseFeed } from './scope.ts';

/** One feed that a peer may read, possibly for a time. */
export interface FeedGrant {
  readonly feed: string;
  /** Unix ms, inclusive; null: from ever. */
  readonly notBeforeMs: number | null;
  /** Unix ms, exclusive; null: for ever. */
  readonly notAfterMs: number | null;
}

/** What of a peer file a decision depends on. */
export interface Recipient {
  readonly nodeId: string;
  readonly share: readonly FeedGrant[];
  readonly allowTeam: boolean;
  readonly disabled: boolean;
  /** The log key that its file names; null: the one that was confirmed otherwise, if any was. */
  readonly logKey: string | null;
}

/** Node ids that belong to a garden, by garden. A garden that is not in it has no list: grants alone decide. */
export type GardenMembers = ReadonlyMap<string, readonly string[]>;

/** What the origin of a feed has signed about this node's relaying it. */
export interface HeldPermit {
  /** Signed note. */
  readonly note: string;
  /** Unix ms, exclusive. */
  readonly notAfterMs: number;
}

/** What decides besides the file of a peer. */
export interface DisclosureRules {
  readonly gardens: GardenMembers;
  /** By feed, `from/<authority>/public`. */
  readonly permits: ReadonlyMap<string, HeldPermit>;
  /** Node ids of those whose log key the journal holds: an operator has confirmed it. */
  readonly confirmed: ReadonlySet<string>;
}

/** Whether anybody has said which log key is the peer's: its file, or an operator who compared what it declares. */
export function isConfirmed(
  { logKey, nodeId }: Pick<Recipient, 'logKey' | 'nodeId'>,
  rules: Pick<DisclosureRules, 'confirmed'>,
): boolean {
  return logKey !== null || rules.confirmed.has(nodeId);
}

/** The rule that decides. `grant`: the one it is about. */
export type Decision =
  | { readonly code: 'granted' | 'expired' | 'not_yet'; readonly grant: FeedGrant }
  | {
      readonly code:
        | 'feed_malformed'
        | 'scope_local'
        | 'not_relayed'
        | 'not_permitted'
        | 'peer_disabled'
        | 'log_key_unconfirmed'
        | 'team_not_allowed'
        | 'not_member'
        | 'not_granted';
      readonly grant: null;
    };
export type DecisionCode = Decision['code'];

/** Whether a peer may read a feed at a moment. The first rule that fails gives its reason. */
export function decideFeed(feed: string, peer: Recipient, rules: DisclosureRules, nowMs: number): Decision {
  const parsed = parseFeed(feed);
  if (!parsed.ok) return { code: 'feed_malformed', grant: null };
  const { kind, scope } = parsed.value;
  if (scope === 'local') return { code: 'scope_local', grant: null };
  if (kind === 'received' && scope !== 'public') return { code: 'not_relayed', grant: null };
  if (peer.disabled) return { code: 'peer_disabled', grant: null };
  if (!isConfirmed(peer, rules)) return { code: 'log_key_unconfirmed', grant: null };
  if (scope === 'team' && !peer.allowTeam) return { code: 'team_not_allowed', grant: null };
  const garden = kind === 'own' ? parsed.value.garden : null;
  const members = garden === null ? undefined : rules.gardens.get(garden);
  if (members !== undefined && !members.includes(peer.nodeId)) return { code: 'not_member', grant: null };
  const decision = decideGrants(
    peer.share.filter((grant) => grant.feed === feed),
    nowMs,
  );
  const isPermitted = kind === 'own' || nowMs < (rules.permits.get(feed)?.notAfterMs ?? 0);
  return decision.code === 'granted' && !isPermitted ? { code: 'not_permitted', grant: null } : decision;
}

/** Whether a fact of a received feed may be passed on at all: asserted by the node that gave it to us, in no garden. */
export function isRelayable({ origin, received_from, scope, garden_id }: RelayedFact): boolean {
  return origin !== null && origin.node_id === received_from && scope === 'public' && garden_id === null;
}

type RelayedFact = Pick<Entry, 'origin' | 'scope' | 'garden_id' | 'received_from'>;

/** As {@link decideFeed}, for one fact. */
export function decideFact(fact: RelayedFact, peer: Recipient, rules: DisclosureRules, nowMs: number): Decision {
  const feed = feedNameOf(fact);
  if (!feed.ok) return { code: 'feed_malformed', grant: null };
  const decision = decideFeed(feed.value, peer, rules, nowMs);
  const isWithheld = decision.code === 'granted' && fact.origin !== null && !isRelayable(fact);
  return isWithheld ? { code: 'not_relayed', grant: null } : decision;
}

/** The feeds that a peer may read now, each with the grant that opens it, in the order of its file. */
export function openFeeds(peer: Recipient, rules: DisclosureRules, nowMs: number): ReadonlyMap<string, FeedGrant> {
  const open = new Map<string, FeedGrant>();
  for (const { feed } of peer.share) {
    const decision = decideFeed(feed, peer, rules, nowMs);
    if (decision.code === 'granted') open.set(feed, decision.grant);
  }
  return open;
}

/** Of several: one in force before one that has ended before one that is to come. */
function decideGrants(grants: readonly FeedGrant[], nowMs: number): Decision {
  const ended = ({ notAfterMs }: FeedGrant): boolean => notAfterMs !== null && notAfterMs <= nowMs;
  const toCome = ({ notBeforeMs }: FeedGrant): boolean => notBeforeMs !== null && nowMs < notBeforeMs;
  const inForce = grants.find((grant) => !ended(grant) && !toCome(grant));
  if (inForce !== undefined) return { code: 'granted', grant: inForce };
  const last = grants.filter(ended).reduce<FeedGrant | null>(later, null);
  if (last !== null) return { code: 'expired', grant: last };
  const next = grants.reduce<FeedGrant | null>(earlier, null);
  return next === null ? { code: 'not_granted', grant: null } : { code: 'not_yet', grant: next };
}

function later(a: FeedGrant | null, b: FeedGrant): FeedGrant {
  return a === null || (b.notAfterMs ?? 0) > (a.notAfterMs ?? 0) ? b : a;
}

function earlier(a: FeedGrant | null, b: FeedGrant): FeedGrant {
  return a === null || (b.notBeforeMs ?? 0) < (a.notBeforeMs ?? 0) ? b : a;
}

/**
 * A decision as a sentence for operators.
 *
 * @param name what the operator calls the peer
 */
export function decisionSentence({ code, grant }: Decision, feed: string, name: string): string {
  switch (code) {
    case 'granted':
      return grant.notAfterMs === null
        ? `sent: ${name} is granted ${feed}`
        : `sent: ${name} is granted ${feed} until ${isoText(grant.notAfterMs)}`;
    case 'expired':
      return `not sent because the grant of ${feed} to ${name} ended at ${isoText(grant.notAfterMs)}`;
    case 'not_yet':
      return `not sent because the grant of ${feed} to ${name} begins at ${isoText(grant.notBeforeMs)}`;
    case 'feed_malformed':
      return `not sent because ${JSON.stringify(feed)} names no feed`;
    case 'scope_local':
      return 'not sent because local facts never leave their node';
    case 'not_relayed':
      return 'not sent because it is not to be relayed: only public facts are, in no garden, that came from their origin itself';
    case 'not_permitted':
      return `not sent because the origin of ${feed} has not permitted us to relay it, or not for this long`;
    case 'peer_disabled':
      return `not sent because ${name} is disabled`;
    case 'log_key_unconfirmed':
      return `not sent because the log key of ${name} waits to be confirmed`;
    case 'team_not_allowed':
      return `not sent because the file of ${name} does not say allow_team = true`;
    case 'not_member':
      return `not sent because ${name} is no member of the garden of ${feed}`;
    case 'not_granted':
      return `not sent because ${name} is not granted ${feed}`;
  }
}

/** The text of a grant that its hash in the disclosure ledger is over: canonical JSON, one text per grant and peer. */
export function grantText(nodeId: string, { feed, notBeforeMs, notAfterMs }: FeedGrant): string {
  return canonicalJson({ feed, not_after: isoText(notAfterMs), not_before: isoText(notBeforeMs), peer: nodeId, v: 1 });
}

/** RFC 3339 in UTC, for every moment that a peer file can name. */
function isoText(ms: number): string;
function isoText(ms: number | null): string | null;
function isoText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
