import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type DecisionCode,
  type DisclosureRules,
  decideFact,
  decideFeed,
  decisionSentence,
  type FeedGrant,
  grantText,
  openFeeds,
  type Recipient,
} from '../../../src/core/disclosure.ts';
import { SCOPES } from '../../../src/core/scope.ts';

const NODES = ['a', 'b', 'c', 'd'].map((name) => `stigmem://${name}.example`);
const GARDENS = ['incident-42', 'merger', 'x'];
const END = 20;

const LOG_KEY = 'x.example/journal/00000000000000aa+00000000+AA==';

interface Fact {
  readonly scope: string;
  readonly garden_id: string | null;
  /** Null: asserted here. */
  readonly from: string | null;
  /** Whom it came from; its origin, or a relay. */
  readonly via: string | null;
}
interface Line {
  /** Null: what is asserted here; else what came from that node. */
  readonly of: string | null;
  readonly scope: string;
  readonly garden: string | null;
  readonly start: number;
  readonly end: number;
}
interface Mesh {
  readonly peers: readonly {
    readonly node: string;
    readonly disabled: boolean;
    readonly team: boolean;
    /** Whether its file names its log key. */
    readonly isNamed: boolean;
    readonly lines: readonly Line[];
  }[];
  /** Per garden: null for no list. */
  readonly lists: readonly (readonly string[] | null)[];
  readonly facts: readonly Fact[];
  /** Of each node: when its permit to relay ends. */
  readonly permits: readonly (number | null)[];
  /** Nodes whose log key an operator has confirmed. */
  readonly confirmed: readonly string[];
  readonly now: number;
}

