/** Looks at the nodes of the demo through their APIs. */

import type { AuditEntry } from '../../admin/api/audit-entry.ts';
import type { HeadAnswer } from '../../admin/api/journal.ts';
import type { PeerStatus } from '../../core/peer-status.ts';
import { FACT_EVENT } from '../../core/verdict.ts';
import { expectOk } from '../api-failure.ts';
import { type FactPageView, readFactPage } from '../fact-view.ts';
import type { FactSum } from './judgement.ts';
import { LIES } from './lies.ts';
import type { Org } from './org.ts';
import type { NodePicture, RefusalPicture } from './picture.ts';

const PAGE = 500;
/** Other records have reasons too: a connection that was not let in, say. */
const REFUSALS: ReadonlySet<string> = new Set(Object.values(FACT_EVENT));

/** Follows the refusals of one node. */
export class RefusalWatch {
  readonly #org: Org;
  readonly #byReason = new Map<string, RefusalPicture>();
  #cursor = 0;

  constructor(org: Org) {
    this.#org = org;
  }

  /** Reads what is new. */
  async update(): Promise<void> {
    for (let more = true; more; ) {
      const query = { cursor: this.#cursor, order: 'asc', limit: PAGE };
      const page = JSON.parse(expectOk(await this.#org.api.get('/v1/federation/audit', query))) as {
        readonly entries: readonly AuditEntry[];
        readonly has_more: boolean;
      };
      for (const entry of page.entries) await this.#take(entry);
      more = page.has_more;
    }
  }

  /** The newest of each reason, first told first. */
  pictures(): RefusalPicture[] {
    return [...this.#byReason.values()];
  }

  counts(): Record<string, number> {
    return Object.fromEntries(this.pictures().map(({ reason, count }) => [reason, count]));
  }

  total(): number {
    return this.pictures().reduce((sum, { count }) => sum + count, 0);
  }

  async #take(entry: AuditEntry): Promise<void> {
    this.#cursor = entry.seq;
    if (entry.reason === null || !REFUSALS.has(entry.event_type)) return;
    const before = this.#byReason.get(entry.reason);
    const evidence = await this.#evidence(entry.seq);
    this.#byReason.set(entry.reason, {
      reason: entry.reason,
      count: (before?.count ?? 0) + 1,
      attempt: LIES.find(({ reason }) => reason === entry.reason)?.attempt ?? 'sent something else',
      field: evidence.first_difference ?? '',
      claimed: evidence.claimed ?? null,
      computed: evidence.computed ?? null,
      seq: entry.seq,
    });
  }

  async #evidence(
    seq: number,
  ): Promise<{ first_difference?: string; claimed?: string | null; computed?: string | null }> {
    const answer = JSON.parse(expectOk(await this.#org.api.get(`/v1/federation/audit/${seq}`))) as {
      readonly evidence: object | null;
    };
    return answer.evidence ?? {};
  }
}

/** @param before the last picture of the same node, and how long ago it was taken */
export async function lookAtNode(
  org: Org,
  own: number,
  refused: number,
  before: NodePicture | null,
  sinceMs: number,
): Promise<NodePicture> {
  const head = JSON.parse(expectOk(await org.api.get('/v1/journal/head'))) as HeadAnswer;
  const { peers } = JSON.parse(expectOk(await org.api.get('/v1/federation/peers'))) as {
    readonly peers: readonly PeerStatus[];
  };
  const rate = before === null || sinceMs <= 0 ? 0 : ((head.size - before.facts) * 1_000) / sinceMs;
  const lag = peers.reduce((sum, peer) => sum + (peer.lag_entries ?? 0), 0);
  const waiting = peers.filter(({ accept, waiting_on }) => accept.length > 0 && waiting_on !== null);
  const doing =
    waiting.length === 0
      ? 'has everything'
      : waiting.map(({ name, waiting_on }) => `${name}: ${waiting_on}`).join('; ');
  return { authority: org.authority, facts: head.size, own, rate: Math.max(0, rate), lag, refused, doing };
}

/** Lengths of the feeds in a node's journal: its own under their names, received ones as `from/<authority>/<scope>`. */
export async function feedLengths(org: Org): Promise<Readonly<Record<string, number>>> {
  const { feeds } = JSON.parse(expectOk(await org.api.get('/v1/journal/head'))) as HeadAnswer;
  return Object.fromEntries(feeds.map(({ feed, length }) => [feed, length]));
}

/** Pages through all facts of one source. */
export async function sumFacts(org: Org, source: string): Promise<FactSum> {
  let count = 0;
  let sum = 0n;
  let cursor: string | null = null;
  do {
    const query = {
      source,
      limit: PAGE,
      include_contradicted: true,
      include_expired: true,
      cursor: cursor ?? undefined,
    };
    const page: FactPageView = readFactPage(expectOk(await org.api.get('/v1/facts', query)));
    for (const fact of page.facts) sum += BigInt(`0x${String(fact.get('cid')).slice('sha256:'.length, 23)}`);
    count += page.facts.length;
    cursor = page.cursor;
  } while (cursor !== null);
  return { count, digest: BigInt.asUintN(64, sum).toString(16) };
}
