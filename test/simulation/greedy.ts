/** What a partner gets that asks for more than it was granted: from any position, as often as it likes. */
import { decodePageHeader } from '../../src/wire/page-header.ts';
import { PULL_PROTOCOL } from '../../src/wire/protocols.ts';
import { encodePullRequest } from '../../src/wire/pull-request.ts';
import type { Chance } from './chance.ts';
import type { MemoryTransport } from './network.ts';

/** Entries of a page that has arrived. */
export interface Got {
  /** Peer id of who sent it. */
  readonly from: string;
  readonly feed: string;
  readonly after: number;
  readonly to: number;
}

/** What it is granted is among them: so it sees when something else comes with it. */
const FEEDS = ['public', 'company', 'team', 'local', 'from/a.example/public'];
const LIMITS = { idleMs: 10_000, totalMs: 30_000, maxFrameBytes: 4_194_304 };

/** @param onGot told of each page as it arrives; the answer may end in the middle */
export async function askForAll(
  transport: MemoryTransport,
  peerId: string,
  chance: Chance,
  onGot: (got: Got) => void,
): Promise<void> {
  const feeds = FEEDS.filter(() => chance.isHit(0.7)).map((feed) => ({ feed, after: chance.below(4) }));
  const request = encodePullRequest({
    accept: [],
    feeds,
    known_size: 0,
    page_bytes: 65_536,
    page_entries: 1 + chance.below(9),
    pages: 1 + chance.below(9),
  });
  for await (const frame of transport.request(peerId, PULL_PROTOCOL, request, LIMITS)) {
    const header = decodePageHeader(frame);
    if (!header.ok) continue;
    const { feed, after, indexes } = header.value;
    onGot({ from: peerId, feed, after, to: after + indexes.length });
  }
}
