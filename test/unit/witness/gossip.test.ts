/** What peers can make a node ask and write down, however many heads they show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { WitnessDeps } from '../../../src/witness/deps.ts';
import { Gossip } from '../../../src/witness/gossip.ts';
import type { KnownLog, KnownLogs } from '../../../src/witness/known-logs.ts';
import type { OpenPair } from '../../../src/witness/seen-heads.ts';

const LOG = { origin: 'acme.example/journal/0', key: new Uint8Array(32), nodeId: 'stigmem://acme.example' };
const KNOWN: KnownLog = { log: LOG, peer: null };

interface Stage {
  readonly gossip: Gossip;
  /** What is open, now. */
  pairs: readonly OpenPair[];
  asked: number;
  readonly written: string[];
  /** Lets a question that is under way go on; more are open from then on. */
  release(): void;
}

function stage(): Stage {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const made: Omit<Stage, 'gossip'> = { pairs: [], asked: 0, written: [], release: () => release() };
  const journal = {
    async openPairs() {
      made.asked++;
      await held;
      return made.pairs;
    },
    resolvePair: async () => ({ kind: 'no_proof', news: null }),
  };
  const report = {
    unreconciled: (_: unknown, { seenId, smaller, larger }: OpenPair) =>
      made.written.push(`${seenId} ${smaller.size} ${larger.size}`),
  };
  const deps = { journal, report } as unknown as WitnessDeps;
  const known = { all: async () => [KNOWN] } as unknown as KnownLogs;
  return Object.assign(made, { gossip: new Gossip(deps, known, new AbortController().signal) });
}

function pair(seenId: number | null, smaller: number, larger: number): OpenPair {
  const head = (size: number) => ({ size, note: `${size}` });
  return { smaller: head(smaller), larger: head(larger), seenId, seenFrom: 'stigmem://globex.example' };
}

test('a thousand heads that are shown while a log is asked are one more question, not a thousand', async () => {
  const made = stage();
  const first = made.gossip.reconcile(KNOWN);
  await turn();
  const rest = Array.from({ length: 1_000 }, () => made.gossip.reconcile(KNOWN));
  made.release();
  await Promise.all([first, ...rest]);
  await made.gossip.settled();
  assert.equal(made.asked, 2);
  await made.gossip.reconcile(KNOWN);
  assert.equal(made.asked, 3, 'it goes on afterwards');
});

test('a head that is not joined is written down once, however the log grows', async () => {
  const made = stage();
  made.release();
  for (let size = 10; size < 20; size++) {
    made.pairs = [pair(null, size - 5, size), pair(1, 3, size)];
    await made.gossip.reconcile(KNOWN);
  }
  assert.deepEqual(made.written, ['null 5 10', '1 3 10']);
  // Joined, and open again: that is news.
  made.pairs = [];
  await made.gossip.reconcile(KNOWN);
  made.pairs = [pair(null, 20, 30)];
  await made.gossip.reconcile(KNOWN);
  assert.deepEqual(made.written.slice(2), ['null 20 30']);
});
