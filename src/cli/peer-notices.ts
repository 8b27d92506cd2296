import type { NoticesAnswer } from '../admin/api/notices.ts';
import { dataPaths } from '../config/data-dir.ts';
import { openPeerFolder } from '../config/peer-folder.ts';
import type { PeerStatus } from '../core/peer-status.ts';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import type { Context, Outcome } from './cli.ts';
import { loadNodeConfig } from './node-config.ts';
import type { Screen } from './screen.ts';

const NONE = 'No partner has refused anything of ours.';

/** `peer notices`: facts of ours that partners refused, as they have signed it. */
export async function runNotices(context: Context, [name]: readonly string[]): Promise<Outcome> {
  const answer = await withApi(context, async (api) => {
    const nodeId = name === undefined ? undefined : nodeIdOf(context.dir(), name);
    const query = { limit: 1_000, ...(nodeId === undefined ? {} : { peer: nodeId }) };
    return JSON.parse(expectOk(await api.get('/v1/federation/notices', query))) as NoticesAnswer;
  });
  return { json: JSON.stringify(answer), human: human(answer, name, context.screen) };
}

/** While the node does not run, only the file knows whose name it is. */
function nodeIdOf(dir: string, name: string): string {
  const { nodeId } = loadNodeConfig(dir);
  return openPeerFolder(dataPaths(dir).peers, nodeId).state().peers.get(name)?.nodeId ?? name;
}

function human({ notices }: NoticesAnswer, name: string | undefined, screen: Screen): string {
  if (notices.length === 0) return name === undefined ? NONE : `${name} has not refused anything of ours.`;
  return notices.map((notice) => block(notice, screen)).join('\n\n');
}

function block(notice: NoticesAnswer['notices'][number], screen: Screen): string {
  const { peer, node_id, feed, reason, refused, resolved, at, entries } = notice;
  const standing = refused - resolved;
  const who = peer ?? node_id;
  const what =
    standing === 0
      ? `${who} refused ${refused} of ours because ${reason} (${feed}), and has taken all of it since`
      : `${who} refused ${standing} of ours because ${reason} (${feed}), the last at ${at}`;
  if (entries.length === 0) return what;
  const rows = entries.map(({ feed_seq, fact, difference, cid, evidence }) => [
    feed_seq,
    fact === null ? cid : `${fact.entity} ${fact.relation}`,
    fact?.fact_id ?? null,
    difference === null
      ? null
      : `${difference.field}: ${difference.claimed ?? 'nothing'}, expected ${difference.computed ?? 'something else'}`,
    evidence,
  ]);
  const more = standing > entries.length ? `\n… and ${standing - entries.length} older ones` : '';
  return `${what}\n${screen.table(['PLACE', 'WHAT', 'FACT', 'DIFFERENCE', 'THEIR EVIDENCE'], rows)}${more}`;
}

/** One sentence for each reason for which a partner refuses something of ours now. */
export function refusesSentences({ name, refused_of_ours }: PeerStatus): string[] {
  const standing = new Map<string, number>();
  for (const { reason, refused, resolved } of refused_of_ours)
    if (refused > resolved) standing.set(reason, (standing.get(reason) ?? 0) + refused - resolved);
  return [...standing].map(([reason, count]) => `${name} refused ${count} of yours because ${reason}`);
}
