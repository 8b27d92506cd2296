/** Grants in a running node: the lists of gardens, and what operators ask about who may read what. */
import { join } from 'node:path';
import type { Disclosed, Explanation, GrantDesk, GrantDiff } from '../admin/grant-desk.ts';
import { checkPeerFile, PEER_SUFFIX, type PeerFile } from '../config/peer-file.ts';
import { openPeerFolder } from '../config/peer-folder.ts';
import { problemText } from '../config/problem.ts';
import { parseTomlText } from '../config/toml-file.ts';
import { type DisclosureRules, decideFact, decisionSentence } from '../core/disclosure.ts';
import { diffGrants, type FeedState, previewGrants } from '../core/disclosure-report.ts';
import { feedNameOf } from '../core/feed-name.ts';
import type { RegisterDeps } from '../serve/register.ts';
import type { Base } from './base.ts';
import type { Federation } from './federation.ts';

/** Newest facts that are named of feeds that a proposed file would open. */
const DIFF_EXAMPLES = 10;

/** What decides beside the peer files. Permits come and end, and keys are confirmed, while the node runs. */
export function rulesOf({
  config,
  permits,
  confirmed,
}: Pick<Base, 'config' | 'permits' | 'confirmed'>): DisclosureRules {
  return { gardens: new Map(config.gardenMembers), permits, confirmed };
}

/** What serving needs to decide, and to record what it gives. */
export function givingOf(base: Base): Pick<RegisterDeps, 'rules' | 'disclose' | 'giveClosures' | 'givePermit'> {
  const { metrics, writer } = base;
  return {
    rules: rulesOf(base),
    givePermit: (nodeId, untilMs) => writer.givePermit(nodeId, untilMs),
    disclose: async (disclosure) => {
      await writer.disclose(disclosure);
      metrics.factsGiven.inc(disclosure.to - disclosure.after);
    },
    giveClosures: (nodeId, ended) => writer.giveClosures(nodeId, ended),
  };
}

type FindPeer = (nameOrNodeId: string) => PeerFile | undefined;

/** @param federation null while the node does not run: then the files are what they say */
export function grantDesk(base: Base, federation: Pick<Federation, 'files'> | null): GrantDesk {
  const { config, paths, reader } = base;
  const rules = rulesOf(base);
  const files = federation?.files ?? (() => openPeerFolder(paths.peers, config.nodeId).state().peers);
  const find: FindPeer = (id) => files().get(id) ?? [...files().values()].find(({ nodeId }) => nodeId === id);
  return {
    async preview(id, examples) {
      const peer = find(id);
      if (peer === undefined) return null;
      const preview = previewGrants(await statesOf(base, peer), peer.name, peer, rules, Date.now());
      const facts = await reader.newestFacts(preview.open, examples);
      return { peer: peer.name, node_id: peer.nodeId, ...preview, examples: facts };
    },
    explain: (id, fact) => explain(base, rules, find(id), fact),
    diff: (name, toml) => diff(base, rules, find, name, toml),
    async disclosed(query, fact) {
      // What a partner was given is kept when its file is gone.
      const nodeId = find(query.peer)?.nodeId ?? query.peer;
      if (fact !== null) return givenFact(base, nodeId, fact);
      const [feeds, runs] = await Promise.all([
        reader.givenFeeds(nodeId),
        reader.givenRuns({ ...query, peer: nodeId }),
      ]);
      return { node_id: nodeId, feeds, runs };
    },
  };
}

/** Where a fact is stands in a checked row: a damaged one is as good as none. */
async function givenFact({ reader }: Base, nodeId: string, idOrCid: string): Promise<Disclosed | null> {
  const found = await reader.fact(idOrCid);
  if (found.kind !== 'found') return null;
  const { entry } = found.fact;
  const feed = feedNameOf(entry);
  const { runs } = await reader.givenFact(nodeId, feed.ok ? feed.value : '', entry.feed_seq);
  return { node_id: nodeId, feeds: [], runs };
}

async function statesOf({ reader, writer }: Base, { nodeId }: PeerFile): Promise<readonly FeedState[]> {
  const { feeds } = await writer.guardView();
  return reader.feedStates(nodeId, feeds);
}

async function explain(
  { reader }: Base,
  rules: DisclosureRules,
  peer: PeerFile | undefined,
  idOrCid: string,
): Promise<Explanation> {
  if (peer === undefined) return { kind: 'unknown_peer' };
  const found = await reader.fact(idOrCid);
  if (found.kind === 'not_found' || found.kind === 'tombstoned') return { kind: 'unknown_fact' };
  if (found.kind === 'corrupt') return { kind: 'damaged' };
  const { entry } = found.fact;
  const feed = feedNameOf(entry);
  const name = feed.ok ? feed.value : null;
  const decision = decideFact(entry, peer, rules, Date.now());
  const given = await reader.givenFact(peer.nodeId, name ?? '', entry.feed_seq);
  return {
    kind: 'explained',
    peer: peer.name,
    node_id: peer.nodeId,
    fact_id: entry.fact_id,
    feed: name,
    feed_seq: entry.feed_seq,
    code: decision.code,
    sentence: decisionSentence(decision, name ?? '', peer.name),
    given: given.runs,
    acknowledged: given.to >= entry.feed_seq,
  };
}

/** The file in force is that of the same partner, whatever the proposed file is called. */
async function diff(
  base: Base,
  rules: DisclosureRules,
  find: FindPeer,
  name: string,
  toml: string,
): Promise<GrantDiff> {
  const path = join(base.paths.peers, `${name}${PEER_SUFFIX}`);
  const parsed = parseTomlText(path, toml);
  if (!parsed.ok) return { kind: 'invalid', problems: [problemText(parsed.error.problem)] };
  const checked = checkPeerFile(path, parsed.value);
  if (!checked.ok) return { kind: 'invalid', problems: checked.error.map(problemText) };
  const proposed = checked.value;
  const inForce = find(proposed.nodeId);
  const states = await statesOf(base, proposed);
  const changes = diffGrants(states, proposed.name, inForce ?? null, proposed, rules, Date.now());
  const starting = new Set(changes.filter(({ change }) => change === 'starts').map(({ feed }) => feed));
  const feeds = states.filter(({ feed }) => starting.has(feed));
  const examples = await base.reader.newestFacts(feeds, DIFF_EXAMPLES);
  const found = { peer: proposed.name, node_id: proposed.nodeId, in_force: inForce?.name ?? null };
  return { kind: 'compared', ...found, changes, examples };
}
