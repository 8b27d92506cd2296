/**
 * The soak's hostile peer, let in by every node: a log of which each third fact is a lie, and answers that are one time a page
 * of it, another time silence, a reset, nonsense, a frame without measure or pages without end. It also calls.
 */

import type { EntryLie, FactDraft } from '../../src/drill/entry-draft.ts';
import { type Behaviour, dialVictim, gone } from '../../src/drill/hostile-peer.ts';
import { HELLO_PROTOCOL, PULL_PROTOCOL, WATCH_PROTOCOL } from '../../src/wire/protocols.ts';
import { emptyPages, neverReads, slowly } from '../adversarial/stalling-lies.ts';
import { HonestPeer } from '../support/honest-peer.ts';

/** None of them costs a peer its place: one that was suspended would be no danger any more. */
const LIES: readonly { readonly draft?: FactDraft; readonly lie?: EntryLie }[] = [
  { draft: { source: 'stigmem://n1.example/agent/a' } },
  { lie: { claim: { cid: `sha256:${'0'.repeat(64)}` } } },
  { lie: { bytes: (text) => text.replace('"v":1', '"v": 1') } },
  { draft: { relation: 'stigmem:key' } },
];
const EACH = 3;
const GROWS_EVERY_MS = 1_000;
const CALLS_OF_A_STORM = 20;

/** Whether the entry at this feed sequence is a lie. */
export function isLie(feedSeq: number): boolean {
  return feedSeq % EACH === 0;
}

function grow(log: HonestPeer): void {
  const { draft, lie } = isLie(log.size + 1) ? (LIES[((log.size / EACH) % LIES.length) | 0] ?? {}) : {};
  log.append(draft, lie);
}

async function* moody(
  log: HonestPeer,
  ...args: Parameters<NonNullable<Behaviour['pull']>>
): AsyncGenerator<Uint8Array> {
  const [request, signal, , receiver] = args;
  const mood = Math.random();
  if (mood < 0.5) yield* log.answerPull(request, ['public'], {}, receiver);
  else if (mood < 0.6) await gone(signal);
  else if (mood < 0.7) throw new Error('no');
  else if (mood < 0.8) yield Buffer.from('x');
  else if (mood < 0.85) yield Buffer.alloc(5 << 20, '{');
  else if (mood < 0.92) yield* slowly(log, request, signal);
  else yield* emptyPages(log, request, signal);
}

/** Either pulls of which nothing is read, or streams and connections that are cut as soon as they are there. */
async function harass(...[node, victim]: Parameters<NonNullable<Behaviour['call']>>): Promise<void> {
  if (Math.random() < 0.5) return neverReads(node, victim);
  for (let i = 0; i < CALLS_OF_A_STORM; i++) {
    const connection = await dialVictim(node, victim);
    const protocol = [HELLO_PROTOCOL, PULL_PROTOCOL, WATCH_PROTOCOL][i % 3] ?? HELLO_PROTOCOL;
    const stream = await connection.newStream(protocol, { signal: AbortSignal.timeout(10_000) });
    if (i % 2 === 0) stream.abort(new Error('no'));
    else connection.abort(new Error('no'));
  }
}

export const behaviours: Readonly<Record<string, () => Behaviour>> = {
  hostile: () => {
    const log = new HonestPeer({ authority: 'hostile.example', startMs: Date.now() });
    for (let i = 0; i < 30; i++) grow(log);
    setInterval(() => grow(log), GROWS_EVERY_MS).unref();
    return { log, pull: (...args) => moody(log, ...args), call: harass };
  },
};
