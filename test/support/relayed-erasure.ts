/** A fact that came by two relays, and what becomes of it when its author has it erased. */

import type { StoredEntry } from '../../src/drill/peer-log.ts';
import type { PageLie } from '../../src/drill/served-log.ts';
import type { AppendedPage, Journal } from '../../src/journal/journal.ts';
import { RelayedAcks } from '../../src/journal/relayed-acks.ts';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import { sha256 } from '../../src/merkle/hash.ts';
import { Projector } from '../../src/projections/projector.ts';
import { RecallIndex } from '../../src/projections/recall-index.ts';
import { Erasing } from '../../src/threads/erasing.ts';
import { identityFromSeed } from '../../src/transport/identity.ts';
import type { PageContext } from '../../src/verify/context.ts';
import { assertedIn, factIdsOf, judgePage } from '../../src/verify/judge.ts';
import type { OpenedPage } from '../../src/verify/page.ts';
import { signErasureAck } from '../../src/wire/erasure-ack.ts';
import { bury } from './buried.ts';
import { HonestPeer } from './honest-peer.ts';
import { NOW_MS } from './journal-fixture.ts';
import { opened } from './judging.ts';
import { RelayLog } from './relay-log.ts';

export const LATER_MS: number = NOW_MS + 86_400_000 + 60_000;

export interface TwoRelays {
  readonly first: RelayLog;
  readonly second: RelayLog;
  readonly secret: StoredEntry;
}

/** Two relays that have the same four facts of one origin, of which the third is the secret. */
export function twoRelays(secretValue: string): TwoRelays {
  const origin = new HonestPeer({ authority: 'cyberdyne.example', journal: '00000000000000c1' });
  const relayOne = new HonestPeer({ authority: 'tyrell.example', journal: '00000000000000c2' });
  const first = new RelayLog({ origin, relay: relayOne, facts: 2 });
  const secret = first.origin.append({ value_v: secretValue });
  first.pass(secret);
  first.pass(first.origin.append());
  const relay = new HonestPeer({ authority: 'weyland.example', journal: '00000000000000c3' });
  const second = new RelayLog({ origin: first.origin, relay, facts: 0 });
  for (const entry of first.origin.entries) second.pass(entry);
  return { first, second, secret };
}

/** Pulls one page of a relayed feed, as the pull path does. */
export function pullRelayed(journal: Journal, log: RelayLog, count = 100): AppendedPage {
  const { feed, relay } = log;
  const told = toldTo(journal, relay, feed);
  const page = log.page({ after: told.after, count, knownSize: told.known?.size ?? 0 });
  return take(journal, opened(page, log.context(told)));
}

/** Pulls one page from the author itself, compared with what is held. */
export function pullDirect(
  journal: Journal,
  peer: HonestPeer,
  count = 100,
  lie: PageLie = {},
  context: Partial<PageContext> = {},
): AppendedPage {
  const told = toldTo(journal, peer, 'public');
  const page = peer.page({ feed: 'public', after: told.after, count, knownSize: told.known?.size ?? 0 }, lie);
  return take(journal, opened(page, peer.context({ ...told, feed: 'public', ...context })));
}

function toldTo(journal: Journal, { nodeId }: HonestPeer, feed: string) {
  return {
    after: journal.peers.cursor(nodeId, feed),
    known: journal.peers.checkpoint(nodeId),
    knownFeedLength: journal.peers.feedLength(nodeId, feed),
    neighbour: journal.peers.neighbour(nodeId),
    nowMs: NOW_MS,
  };
}

function take(journal: Journal, page: OpenedPage): AppendedPage {
  const verdict = judgePage(page, journal.seen.find(factIdsOf(page), assertedIn(page)));
  if (verdict.kind !== 'verified') throw new Error(JSON.stringify(verdict));
  return journal.appendPage(verdict.batch, NOW_MS);
}

/** Takes all steps that are due. */
export function finishErasures(journal: Journal): void {
  const [projector, words] = [new Projector(journal.db), new RecallIndex(journal.db)];
  while (projector.advance() > 0);
  while (words.advance() > 0);
  const erasing = new Erasing(journal, [projector, words]);
  while (erasing.advance(LATER_MS).steps > 0);
  journal.head(0);
}

/** Something in every table that an erasure over a relay writes to. */
export async function fillRelayedErasure(journal: Journal): Promise<void> {
  const { first, second, secret } = twoRelays('secret');
  pullRelayed(journal, first);
  pullRelayed(journal, second);
  first.pass(bury(first.origin, secret));
  pullRelayed(journal, first);
  finishErasures(journal);
  journal.chainMutationAttempts(LATER_MS);
  const seed = sha256('identity of a reader');
  const reader = new HonestPeer({ authority: 'umbrella.example', journal: '00000000000000ee' });
  const { peerId } = await identityFromSeed(seed);
  const ack = signErasureAck(
    {
      author: first.origin.nodeId,
      feed: 'public',
      feedSeq: secret.feedSeq,
      leafHash: `sha256:${Buffer.from(secret.leaf).toString('hex')}`,
      erasedAt: '2026-01-02T00:00:00.000Z',
    },
    reader.signer,
  );
  const tombstoneSeq = journal.size;
  journal.durably(() =>
    new RelayedAcks(journal.db).save({
      peer: reader.nodeId,
      relay: null,
      tombstone_seq: tombstoneSeq,
      note: ack,
      declaration: reader.declaration(createLogSigner(reader.nodeId, seed), peerId),
      received_us: NOW_MS * 1000,
    }),
  );
  journal.head(0);
}