const garden = fc.option(fc.constantFrom(...GARDENS), { freq: 1 });
const line = fc.record({
  of: fc.constantFrom(null, null, ...NODES),
  scope: fc.constantFrom('team', 'company', 'public'),
  garden,
  start: fc.integer({ min: 0, max: END }),
  end: fc.integer({ min: 0, max: END }),
});
const mesh: fc.Arbitrary<Mesh> = fc.record({
  peers: fc.array(
    fc.record({
      node: fc.constantFrom(...NODES),
      disabled: fc.constantFrom(false, false, false, true),
      team: fc.boolean(),
      isNamed: fc.boolean(),
      lines: fc.array(line, { minLength: 2, maxLength: 12 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  lists: fc.tuple(...GARDENS.map(() => fc.option(fc.subarray(NODES), { freq: 1 }))),
  facts: fc.array(
    fc.record({
      scope: fc.constantFrom(...SCOPES),
      garden_id: garden,
      from: fc.option(fc.constantFrom(...NODES), { freq: 1 }),
      via: fc.constantFrom(null, null, ...NODES),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  permits: fc.tuple(...NODES.map(() => fc.option(fc.integer({ min: 0, max: END }), { freq: 2 }))),
  confirmed: fc.subarray(NODES),
  now: fc.integer({ min: 0, max: END }),
});

/** The rules once more, from the words of the manual alone: no feed names, no order of rules, no codes. */
function mayRead(fact: Fact, peer: Mesh['peers'][number], { confirmed, lists, now, permits }: Mesh): boolean {
  if (fact.scope === 'local' || peer.disabled) return false;
  if (!peer.isNamed && !confirmed.includes(peer.node)) return false;
  if (fact.from !== null) {
    const until = permits[NODES.indexOf(fact.from)] ?? null;
    const isFirstHand = (fact.via ?? fact.from) === fact.from;
    if (fact.scope !== 'public' || fact.garden_id !== null || !isFirstHand) return false;
    if (until === null || now >= until) return false;
  }
  if (fact.scope === 'team' && !peer.team) return false;
  for (let i = 0; i < GARDENS.length; i++) {
    const list = lists[i];
    if (fact.garden_id === GARDENS[i] && list != null && !list.includes(peer.node)) return false;
  }
  for (const { of, scope, garden: inside, start, end } of peer.lines) {
    const isOfFact = of === fact.from && scope === fact.scope && (of !== null || inside === fact.garden_id);
    if (isOfFact && start <= now && now < end) return true;
  }
  return false;
}

function recipient({ node, disabled, team, isNamed, lines }: Mesh['peers'][number]): Recipient {
  const share = lines.map((one): FeedGrant => {
    const { start, end } = one;
    return { feed: feedNamed(one), notBeforeMs: start === 0 ? null : start, notAfterMs: end };
  });
  return { nodeId: node, share, allowTeam: team, disabled, logKey: isNamed ? LOG_KEY : null };
}

function feedNamed({ of, scope, garden: inside }: Line): string {
  if (of !== null) return `from/${of.slice('stigmem://'.length)}/${scope}`;
  return inside === null ? scope : `${scope}/${inside}`;
}

function rulesOf({ confirmed, lists, permits }: Mesh): DisclosureRules {
  const gardens = new Map(GARDENS.flatMap((name, i) => (lists[i] == null ? [] : [[name, lists[i]] as const])));
  const held = NODES.flatMap((node, i) => {
    const notAfterMs = permits[i];
    return notAfterMs == null
      ? []
      : [[`from/${node.slice('stigmem://'.length)}/public`, { note: '', notAfterMs }] as const];
  });
  return { gardens, permits: new Map(held), confirmed: new Set(confirmed) };
}

function entryOf({ scope, garden_id, from, via }: Fact) {
  const origin = from === null ? null : { node_id: from, chain_seq: 1, leaf_hash: 'sha256:00' };
  return { scope, garden_id, origin, received_from: from === null ? null : (via ?? from) } as Parameters<
    typeof decideFact
  >[0];
}

test('a fact is open to a peer exactly when the naive model says so: 5,000 random meshes', () => {
  const counted = { open: 0, shut: 0 };
  fc.assert(
    fc.property(mesh, (made) => {
      const rules = rulesOf(made);
      for (const peer of made.peers) {
        const to = recipient(peer);
        for (const fact of made.facts) {
          const expected = mayRead(fact, peer, made);
          counted[expected ? 'open' : 'shut']++;
          const decision = decideFact(entryOf(fact), to, rules, made.now);
          assert.equal(decision.code === 'granted', expected, `${JSON.stringify({ fact, peer, decision })}`);
        }
      }
    }),
    { numRuns: 5_000 },
  );
  assert.ok(counted.open > 1_000 && counted.shut > 1_000, JSON.stringify(counted));
});

test('what is served is what is decided: a feed is open exactly if it is granted, under the grant that decides', () => {
  fc.assert(
    fc.property(mesh, (made) => {
      const rules = rulesOf(made);
      for (const peer of made.peers) {
        const to = recipient(peer);
        const open = openFeeds(to, rules, made.now);
        for (const { feed } of to.share) {
          const { code, grant } = decideFeed(feed, to, rules, made.now);
          assert.equal(open.get(feed), code === 'granted' ? grant : undefined);
        }
        assert.ok([...open.keys()].every((feed) => to.share.some((grant) => grant.feed === feed)));
      }
    }),
    { numRuns: 1_000 },
  );
});

test('a grant more opens nothing but its feed; a member less opens nothing', () => {
  fc.assert(
    fc.property(mesh, line, (made, more) => {
      const rules = rulesOf(made);
      for (const peer of made.peers) {
        const before = openFeeds(recipient(peer), rules, made.now);
        const after = openFeeds(recipient({ ...peer, lines: [...peer.lines, more] }), rules, made.now);
        const added = feedNamed(more);
        for (const feed of after.keys()) assert.ok(before.has(feed) || feed === added, feed);
        const lists = [...rules.gardens].map(
          ([name, list]) => [name, list.filter((node) => node !== peer.node)] as const,
        );
        const without = { ...rules, gardens: new Map(lists) };
        for (const feed of openFeeds(recipient(peer), without, made.now).keys()) assert.ok(before.has(feed), feed);
        const unpermitted = openFeeds(recipient(peer), { ...rules, permits: new Map() }, made.now);
        assert.ok([...unpermitted.keys()].every((feed) => before.has(feed) && !feed.startsWith('from/')));
      }
    }),
    { numRuns: 1_000 },
  );
});

const TO: Recipient = { nodeId: NODES[1] ?? '', share: [], allowTeam: false, disabled: false, logKey: LOG_KEY };
const grant = (feed: string, notBeforeMs: number | null = null, notAfterMs: number | null = null): FeedGrant => ({
  feed,
  notBeforeMs,
  notAfterMs,
});
const WITH_LISTS: DisclosureRules = {
  gardens: new Map([
    ['merger', [NODES[2] ?? '']],
    ['nobody', []],
  ]),
  permits: new Map([
    ['from/c.example/public', { note: '', notAfterMs: 11 }],
    ['from/d.example/public', { note: '', notAfterMs: 10 }],
  ]),
  confirmed: new Set(),
};

const CASES: readonly [code: DecisionCode, feed: string, peer: Partial<Recipient>, says: RegExp][] = [
  ['granted', 'public', { share: [grant('public')] }, /^sent: bee is granted public$/],
  ['log_key_unconfirmed', 'public', { share: [grant('public')], logKey: null }, /the log key of bee waits/],
  ['granted', 'public', { share: [grant('public', null, 11)] }, /until 1970-01-01T00:00:00\.011Z$/],
  ['granted', 'team', { share: [grant('team')], allowTeam: true }, /^sent/],
  [
    'expired',
    'public',
    { share: [grant('public', 12), grant('public', null, 10)] },
    /ended at 1970-01-01T00:00:00\.010Z/,
  ],
  ['not_yet', 'public', { share: [grant('public', 12), grant('public', 11)] }, /begins at 1970-01-01T00:00:00\.011Z/],
  ['not_granted', 'company', { share: [grant('company/x')] }, /bee is not granted company$/],
  ['team_not_allowed', 'team/ops', { share: [grant('team/ops')] }, /allow_team = true/],
  ['not_member', 'company/merger', { share: [grant('company/merger')] }, /no member of the garden/],
  ['not_member', 'public/nobody', { share: [grant('public/nobody')] }, /no member of the garden/],
  ['peer_disabled', 'public', { share: [grant('public')], disabled: true }, /bee is disabled/],
  ['scope_local', 'local', { share: [grant('local')], allowTeam: true }, /never leave/],
  ['scope_local', 'from/c.example/local', { share: [grant('from/c.example/local')] }, /never leave/],
  ['not_relayed', 'from/c.example/company', { share: [grant('from/c.example/company')] }, /not to be relayed/],
  ['granted', 'from/c.example/public', { share: [grant('from/c.example/public')] }, /^sent: bee is granted from\/c/],
  ['not_granted', 'from/c.example/public', { share: [grant('public')] }, /bee is not granted from\/c/],
  ['not_permitted', 'from/d.example/public', { share: [grant('from/d.example/public')] }, /has not permitted us/],
  ['not_permitted', 'from/e.example/public', { share: [grant('from/e.example/public')] }, /has not permitted us/],
  ['feed_malformed', 'secret', { share: [grant('secret')] }, /names no feed/],
];

for (const [code, feed, peer, says] of CASES) {
  test(`${code}: ${feed}`, () => {
    const decision = decideFeed(feed, { ...TO, ...peer }, WITH_LISTS, 10);
    assert.equal(decision.code, code);
    assert.match(decisionSentence(decision, feed, 'bee'), says);
  });
}

test('each grant to each peer has one text', () => {
  const text = grantText('stigmem://b.example', grant('company/x', 0, 86_400_000));
  assert.equal(
    text,
    '{"feed":"company/x","not_after":"1970-01-02T00:00:00.000Z","not_before":"1970-01-01T00:00:00.000Z","peer":"stigmem://b.example","v":1}',
  );
  assert.notEqual(grantText('stigmem://c.example', grant('company/x', 0, 86_400_000)), text);
});
